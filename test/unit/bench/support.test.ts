import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Call } from '../../../sandbox/konnect/calls.ts';
import { toLedgerEntry } from '../../../src/audit-lines/ledger-entry.ts';
import { toSigningKeys } from '../../../src/audit-lines/signing-keys.ts';
import { lineVerifier } from '../../../src/audit-lines/verify-lines.ts';
import { sizesUpTo } from '../../bench/rows/growth.ts';
import { auditLine, listEntry, writeKey, writeLines } from '../../bench/support/audit-files.ts';
import { CallCounter } from '../../bench/support/call-counter.ts';
import { bucketsOf } from '../../bench/support/histogram.ts';
import { countWrites } from '../../bench/support/lab.ts';
import { nodeOptionsOf, versionsOf } from '../../bench/support/operators.ts';
import { parseUsage } from '../../bench/support/usage.ts';

test('parseUsage reads processor time and memory, whatever the command is called', () => {
  const stat = `77 (node (a b) c) S 1 77 77 0 -1 4194304 9 0 0 0 150 50 0 0 20 0 11 0 12345 1 2`;
  const status = 'Name:\tnode\nVmHWM:\t  204800 kB\nVmRSS:\t  102400 kB\n';
  expect(parseUsage(stat, status)).toEqual({ processorSeconds: 2, residentMiB: 100, peakMiB: 200 });
});

test('nodeOptionsOf takes the options of Node from the entry point of the image', () => {
  const dockerfile = 'FROM base\nENTRYPOINT ["/nodejs/bin/node", "--max-semi-space-size=1", "/app/operator.mjs"]\n';
  expect(nodeOptionsOf(dockerfile)).toEqual(['--max-semi-space-size=1']);
});

test('versionsOf finds Go and controller-runtime', () => {
  const module =
    'module a\n\ngo 1.26.0\n\nrequire (\n\tk8s.io/api v0.37.0\n\tsigs.k8s.io/controller-runtime v0.25.2\n)\n';
  expect(versionsOf(module)).toEqual([
    ['go', '1.26.0'],
    ['controller-runtime', 'v0.25.2'],
  ]);
});

describe('countWrites', () => {
  const user = 'system:serviceaccount:a:operator';
  const entry = (verb: string, objectRef: object, more: object = {}) =>
    JSON.stringify({
      verb,
      objectRef,
      stage: 'ResponseComplete',
      user: { username: user },
      responseStatus: { code: 200 },
      ...more,
    });
  const forwarding = { resource: 'auditlogforwardings' };

  test('tells status, finalizer, events and others apart', () => {
    const log = [
      entry('patch', { ...forwarding, subresource: 'status' }),
      entry('update', { ...forwarding, subresource: 'status' }),
      entry('patch', forwarding),
      entry('create', { resource: 'events' }),
      entry('update', { resource: 'leases' }),
      '',
    ].join('\n');
    expect(countWrites(log, user)).toEqual({ status: 2, finalizer: 1, events: 1, other: 1 });
  });

  test('counts neither reads nor refused writes nor those of others', () => {
    const log = [
      entry('get', forwarding),
      entry('patch', forwarding, { responseStatus: { code: 409 } }),
      entry('patch', forwarding, { user: { username: 'admin' }, impersonatedUser: { username: user } }),
      entry('patch', forwarding, { stage: 'ResponseStarted' }),
    ].join('\n');
    expect(countWrites(log, user)).toEqual({ status: 0, finalizer: 0, events: 0, other: 0 });
  });
});

describe('CallCounter', () => {
  function counted(): { counter: CallCounter; calls: Call[] } {
    const calls: Call[] = [];
    const counter = new CallCounter({ calls: () => [...calls], clearCalls: () => void calls.splice(0) });
    counter.stop();
    return { counter, calls };
  }
  const call = (method: string, more: Partial<Call> = {}): Call => ({
    at: new Date(1_000),
    method,
    region: 'us',
    path: '/',
    query: '',
    token: '',
    faults: [],
    status: 200,
    ...more,
  });

  test('counts calls and writes since the last reset', () => {
    const { counter, calls } = counted();
    calls.push(call('GET'));
    counter.reset();
    calls.push(call('GET', { operation: 'read', at: new Date(2_000) }), call('PATCH', { at: new Date(3_000) }));
    expect(counter.counts).toEqual({ all: 2, writes: 1, rejected: 0, byOperation: { read: 1, '?': 1 } });
    expect([counter.firstCallAt, counter.lastCallAt]).toEqual([2_000, 3_000]);
  });

  test('sees an answer 429 that comes after the log was emptied', () => {
    const { counter, calls } = counted();
    const { status: _status, ...open } = call('GET');
    const late: Call = open;
    calls.push(late);
    expect(counter.counts.rejected).toBe(0);
    late.status = 429;
    expect(counter.counts).toMatchObject({ all: 1, rejected: 1 });
    expect(counter.counts.rejected).toBe(1);
  });
});

test('bucketsOf sums the series of a histogram, in the order of the bounds', () => {
  const page = [
    '# TYPE wait_seconds histogram',
    'wait_seconds_bucket{name="a",le="+Inf"} 5',
    'wait_seconds_bucket{name="a",le="0.5"} 3',
    'wait_seconds_bucket{le="0.5",name="b"} 1',
    'wait_seconds_bucket{le="+Inf",name="b"} 1',
    'other_wait_seconds_bucket{le="0.1"} 9',
    'wait_seconds_sum{name="a"} 4',
  ].join('\n');
  expect(bucketsOf(page, 'wait_seconds')).toEqual([
    [0.5, 4],
    [Number.POSITIVE_INFINITY, 6],
  ]);
});

test('sizesUpTo goes in steps of ten times', () => {
  expect(sizesUpTo(300)).toEqual([10, 100, 300]);
  expect(sizesUpTo(1_000)).toEqual([10, 100, 1_000]);
});

describe('the files of audit lines', () => {
  test('have signed lines that auditlog verifies', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'bench-'));
    try {
      const { jwks, signed } = await writeKey(folder);
      const file = await writeLines(folder, 'signed.log', 3, (index) => signed(auditLine(index)));
      const keys = toSigningKeys(JSON.parse(await readFile(jwks, 'utf8')));
      const lines = (await readFile(file, 'latin1')).trimEnd().split('\n');
      await expect(lineVerifier(keys)(lines)).resolves.toEqual(['verified', 'verified', 'verified']);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('have entries and lines about the same events', () => {
    for (const index of [0, 999_999]) {
      const { traceID, kind, timeMs } = toLedgerEntry(auditLine(index)) ?? {};
      expect(toLedgerEntry(listEntry(index))).toMatchObject({ traceID, kind, timeMs });
      expect(kind).toBe('authorization');
    }
  });
});
