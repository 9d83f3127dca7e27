import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { createEnvironment, type Environment } from './support/environment.ts';
import { forwarding } from './support/manifests.ts';
import { isSigned } from './support/signature.ts';

/** The call that lists control planes, in each format. */
const shapes = {
  cef: /^\S+Z konghq\.com CEF:0\|KongInc\|Konnect\|1\.0\|konnect\|Authz\.control-planes\|1\|.* action=list granted=true /,
  json: /^\{"event_ts":"\S+Z","event_vendor":"KongInc","event_product":"Konnect",.*"name":"Authz\.control-planes",/,
  cps: /^\{"event":\{"event_ts":"\S+Z","event_vendor":"KongInc",.*"name":"Authz\.control-planes",/,
} as const;

describe.each(['v2', 'v3'] as const)("Kong's how-to for Konnect with one kubectl apply, audit-logs API %s", (api) => {
  let environment: Environment;

  beforeAll(async () => {
    environment = await createEnvironment({ prefix: `how-to-konnect-${api}`, sourceName: 'Konnect' });
    await environment.applySecrets();
    await environment.apply(
      forwarding('sumologic', {
        konnect: { region: 'us', tokenSecretRef: { name: 'konnect' }, auditLogsAPI: api },
        organization: {},
      }),
    );
  });

  afterAll(() => environment.stop());

  test("the organization's webhook is on", async () => {
    const { status } = await environment.waitForReady('sumologic');
    const destinations = await environment.asOtherClient('GET', '/global/v3/audit-log-destinations');
    const webhook = await environment.asOtherClient('GET', `/us/${api}/audit-log-webhook`);
    const { endpoint } = environment.credentials;
    const id = status.destination?.id;
    const expected = {
      v2: { data: [], webhook: { endpoint, enabled: true, log_format: 'cef', skip_ssl_verification: false } },
      v3: {
        data: [expect.objectContaining({ id, endpoint, log_format: 'cef' })],
        webhook: { audit_log_destination_id: id, enabled: true },
      },
    }[api];
    expect(destinations).toMatchObject({ status: 200, body: { data: expected.data } });
    expect(webhook).toMatchObject({ status: 200, body: expected.webhook });
  });

  test.each(['cef', 'json', 'cps'] as const)(
    'a list of control planes arrives in SumoLogic, signed: %s',
    async (format) => {
      await environment.patch('sumologic', { spec: { destination: { logFormat: format } } });
      await environment.waitForReady('sumologic');

      await expect(environment.asOtherClient('GET', '/us/v2/control-planes')).resolves.toMatchObject({ status: 200 });
      await eventually(() => {
        const lines = environment.services.sumologic.lines().map(({ line }) => line);
        expect(lines).toContainEqual(expect.stringMatching(shapes[format]));
      });
      const found = await environment.search('_source=Konnect');
      const lines = found.filter((line) => shapes[format].test(line));

      expect(lines).toHaveLength(1);
      const [line = ''] = lines;
      expect(line).toContain(environment.blue.id);
      const { body: jwks } = await environment.asOtherClient('GET', '/us/v2/audit-log-webhook/jwks.json');
      expect(isSigned(line, format, jwks)).toBe(true);
      expect(isSigned(line.replace('control-planes', 'control-places'), format, jwks)).toBe(false);
      expect(new Set(environment.services.sumologic.requests().map(({ authorization }) => authorization))).toEqual(
        new Set([environment.credentials.authorization]),
      );
    },
  );

  test('after deletion, nothing is forwarded and nothing is left', async () => {
    await environment.remove('sumologic');
    await expect(environment.asOtherClient('GET', '/global/v3/audit-log-destinations')).resolves.toMatchObject({
      body: { data: [] },
    });
    await expect(environment.asOtherClient('GET', '/us/v2/audit-log-webhook')).resolves.toMatchObject({
      body: { enabled: false },
    });
  });
});
