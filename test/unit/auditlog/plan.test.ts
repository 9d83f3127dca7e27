import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { createDestination } from '../../../sandbox/konnect/model/destinations.ts';
import { type KonnectServer, startKonnect } from '../../../sandbox/konnect/server.ts';
import { specOf, usual } from '../../support/forwarding-spec.ts';
import { blue, konnectSeed, shop, siem, tokens } from '../../support/konnect-fixtures.ts';
import { runAuditlog } from './run-auditlog.ts';

let konnect: KonnectServer;
beforeEach(async () => {
  konnect = await startKonnect({ seed: konnectSeed });
});
afterEach(() => konnect.stop());

const forwarding = (spec: object = specOf(usual), metadata: object = { name: 'sumologic', namespace: 'platform' }) => ({
  apiVersion: 'konnect-audit-log.io/v1alpha1',
  kind: 'AuditLogForwarding',
  metadata,
  spec,
});

const secret = (name: string, stringData: object, namespace = 'platform') => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace },
  stringData,
});

async function plan(
  objects: readonly object[] | string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
) {
  const stdin = typeof objects === 'string' ? objects : objects.map((one) => stringify(one)).join('---\n');
  const all = ['plan', '-f', '-', '--konnect-url', konnect.urlTemplate, ...args];
  const result = await runAuditlog(all, { stdin, env });
  expect(JSON.stringify(result)).not.toContain('CANARY');
  return result;
}

const withToken = { KONNECT_TOKEN: tokens.blue };

