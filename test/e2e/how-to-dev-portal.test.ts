import { expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { createEnvironment } from './support/environment.ts';
import { forwarding } from './support/manifests.ts';
import { developer } from './support/organizations.ts';
import { isSigned } from './support/signature.ts';

test("Kong's how-to for Dev Portals with one kubectl apply: a developer's login arrives in SumoLogic, signed", async () => {
  await using environment = await createEnvironment({ prefix: 'how-to-dev-portal' });
  const { blue, namespace, services } = environment;
  const [portal = ''] = blue.portals.us;

  await environment.applySecrets();
  await environment.apply(forwarding('sumologic', { portals: [{ id: portal }] }));
  const { status } = await environment.waitForReady('sumologic');

  const destinations = await environment.asOtherClient('GET', '/global/v3/audit-log-destinations');
  expect(destinations).toMatchObject({
    status: 200,
    body: {
      data: [
        {
          id: status.destination?.id,
          name: `${namespace}/sumologic`,
          endpoint: environment.credentials.endpoint,
          log_format: 'cef',
          skip_ssl_verification: false,
        },
      ],
    },
  });
  expect(environment.calls().filter(({ method }) => method === 'POST')).toEqual([
    expect.objectContaining({ region: 'global', path: '/v3/audit-log-destinations', status: 201 }),
  ]);
  const webhook = `/us/v3/portals/${portal}/audit-log-webhook`;
  await expect(environment.asOtherClient('GET', webhook)).resolves.toEqual({
    status: 200,
    body: { audit_log_destination_id: status.destination?.id, enabled: true },
  });

  await expect(
    environment.asOtherClient('POST', `/us/__portals/${portal}/api/v2/developer/authenticate`, {
      body: { username: developer.email, password: developer.password },
    }),
  ).resolves.toMatchObject({ status: 200 });
  await eventually(() => expect(services.sumologic.lines()).toHaveLength(1));
  const found = await environment.search('_sourcecategory="Http Input"');

  expect(found).toEqual([
    expect.stringMatching(
      /^\S+Z konghq\.com CEF:0\|KongInc\|Dev-Portal\|1\.0\|AUTHENTICATION_TYPE_BASIC\|AUTHENTICATION_OUTCOME_SUCCESS\|0\|/,
    ),
  ]);
  const [line = ''] = found;
  expect(line).toContain(` portal_id=${portal} `);
  expect(line).toContain(` org_id=${blue.id} `);
  expect(line).toContain(' success=true ');
  const { body: jwks } = await environment.asOtherClient('GET', '/us/v2/audit-log-webhook/jwks.json');
  expect(isSigned(line, 'cef', jwks)).toBe(true);
  expect(isSigned(line.replace('success=true', 'success=false'), 'cef', jwks)).toBe(false);
  await expect(environment.asOtherClient('GET', `${webhook}/status`)).resolves.toMatchObject({
    body: { webhook_enabled: true, webhook_status: 'active', last_response_code: 200 },
  });

  const headers = services.sumologic.requests().map(({ authorization }) => authorization);
  expect(headers).toEqual([environment.credentials.authorization]);
});

test('a login to a portal that no forwarding names is not forwarded', async () => {
  await using environment = await createEnvironment({ prefix: 'how-to-dev-portal', portals: 2 });
  const [portal = '', other = ''] = environment.blue.portals.us;
  await environment.applySecrets();
  await environment.apply(forwarding('sumologic', { portals: [{ id: portal }] }));
  await environment.waitForReady('sumologic');

  for (const id of [other, portal]) {
    const body = { username: developer.email, password: developer.password };
    await environment.asOtherClient('POST', `/us/__portals/${id}/api/v2/developer/authenticate`, { body });
  }
  const lines = await eventually(() => {
    const arrived = environment.services.sumologic.lines().map(({ line }) => line);
    expect(arrived).toHaveLength(1);
    return arrived;
  });
  expect(lines).toEqual([expect.stringContaining(`portal_id=${portal}`)]);
});
