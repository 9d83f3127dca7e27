import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { createDestination } from '../../../sandbox/konnect/model/destinations.ts';
import { pointWebhook, switchWebhook } from '../../../sandbox/konnect/model/webhooks.ts';
import { type Organization, type Webhook, webhookIn } from '../../../sandbox/konnect/model.ts';
import { type KonnectServer, startKonnect } from '../../../sandbox/konnect/server.ts';
import { blue, forum, konnectSeed, sharedSiem, shop, siem, tokens } from '../../support/konnect-fixtures.ts';
import { runAuditlog } from './run-auditlog.ts';

let konnect: KonnectServer;
let organization: Organization;
beforeEach(async () => {
  konnect = await startKonnect({ seed: konnectSeed });
  const found = konnect.model.organizations.get(blue);
  if (found === undefined) throw new Error('there is no organization');
  organization = found;
});
afterEach(() => konnect.stop());

function destination(name: string, endpoint = siem.endpoint, logFormat: 'cef' | 'json' = 'cef') {
  return createDestination(konnect.model, organization, {
    name,
    endpoint,
    authorization: 'Bearer CANARY',
    logFormat,
    skipSSLVerification: false,
  });
}

function portal(id: string): Webhook {
  const found = organization.portals.get(id);
  if (found === undefined) throw new Error('there is no such portal');
  return found.webhook;
}

function attach(webhook: Webhook, id: string, enabled = true): void {
  pointWebhook(konnect.model, organization, webhook, { kind: 'destination', id });
  switchWebhook(konnect.model, webhook, enabled);
}

const at = () => ['--konnect-url', konnect.urlTemplate];

async function imported(...args: readonly string[]) {
  const env = { KONNECT_TOKEN: tokens.blue };
  const result = await runAuditlog(['import', '--region', 'us', ...at(), ...args], { env });
  expect(JSON.stringify(result)).not.toContain('CANARY');
  return { ...result, objects: parseAllDocuments(result.output).map((one) => Object(one.toJS())) };
}

/** Fills in the Secrets and plans the result. */
function planned(output: string) {
  const stdin = output
    .replaceAll('<a token of Konnect>', tokens.blue)
    .replaceAll('<the endpoint of the SIEM>', siem.endpoint)
    .replaceAll('<the value of the Authorization header>', siem.authorization);
  return runAuditlog(['plan', '-f', '-', '-o', 'json', ...at()], { stdin });
}

