import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { Latencies } from '../../../src/verification/latencies.ts';
import { Ledgers } from '../../../src/verification/ledgers.ts';

const organizationID = '998db3e4-5cb7-4dd5-b51c-9878096a6999';
const fromMs = Date.parse('2026-01-02T03:00:00Z');
const toMs = Date.parse('2026-01-02T04:00:00Z');
const period = { from: new Date(fromMs), to: new Date(toMs) };

function entry(traceID: string, timeMs: number): object {
  return { type: 'authorization', ts: new Date(timeMs).toISOString(), trace_id: traceID, org_id: organizationID };
}

function line(traceID: string, timeMs: number, more = `org_id=${organizationID}`): string {
  const time = new Date(timeMs).toISOString();
  return `${time} konghq.com CEF:0|KongInc|Konnect|1.0|konnect|Authz.portals|1|rt=${String(timeMs)} ${more} trace_id=${traceID}`;
}

async function join(
  entries: readonly object[],
  lines: readonly string[],
  { hasList = true, receivedMs = toMs } = {},
): Promise<ReturnType<Ledgers['counts']>> {
  const ledgers = new Ledgers({ period, organizationID, keys: undefined, hasList });
  ledgers.addEntries(entries);
  await ledgers.addLines(lines.map((text) => ({ text, receivedMs })));
  return ledgers.counts();
}

test('an ID above 2^63 is joined as well as a small one', async () => {
  const ids = ['18446744073709551615', '9223372036854775808', '1'];
  const counts = await join(
    ids.map((id) => entry(id, fromMs + 60_000)),
    ids.map((id) => line(id, fromMs + 60_000)),
  );
  expect(counts).toMatchObject({ entries: 3, found: 3, missing: 0, foreign: 0 });
});

test('a line of another period, another organization or a portal is no foreign one', async () => {
  const counts = await join(
    [],
    [
      line('1', fromMs - 60_000),
      line('2', toMs + 60_000),
      line('3', fromMs + 60_000, 'org_id=777db3e4-5cb7-4dd5-b51c-9878096a6999'),
      line('4', fromMs + 60_000, `org_id=${organizationID} portal_id=3e551b39-227d-4297-b911-e68fd5d77c17`),
    ],
  );
  expect(counts).toMatchObject({ foreign: 0, newestMs: { organization: undefined, portals: fromMs + 60_000 } });
});

test('a line at the edge of the period, whose entry may be in another one, is no foreign one', async () => {
  const counts = await join([entry('1', fromMs)], [line('1', fromMs - 500), line('2', fromMs + 500)]);
  expect(counts).toMatchObject({ entries: 1, found: 1, foreign: 0 });
  const inside = await join([], [line('2', fromMs + 60_000)]);
  expect(inside).toMatchObject({ foreign: 1 });
});

test('a line that a replay sent again counts once', async () => {
  const counts = await join([entry('1', fromMs + 1_000)], [line('1', fromMs + 1_000), line('1', fromMs + 1_000)]);
  expect(counts).toMatchObject({ entries: 1, found: 1, missing: 0, foreign: 0 });
});

test('without a list nothing is missing and nothing is foreign', async () => {
  const counts = await join([], [line('1', fromMs + 1_000)], { hasList: false });
  expect(counts).toMatchObject({ entries: 0, missing: 0, foreign: 0, newestMs: { organization: fromMs + 1_000 } });
});

test('entries of Konnect without what a line has are left out', async () => {
  await expect(join([{ type: 'authorization' }, {}, entry('x', fromMs)], [])).resolves.toMatchObject({ entries: 0 });
});

test('a percentile is at most a tenth and a tenth of a second off, however long lines take', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 86_400_000 }), { minLength: 1 }),
      fc.double({ min: 0.01, max: 1, noNaN: true }),
      (times, part) => {
        const latencies = new Latencies();
        for (const ms of times) latencies.add(ms);
        const sorted = times.toSorted((a, b) => a - b);
        const exact = (sorted[Math.ceil(part * sorted.length) - 1] ?? 0) / 1_000;
        const shown = Number.parseFloat(latencies.percentile(part) ?? '');
        expect(shown).toBeGreaterThanOrEqual(exact * 0.9 - 0.6);
        expect(shown).toBeLessThanOrEqual(exact * 1.11 + 0.6);
      },
    ),
  );
});

test('there is no percentile without lines, and clocks that disagree count as no time', () => {
  const latencies = new Latencies();
  expect(latencies.percentile(0.5)).toBeUndefined();
  latencies.add(-5_000);
  expect(latencies.percentile(0.5)).toBe('0.0s');
});
