import { describe, expect, test } from '@jest/globals';
import { KonnectError } from '../../../src/konnect/errors.ts';
import type { TimeRange } from '../../../src/status/verification.ts';
import type { FoundMessage, SearchQuery } from '../../../src/sumologic/search-client.ts';
import { type CollectOptions, collect } from '../../../src/verification/collect.ts';
import { blue } from '../../support/konnect-fixtures.ts';

const at = (time: string) => new Date(`2026-01-02T${time}:00Z`);
const period: TimeRange = { from: at('02:00'), to: at('03:00') };
const page = Array.from({ length: 1_000 }, (_, index) => ({
  type: 'authorization',
  ts: period.to.toISOString(),
  trace_id: String(index),
}));

/** A page whose entries are only counted. */
class CountedPage extends Array<Record<string, unknown>> {
  override [Symbol.iterator](): ArrayIterator<Record<string, unknown>> {
    return new Array<Record<string, unknown>>().values();
  }
}

/** Returns "02:00 03:00". */
function inWords({ from, to }: TimeRange): string {
  return [from, to].map((time) => time.toISOString().slice(11, 16)).join(' ');
}

interface Choice {
  /** Konnect's list has a page for each of these times. */
  readonly pageMs?: number;
  readonly entries?: readonly Record<string, unknown>[];
  /** SumoLogic pauses longer searches. */
  readonly pausesMs?: number;
  readonly ranges?: Partial<CollectOptions['ranges']>;
  /** When SumoLogic received the lines of the entries. Default: never. */
  readonly received?: Date;
}

/** Returns what `collect` takes in a verification at 03:10. */
function options({ pageMs = 3_600_000, entries = page, pausesMs = 86_400_000, ranges, received }: Choice = {}) {
  const searched: SearchQuery[] = [];
  const ledger: CollectOptions['ledger'] = {
    async *auditLogs({ from, to }) {
      for (let atMs = from.getTime(); atMs < to.getTime(); atMs += pageMs) yield Promise.resolve(entries);
    },
    signingKeys: () =>
      Promise.reject(new KonnectError({ kind: 'NotFound', operation: 'get signing keys', status: 404 })),
  };
  const search: CollectOptions['search'] = {
    async search(_access, query, { onPage }) {
      searched.push(query);
      if (query.to.getTime() - query.from.getTime() > pausesMs) return 'paused';
      if (received !== undefined && query.from <= received && received < query.to) await onPage(linesAt(received));
      return 'done';
    },
  };
  const all: CollectOptions = {
    ledger,
    search,
    access: { deployment: 'us1', accessID: 'id', accessKey: 'key' },
    query: '_source=Konnect',
    region: 'us',
    organizationID: blue,
    ranges: { period, newFrom: period.from, latest: period, ...ranges },
    wantsList: true,
    now: at('03:10'),
    jobs: { onCreated: () => Promise.resolve(), onDeleted: () => {} },
    signal: new AbortController().signal,
  };
  return { options: all, searched };
}

function linesAt(received: Date): FoundMessage[] {
  const time = period.to.toISOString();
  return page.map(({ trace_id: id }) => ({
    text: `${time} konghq.com CEF:0|KongInc|Konnect|1.0|konnect|Authz.portals|1|rt=${String(period.to.getTime())} org_id=${blue} trace_id=${id}`,
    receivedMs: received.getTime(),
  }));
}

describe('a list of more than 200,000 entries', () => {
  // 300 pages in an hour.
  const long: Choice = { pageMs: 12_000, entries: new CountedPage(1_000) };

  test('is compared in its oldest part if no entry was compared before', async () => {
    const { options: all, searched } = options(long);
    const ledgers = await collect(all);
    expect(inWords(ledgers.period)).toBe('02:00 02:30');
    // Lines that SumoLogic received some minutes before count as well: its clock may differ.
    expect(searched.map(inWords)).toEqual(['01:55 02:40']);
  });

  test.each([
    ['its newer half, if the other one was compared before', '02:45', '02:30 03:00'],
    ['what was not compared before', '02:25', '02:25 03:00'],
    ['the older part of that', '02:10', '02:10 02:35'],
  ])('is compared in %s', async (_name, newFrom, expected) => {
    const { options: all } = options({ ...long, ranges: { newFrom: at(newFrom) } });
    expect(inWords((await collect(all)).period)).toBe(expected);
  });

  test('of any second comes from no Konnect', async () => {
    const { options: all } = options({ ...long, pageMs: 1 });
    await expect(collect(all)).rejects.toMatchObject({ name: 'KonnectError', kind: 'UnexpectedAnswer' });
  });
});

describe('a list that Konnect does not show', () => {
  test('leaves the latest window, whatever was compared before', async () => {
    const ranges = { period: { from: at('00:00'), to: at('01:15') }, newFrom: at('00:00') };
    const { options: all, searched } = options({ ranges });
    const ledgers = await collect({ ...all, wantsList: false });
    expect(inWords(ledgers.period)).toBe('02:00 03:00');
    expect(searched.map(inWords)).toEqual(['01:55 03:10']);
  });
});

describe('the lines of an older period', () => {
  const ranges = { latest: { from: at('07:00'), to: at('08:00') } };
  const now = at('08:10');

  test('are searched in what SumoLogic received in time', async () => {
    const { options: all, searched } = options({ ranges, received: at('03:09') });
    const ledgers = await collect({ ...all, now });
    expect(searched.map(inWords)).toEqual(['01:55 03:10']);
    expect(ledgers.counts()).toMatchObject({ entries: 1_000, found: 1_000 });
  });

  test('and in what it received later, if some are missing', async () => {
    const { options: all, searched } = options({ ranges, received: at('06:00') });
    const ledgers = await collect({ ...all, now });
    expect(searched.map(inWords)).toEqual(['01:55 03:10', '03:10 08:10']);
    expect(ledgers.counts()).toMatchObject({ entries: 1_000, found: 1_000 });
  });

  test('are missing if SumoLogic received too much later', async () => {
    const days = { from: new Date('2026-01-05T02:00:00Z'), to: new Date('2026-01-05T03:00:00Z') };
    const { options: all, searched } = options({
      ranges: { latest: days },
      pausesMs: 75 * 60_000,
      received: at('03:11'),
    });
    const ledgers = await collect({ ...all, now: new Date('2026-01-05T03:10:00Z') });
    expect(searched).toHaveLength(64);
    expect(ledgers.counts()).toMatchObject({ entries: 1_000, missing: 1_000 });
  });
});

describe('a search that SumoLogic pauses', () => {
  test('is divided until each part ends, the newest part first', async () => {
    const { options: all, searched } = options({ pausesMs: 40 * 60_000 });
    await collect(all);
    expect(searched.map(inWords)).toEqual(['01:55 03:10', '02:32 03:10', '01:55 02:32']);
  });

  test('is given up after 64 jobs, with the time since which there are too many lines', async () => {
    const { options: all, searched } = options({ pausesMs: 5_000 });
    await expect(collect(all)).rejects.toMatchObject({
      name: 'TooManyLinesError',
      since: at('01:55'),
    });
    expect(searched).toHaveLength(64);
  });
});
