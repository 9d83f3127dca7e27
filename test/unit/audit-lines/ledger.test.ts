import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { AuditEvent } from '../../../sandbox/konnect/audit-event.ts';
import { formatLine } from '../../../sandbox/konnect/delivery/audit-line.ts';
import { LedgerComparison } from '../../../src/audit-lines/ledger-comparison.ts';
import { type LedgerEntry, toLedgerEntry } from '../../../src/audit-lines/ledger-entry.ts';

const timeMs = 1_767_323_045_123;
const event: AuditEvent = {
  at: new Date(timeMs),
  product: 'Konnect',
  eventClassID: 'konnect',
  name: 'Authz.portals',
  severity: 1,
  extension: {
    rt: String(timeMs),
    org_id: 'o',
    principal_id: 'p',
    trace_id: '18446744073709551615',
    user_agent: 'a "b" =c',
  },
};

describe('toLedgerEntry', () => {
  const expected: LedgerEntry = {
    traceID: '18446744073709551615',
    kind: 'authorization',
    timeMs,
    principalID: 'p',
    organizationID: 'o',
    isPortal: false,
  };

  test.each(['cef', 'json', 'cps'] as const)('reads a line in %s, wrapped or not', (format) => {
    const line = formatLine(event, format);
    expect(toLedgerEntry(line)).toEqual(expected);
    expect(toLedgerEntry(JSON.stringify({ message: line }))).toEqual(expected);
  });

  test.each(['cef', 'json', 'cps'] as const)('tells a login to a portal in %s', (format) => {
    const login: AuditEvent = { ...event, product: 'Dev-Portal', extension: { ...event.extension, portal_id: 'q' } };
    expect(toLedgerEntry(formatLine(login, format))).toEqual({ ...expected, isPortal: true });
  });

  test("reads an entry of Konnect's list", () => {
    const entry = {
      type: 'authorization',
      ts: new Date(timeMs).toISOString(),
      trace_id: '18446744073709551615',
      org_id: 'o',
    };
    expect(toLedgerEntry(JSON.stringify({ ...entry, principal_id: 'p' }))).toEqual(expected);
    expect(toLedgerEntry(JSON.stringify(entry))).toEqual({ ...expected, principalID: undefined });
  });

  test.each([
    ['AUTHENTICATION_OUTCOME_SUCCESS', 'authentication'],
    ['Authz.teams', 'authorization'],
    ['Ingress', 'gateway_access'],
    ['Unknown', undefined],
  ])('tells the kind of %s', (name, kind) => {
    expect(toLedgerEntry(formatLine({ ...event, name }, 'cef'))?.kind).toBe(kind);
    expect(toLedgerEntry(formatLine({ ...event, name }, 'json'))?.kind).toBe(kind);
  });

  test.each(['', 'hello', '{}', '{"trace_id":1}', '{"trace_id":"1","type":"authorization","ts":"never"}'])(
    'reads nothing from %j',
    (line) => {
      expect(toLedgerEntry(line)).toBeUndefined();
    },
  );
});

describe('LedgerComparison', () => {
  const entries = fc.array(
    fc.record<LedgerEntry>({
      traceID: fc.constantFrom('1', '2', '3'),
      kind: fc.constantFrom('authentication', 'authorization'),
      timeMs: fc.constantFrom(0, 10_000, 20_000),
      principalID: fc.constant(undefined),
      organizationID: fc.constant(undefined),
      isPortal: fc.constant(false),
    }),
    { maxLength: 30 },
  );
  const keyOf = ({ traceID, kind, timeMs: at }: LedgerEntry) => `${traceID} ${kind} ${at}`;
  const countsOf = (list: readonly LedgerEntry[]) => {
    const counts = new Map<string, number>();
    for (const one of list) counts.set(keyOf(one), (counts.get(keyOf(one)) ?? 0) + 1);
    return counts;
  };

  test('counts as a comparison of how often each entry occurs does', () => {
    fc.assert(
      fc.property(entries, entries, (left, right) => {
        const comparison = new LedgerComparison();
        for (const one of left) comparison.addLeft(one);
        for (const one of right) comparison.addRight(one);
        const [inLeft, inRight] = [countsOf(left), countsOf(right)];
        const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
        const found = sum([...inLeft].map(([key, count]) => Math.min(count, inRight.get(key) ?? 0)));
        const foreign = sum([...inRight].map(([key, count]) => (inLeft.has(key) ? 0 : count)));
        const { oldestMissing, newestMissingMs, ...counts } = comparison.result(1000);
        expect(newestMissingMs).toBe(oldestMissing.at(-1)?.timeMs);
        expect({ ...counts, named: oldestMissing.length }).toEqual({
          entries: left.length,
          found,
          missing: left.length - found,
          named: left.length - found,
          duplicates: right.length - found - foreign,
          foreign,
        });
      }),
    );
  });

  test('names the oldest missing entries, also after it has grown', () => {
    const comparison = new LedgerComparison();
    const first = 18_446_744_073_709_551_615n;
    for (let at = 5_000; at > 0; at -= 1)
      comparison.addLeft({
        traceID: String(first - BigInt(at)),
        kind: 'authorization',
        timeMs: at,
        principalID: undefined,
        organizationID: undefined,
        isPortal: false,
      });
    expect(comparison.result(2)).toMatchObject({
      missing: 5_000,
      oldestMissing: [
        { traceID: '18446744073709551614', timeMs: 1 },
        { traceID: '18446744073709551613', timeMs: 2 },
      ],
    });
  });

  test('takes times as equal that differ by a second at most', () => {
    const one: LedgerEntry = {
      traceID: '1',
      kind: 'authorization',
      timeMs: 5_000,
      principalID: undefined,
      organizationID: undefined,
      isPortal: false,
    };
    const comparison = new LedgerComparison();
    comparison.addLeft(one);
    expect(comparison.addRight({ ...one, timeMs: 6_001 })).toBe('foreign');
    expect(comparison.addRight({ ...one, timeMs: 6_000 })).toBe('found');
  });
});