describe('auditlog plan', () => {
  test('shows what the file would do, with the Secrets of the file', async () => {
    const { code, output, errors } = await plan([
      secret('konnect', { token: tokens.blue }),
      secret('siem', siem),
      forwarding(),
    ]);
    expect({ code, errors }).toEqual({ code: 3, errors: '' });
    expect(output.match(/\b(?:create|update|delete)\b/g)).toEqual(['create', 'update', 'update', 'update']);
    expect(konnect.control.calls().filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  test('reads YAML as kubectl does: merge keys, comments between documents, and times as text', async () => {
    const common = '&common {name: konnect, namespace: platform, annotations: {at: 2026-01-01T00:00:00Z}}';
    const token = `{apiVersion: v1, kind: Secret, common: ${common}, metadata: {<<: *common}, stringData: {token: ${tokens.blue}}}`;
    const rest = [secret('siem', siem), forwarding()].map((one) => stringify(one));
    const { code, errors } = await plan([token, '# nothing', ...rest].join('\n---\n'));
    expect({ code, errors }).toEqual({ code: 3, errors: '' });
  });

  test('uses the token of the user, and says which Secret it lacks', async () => {
    const { code, errors } = await plan([forwarding()], [], withToken);
    expect({ code, errors }).toEqual({
      code: 3,
      errors:
        'the file lacks Secret platform/siem: the plan is for an endpoint that no destination in Konnect has yet\n',
    });
  });

  test('says what the adoption policy refuses', async () => {
    const spec = specOf({ ...usual, adoptionPolicy: 'Never', name: 'theirs' });
    const organization = konnect.model.organizations.get(blue);
    if (organization === undefined) throw new Error('there is no organization');
    createDestination(konnect.model, organization, {
      ...siem,
      name: 'theirs',
      logFormat: 'cef',
      skipSSLVerification: false,
    });
    const { code, errors } = await plan([secret('siem', siem), forwarding(spec)], [], withToken);
    expect(code).toBe(4);
    expect(errors).toContain('NameInUse: the name "theirs" is used in Konnect');
  });

  test('reads lists, and gives objects without a namespace the one of the option', async () => {
    const items = [forwarding(specOf(usual), { name: 'sumologic' }), secret('siem', siem, 'team')];
    const { output, errors } = await plan(
      [{ apiVersion: 'v1', kind: 'List', items }],
      ['-n', 'team', '-o', 'json'],
      withToken,
    );
    expect(errors).toBe('');
    expect(JSON.parse(output).forwardings).toMatchObject([{ namespace: 'team', changes: { length: 4 } }]);
  });

  test('says that a Portal of kong-operator has no ID yet', async () => {
    const spec = specOf({ portalRefs: [{ name: 'shop', enabled: true }] });
    await expect(plan([secret('siem', siem), forwarding(spec)], [], withToken)).resolves.toMatchObject({
      code: 4,
      errors: expect.stringContaining('has no .status.id yet'),
    });
    const portal = {
      apiVersion: 'konnect.konghq.com/v1alpha1',
      kind: 'Portal',
      metadata: { name: 'shop', namespace: 'platform' },
      status: { id: shop },
    };
    const { output } = await plan([secret('siem', siem), portal, forwarding(spec)], [], withToken);
    expect(output).toContain(`portal ${shop}`);
  });

  describe('takes the token of a KonnectAPIAuthConfiguration', () => {
    const { konnect: where, ...rest } = specOf(usual);
    const byRef = forwarding({ ...rest, konnect: { region: where.region, authRef: { name: 'kong' } } });
    const kong = (spec: object) => ({
      apiVersion: 'konnect.konghq.com/v1alpha1',
      kind: 'KonnectAPIAuthConfiguration',
      metadata: { name: 'kong', namespace: 'platform' },
      spec: { serverURL: 'us.api.konghq.com', ...spec },
    });
    const named = kong({ type: 'secretRef', secretRef: { name: 'kong-token' } });

    test.each<[string, readonly object[], Record<string, string>]>([
      ['from the object', [kong({ type: 'token', token: tokens.blue })], {}],
      ['from its Secret', [named, secret('kong-token', { token: tokens.blue })], {}],
      ['from the user, without its Secret', [named], withToken],
      ['from the user, without the object', [], withToken],
    ])('%s', async (_title, objects, env) => {
      const { code, errors } = await plan([...objects, secret('siem', siem), byRef], [], env);
      expect({ code, errors }).toEqual({ code: 3, errors: '' });
    });

    test('or says which object the file lacks', async () => {
      const { errors } = await plan([secret('siem', siem), byRef]);
      expect(errors).toContain('the file lacks KonnectAPIAuthConfiguration platform/kong: give a token');
    });
  });

  test.each<[string, readonly object[] | string, string]>([
    ['a file without a forwarding', [secret('siem', siem)], '- has no AuditLogForwarding'],
    [
      'a field that is unknown',
      [forwarding({ ...specOf(usual), portal: [] })],
      'platform/sumologic has unknown fields: spec.portal',
    ],
    [
      'a field in a list that is unknown',
      [forwarding({ ...specOf(usual), portals: [{ id: shop, on: true }] })],
      'spec.portals.0.on',
    ],
    [
      'a value that is invalid',
      [forwarding({ ...specOf(usual), interval: '1s1m' })],
      'platform/sumologic is invalid in spec.interval',
    ],
    ['another version', [{ ...forwarding(), apiVersion: 'konnect-audit-log.io/v2' }], 'has another apiVersion'],
    ['an object without a name', [{ kind: 'Secret' }], '- has an object without apiVersion, kind or metadata.name'],
    [
      'a Secret with a number',
      [secret('siem', { endpoint: 1 }), forwarding()],
      'Secret platform/siem has data that is no text',
    ],
    ['what is no YAML', 'stringData: {CANARY: "', '- is not YAML: see line 1'],
  ])('refuses %s', async (_name, objects, message) => {
    const { code, errors } = await plan(objects, [], withToken);
    expect(code).toBe(1);
    expect(errors).toContain(message);
  });

  test('asks for a file, and for a token that the file lacks', async () => {
    await expect(runAuditlog(['plan'])).resolves.toMatchObject({
      code: 2,
      errors: expect.stringContaining('name the file: -f FILE'),
    });
    await expect(plan([forwarding()])).resolves.toMatchObject({
      code: 2,
      errors: expect.stringContaining('the file lacks Secret platform/konnect: give a token in'),
    });
    await expect(runAuditlog(['plan', '-f', '/nowhere'])).resolves.toMatchObject({
      code: 1,
      errors: 'auditlog plan: /nowhere cannot be read (ENOENT)\n',
    });
  });
});
