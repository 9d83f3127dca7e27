import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runAuditlog } from './run-auditlog.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'compare-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const startMs = Date.parse('2026-01-02T03:04:05Z');
const traces = ['18446744073709551615', '18446744073709551614', '3'];

/** An entry of Konnect's list. */
function entry(trace: string, principal = 'p1'): string {
  const ts = new Date(startMs).toISOString();
  return JSON.stringify({ type: 'authorization', ts, trace_id: trace, principal_id: principal, service: 'konnect' });
}

/** The line that a SIEM has of the same event. */
function line(trace: string, principal = 'p1'): string {
  return `2026-01-02T03:04:05Z konghq.com CEF:0|KongInc|Konnect|1.0|konnect|Authz.portals|1|rt=${startMs} principal_id=${principal} trace_id=${trace} user_agent=`;
}

async function compare(left: readonly string[], right: readonly string[], ...more: readonly string[]) {
  const file = join(folder, 'left.json');
  writeFileSync(file, left.join('\n'));
  return runAuditlog(['compare', '--left', file, '--right', '-', ...more], { stdin: right.join('\n') });
}

describe('auditlog compare', () => {
  test.each([
    ['the right ledger has all of the left one', traces.map((trace) => line(trace)), 0, ['3', '3', '0', '0', '0']],
    ['an entry is missing', traces.slice(1).map((trace) => line(trace)), 3, ['3', '2', '1', '0', '0']],
    ['an entry is there twice', [...traces, '3'].map((trace) => line(trace)), 0, ['3', '3', '0', '1', '0']],
    ['an entry is foreign', [...traces, '4'].map((trace) => line(trace)), 4, ['3', '3', '0', '0', '1']],
  ])('tells that %s', async (_name, right, expected, counts) => {
    const { code, output } = await compare(
      traces.map((trace) => entry(trace)),
      right,
    );
    const [headings, row] = output.split('\n').map((text) => text.trim().split(/ {2,}/));
    expect(headings).toEqual(['ENTRIES', 'FOUND', 'MISSING', 'DUPLICATES', 'FOREIGN']);
    expect({ code, row }).toEqual({ code: expected, row: counts });
  });

  test('names the missing entries, the oldest first', async () => {
    const { errors } = await compare([entry('7')], []);
    expect(errors).toBe('missing: trace 7 at 2026-01-02T03:04:05.000Z\n');
  });

  test('leaves out the entries of one principal on both sides', async () => {
    const ignored = ['--ignore-principal', 'p2'];
    const { code } = await compare([entry('1'), entry('2', 'p2')], [line('1'), line('9', 'p2')], ...ignored);
    expect(code).toBe(0);
  });

  test('prints counts and the oldest missing entries for programs', async () => {
    const { output } = await compare([entry('7')], [line('8')], '-o', 'json');
    const time = '2026-01-02T03:04:05.000Z';
    expect(JSON.parse(output)).toEqual({
      entries: 1,
      found: 0,
      missing: 1,
      duplicates: 0,
      foreign: 1,
      oldestMissing: [{ traceID: '7', time }],
    });
  });

  test('has a code of its own for an empty left ledger', async () => {
    expect((await compare([], [line('1')])).code).toBe(5);
  });

  test.each([
    ['one ledger', ['compare', '--left', 'a'], 'name both ledgers'],
    ['standard input twice', ['compare', '--left', '-', '--right', '-'], 'only one of --left and --right'],
  ])('refuses %s', async (_name, args, message) => {
    const { code, errors } = await runAuditlog(args);
    expect(code).toBe(2);
    expect(errors).toContain(message);
  });
});
