import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { auditCall } from '../../../sandbox/konnect/model/audit.ts';
import { type KonnectServer, startKonnect } from '../../../sandbox/konnect/server.ts';
import { toLedgerEntry } from '../../../src/audit-lines/ledger-entry.ts';
import { full, organizationID, readOnly, seed } from '../sandbox/konnect/support.ts';
import { runAuditlog } from './run-auditlog.ts';

let konnect: KonnectServer;
beforeEach(async () => {
  konnect = await startKonnect({ seed });
});
afterEach(() => konnect.stop());

function pull(args: readonly string[], token = full) {
  const at = ['--region', 'us', '--konnect-url', konnect.urlTemplate];
  return runAuditlog(['pull', ...at, ...args], { env: { KONNECT_TOKEN: token } });
}

/** Makes Konnect record permission checks. */
function audit(times: number): void {
  const organization = konnect.model.organizations.get(organizationID);
  const token = organization?.tokens.get(full);
  if (organization === undefined || token === undefined) throw new Error('the seed lacks the organization');
  for (let call = 0; call < times; call += 1) {
    const request = { region: 'us', source: '192.0.2.1', userAgent: 'test', traceID: konnect.model.newTraceID() };
    auditCall(konnect.model, organization, { ...request, resource: 'portals', action: 'list', granted: true, token });
  }
}

describe('auditlog pull', () => {
  test.each(['nested', 'flat'] as const)('prints the entries of every page, with %s cursors', async (auditLogsMeta) => {
    Object.assign(konnect.model.behavior, { auditLogsMeta });
    audit(1_005);
    const { code, output } = await pull([]);
    const entries = output
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const portals = entries.filter(({ resource }) => String(resource).endsWith(':portals'));
    expect({ code, portals: portals.length }).toEqual({ code: 0, portals: 1_005 });
    expect(new Set(portals.map(({ trace_id }) => trace_id)).size).toBe(1_005);
  });

  test('prints CEF that identifies the same events as JSON', async () => {
    audit(3);
    const to = new Date().toISOString();
    const json = (await pull(['--to', to])).output.trimEnd().split('\n');
    const cef = (await pull(['--to', to, '-o', 'cef'])).output.trimEnd().split('\n');
    expect(cef).toHaveLength(3);
    expect(cef[0]).toMatch(/^\d{4}-.*Z konghq\.com CEF:0\|KongInc\|Konnect\|1\.0\|konnect\|Authz\.portals\|1\|rt=/);
    expect(cef.map(toLedgerEntry)).toEqual(json.map(toLedgerEntry));
  });

  test('prints only what is in the range', async () => {
    audit(1);
    const { output } = await pull(['--from', '2026-01-01T00:00:00Z', '--to', '2026-01-01T01:00:00Z']);
    expect(output).toBe('');
  });

  test.each([
    ['forbidden', 403],
    ['not-found', 404],
  ] as const)('says that the list may be off when it is %s', async (auditLogsList, status) => {
    Object.assign(konnect.model.behavior, { auditLogsList });
    const { code, errors } = await pull([], readOnly);
    expect(code).toBe(1);
    expect(errors).toContain(`(HTTP ${status}): the token may not read it, or Kong has not switched the list on`);
  });

  test.each<[string, readonly string[], RegExp]>([
    ['a time that is none', ['--from', 'yesterday'], /--from must be a time/],
    ['an end before the start', ['--from', '1h', '--to', '2h'], /--from must not be after --to/],
    ['a format that is none', ['-o', 'xml'], /--output must be json or cef/],
    ['an end of what has none', ['--follow', '--to', '1h'], /leave --to out/],
  ])('refuses %s', async (_name, args, message) => {
    const { code, errors } = await pull(args);
    expect(code).toBe(2);
    expect(errors).toMatch(message);
  });

  test('asks for a token', async () => {
    const { code, errors } = await pull([], '');
    expect(code).toBe(2);
    expect(errors).toContain('KONNECT_TOKEN');
  });

  test('a refused token is an error of Konnect', async () => {
    const { code, errors } = await pull([], 'kpat_unknown');
    expect(code).toBe(1);
    expect(errors).toContain('401');
    expect(errors).not.toContain('kpat_unknown');
  });
});