describe('auditlog import', () => {
  test('describes each destination with its webhooks, and leaves the Secrets to fill in', async () => {
    const { id } = destination('Team A / SIEM', siem.endpoint, 'json');
    attach(portal(shop), id);
    attach(portal(forum), id, false);
    attach(webhookIn(organization, 'us'), id);
    const { code, objects, errors } = await imported('-n', 'platform');
    expect(code).toBe(0);
    expect(errors).toBe('fill in the Secrets, and look at the outcome with auditlog plan -f FILE before you apply\n');
    const named = (name: string) => ({ name, namespace: 'platform' });
    expect(objects).toEqual([
      { apiVersion: 'v1', kind: 'Secret', metadata: named('konnect'), stringData: { token: '<a token of Konnect>' } },
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: named('team-a-siem'),
        stringData: {
          endpoint: '<the endpoint of the SIEM>',
          authorization: '<the value of the Authorization header>',
        },
      },
      {
        apiVersion: 'konnect-audit-log.io/v1alpha1',
        kind: 'AuditLogForwarding',
        metadata: named('team-a-siem'),
        spec: {
          konnect: { region: 'us', tokenSecretRef: { name: 'konnect' } },
          destination: { secretRef: { name: 'team-a-siem' }, name: 'Team A / SIEM', logFormat: 'json' },
          organization: { enabled: true },
          portals: [
            { id: shop, enabled: true },
            { id: forum, enabled: false },
          ],
          adoptionPolicy: 'IfMatching',
        },
      },
    ]);
  });

  test('is adopted as it stands: only the authorization is sent again', async () => {
    const { id } = destination('siem');
    attach(portal(shop), id);
    attach(webhookIn(organization, 'us'), id);
    const { output } = await imported();
    const plan = await planned(output);
    expect(plan.code).toBe(3);
    expect(JSON.parse(plan.output).forwardings).toEqual([
      {
        namespace: 'default',
        name: 'siem',
        changes: [
          {
            action: 'update',
            object: 'destination "siem"',
            region: 'global',
            fields: [{ name: 'authorization', to: 'that of the Secret' }],
          },
        ],
      },
    ]);
  });

  test('cannot do harm before the Secrets are filled in', async () => {
    attach(portal(shop), destination('siem').id);
    const { output } = await imported();
    const plan = await runAuditlog(['plan', '-f', '-', '-o', 'json', ...at()], { stdin: output });
    expect(JSON.parse(plan.output).forwardings).toMatchObject([{ changes: [], problem: { reason: 'SecretInvalid' } }]);
  });

  test('adopts what has an endpoint that many teams share only with Always', async () => {
    attach(portal(shop), destination('splunk', sharedSiem.endpoint).id);
    expect((await imported()).objects.at(-1)?.spec.adoptionPolicy).toBe('Always');
  });

  test('describes an organization webhook with an endpoint of its own', async () => {
    const inline = {
      endpoint: siem.endpoint,
      authorization: 'CANARY',
      logFormat: 'cef',
      skipSSLVerification: false,
    } as const;
    const webhook = webhookIn(organization, 'us');
    pointWebhook(konnect.model, organization, webhook, { kind: 'inline', inline });
    switchWebhook(konnect.model, webhook, true);
    const { output, objects } = await imported();
    expect(objects.at(-1)).toMatchObject({
      metadata: { name: 'organization' },
      spec: { konnect: { auditLogsAPI: 'v2' }, organization: { enabled: true }, destination: { logFormat: 'cef' } },
    });
    const { changes, problem } = JSON.parse((await planned(output)).output).forwardings[0];
    expect(problem).toBeUndefined();
    expect(changes).toMatchObject([{ action: 'update', object: "the organization's webhook" }]);
  });

  test('names destinations with the same name by their ID', async () => {
    Object.assign(konnect.model.behavior, { duplicateNames: 'allowed' });
    const [first, second] = [destination('siem'), destination('siem')];
    attach(portal(shop), first.id);
    attach(portal(forum), second.id);
    const { objects, output } = await imported();
    const refs = objects.flatMap(({ metadata, spec }) =>
      spec === undefined ? [] : [[metadata.name, spec.destinationRef?.id]],
    );
    expect(refs).toEqual([
      ['siem', first.id],
      ['siem-2', second.id],
    ]);
    expect(objects.filter(({ kind }) => kind === 'Secret')).toHaveLength(1);
    await expect(planned(output)).resolves.toMatchObject({ code: 0 });
  });

  test('says what it leaves out', async () => {
    destination('forgotten');
    attach(portal(shop), destination('siem').id);
    attach(portal(forum), 'ffffffff-227d-4297-b911-e68fd5d77c17');
    const { code, errors } = await imported();
    expect(code).toBe(3);
    expect(errors).toContain(
      `portal ${forum} points at destination ffffffff-227d-4297-b911-e68fd5d77c17, which no longer exists: left out`,
    );
    expect(errors).toContain('destination "forgotten" is used by no webhook of the region: left out');
  });

  test.each([
    [
      'a destination',
      () => {
        const found = destination('siem');
        Object.assign(found, { logFormat: 'ocsf' });
        attach(portal(shop), found.id);
      },
      /^default\/siem: this version does not know the log format ocsf in Konnect, and would set cef: set spec.destination.logFormat to cef, json, cps, or replace spec.destination by spec.destinationRef with id [\da-f-]{36}$/,
    ],
    [
      'an organization webhook with an endpoint of its own',
      () => {
        const inline = { ...siem, logFormat: 'cef', skipSSLVerification: false } as const;
        const webhook = webhookIn(organization, 'us');
        pointWebhook(konnect.model, organization, webhook, { kind: 'inline', inline });
        Object.assign(inline, { logFormat: 'ocsf' });
      },
      /^default\/organization: this version does not know the log format ocsf in Konnect, and would set cef: set spec.destination.logFormat to cef, json, cps$/,
    ],
  ])('says that it does not know the log format of %s', async (_name, act, expected) => {
    act();
    const { code, output, errors, objects } = await imported();
    const said = errors.split('\n')[0] ?? '';
    expect(said).toMatch(expected);
    expect(output).toContain(`---\n# ${said}\napiVersion: konnect-audit-log.io/v1alpha1\n`);
    expect(objects.at(-1)?.spec.destination).not.toHaveProperty('logFormat');
    expect(code).toBe(3);
  });

  test('has an exit code for a region where nothing is in use', async () => {
    await expect(imported()).resolves.toMatchObject({
      code: 5,
      output: '',
      errors: expect.stringContaining('the token sees'),
    });
  });

  test('reads every page of portals', async () => {
    Object.assign(konnect.model.behavior, { pageSizeMax: 1 });
    const { id } = destination('siem');
    for (const one of organization.portals.values()) attach(one.webhook, id);
    const inRegion = [...organization.portals.values()].filter(({ region }) => region === 'us');
    expect(inRegion.length).toBeGreaterThan(2);
    expect((await imported()).objects.at(-1)?.spec.portals).toHaveLength(inRegion.length);
  });

  test('is printed as a list in JSON', async () => {
    attach(portal(shop), destination('siem').id);
    expect(JSON.parse((await imported('-o', 'json')).output)).toMatchObject({ kind: 'List', items: { length: 3 } });
  });

  test.each<[string, readonly string[], string]>([
    ['a region', ['--region', ''], '--region must be the name of a region'],
    ['a format', ['-o', 'table'], '--output must be yaml or json'],
  ])('asks for %s', async (_name, args, message) => {
    await expect(imported(...args)).resolves.toMatchObject({ code: 2, errors: expect.stringContaining(message) });
  });

  test('asks for a token', async () => {
    const { code, errors } = await runAuditlog(['import', '--region', 'us', ...at()]);
    expect({ code, errors }).toMatchObject({ code: 2, errors: expect.stringContaining('KONNECT_TOKEN') });
  });

  test.each([
    [
      'a region that Konnect does not have',
      ['--region', 'zz'],
      tokens.blue,
      /404.*: check --region and --konnect-url\n$/,
    ],
    ['a token that is not valid', [], 'kpat_nobody', /401.*: use a token that is neither expired nor revoked\n$/],
  ])('names the way out of %s', async (_what, args, token, message) => {
    const result = await runAuditlog(['import', '--region', 'us', ...at(), ...args], { env: { KONNECT_TOKEN: token } });
    expect(result).toMatchObject({ code: 1, output: '', errors: expect.stringMatching(message) });
  });
});
