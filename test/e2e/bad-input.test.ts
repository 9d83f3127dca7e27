/** Invalid Secrets and invalid answers of Konnect: one clear condition, no effect on other forwardings, no hot loop, and nothing lost. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { ActiveFault, FaultKind } from '../../sandbox/konnect/faults.ts';
import { eventually } from '../support/eventually.ts';
import { operatorRequests } from './support/audit-log.ts';
import { expectProblem } from './support/conditions.ts';
import type { Fixture } from './support/fixture.ts';
import { isReady } from './support/forwarding-object.ts';
import { oneEnvironment } from './support/one-environment.ts';
import { annotateForReconcile, requestReconcile } from './support/reconciliations.ts';

const { environment, fixture, readyFixture } = oneEnvironment({
  prefix: 'bad-input',
  flags: ['--max-concurrent-reconciles=8'],
});

/** Resolves with the writes of status and reads of Secrets in the API server's audit log. */
async function kubernetesWork(one: Fixture): Promise<{ statuses: number; secrets: number }> {
  const requests = await operatorRequests(environment().namespace);
  return {
    statuses: requests.filter(({ name, resource, verb }) => {
      return name === one.name && verb === 'patch' && resource.endsWith('/status');
    }).length,
    secrets: requests.filter(({ name = '', verb }) => verb === 'get' && name.startsWith(`${one.name}-`)).length,
  };
}

describe('Secrets', () => {
  const binary = Buffer.from([0x68, 0xff, 0xfe, 0x00, 0x74]);
  const megabyte = Buffer.alloc(1_000_000, 'a');
  const url = 'https://siem.example.com/receiver';
  const cases: readonly (readonly [
    what: string,
    key: 'endpoint' | 'authorization' | 'token',
    value: Buffer,
    says: string,
  ])[] = [
    ['an empty endpoint', 'endpoint', Buffer.from(''), 'endpoint is empty'],
    ['an endpoint of blanks', 'endpoint', Buffer.from('   '), 'endpoint is empty'],
    ['an endpoint that is no URL', 'endpoint', Buffer.from('siem'), 'endpoint is not a URL'],
    ['an endpoint without TLS', 'endpoint', Buffer.from(url.replace('https', 'http')), 'endpoint is not an https URL'],
    ['an endpoint of another scheme', 'endpoint', Buffer.from('file:///etc/passwd'), 'endpoint is not an https URL'],
    [
      'an endpoint with credentials',
      'endpoint',
      Buffer.from(url.replace('//', '//user:word@')),
      'endpoint contains a user name or a password',
    ],
    ['an endpoint with a blank inside', 'endpoint', Buffer.from(`${url}/a b`), 'endpoint contains a blank'],
    [
      'an endpoint with a line break inside',
      'endpoint',
      Buffer.from(`${url}\nHost: x`),
      'endpoint contains a blank, a line break',
    ],
    ['an endpoint with a blank around', 'endpoint', Buffer.from(` ${url}`), 'endpoint begins or ends with a blank'],
    ['an endpoint that is binary', 'endpoint', binary, 'endpoint is not UTF-8 text'],
    ['an endpoint of 1 MB', 'endpoint', megabyte, 'endpoint is longer than 2048 bytes'],
    ['an empty authorization', 'authorization', Buffer.from('\n'), 'authorization is empty'],
    ['an authorization that is binary', 'authorization', binary, 'authorization is not UTF-8 text'],
    ['an authorization of 1 MB', 'authorization', megabyte, 'authorization is longer than 8192 bytes'],
    [
      'an authorization with a line break inside',
      'authorization',
      Buffer.from('Bearer a\r\nX-Other: b'),
      'authorization contains a character',
    ],
    ['an empty token', 'token', Buffer.from(''), 'token is empty'],
    ['a token that is binary', 'token', binary, 'token is not UTF-8 text'],
    ['a token of 1 MB', 'token', megabyte, 'token is longer than 4096 bytes'],
    ['a token with a blank inside', 'token', Buffer.from('kpat_a b'), 'token contains a character that no token has'],
    [
      'a token with a line break inside',
      'token',
      Buffer.from('kpat_a\nb'),
      'token contains a character that no token has',
    ],
  ];
  const fixtures: Fixture[] = [];
  let neighbor: Fixture;

  beforeAll(async () => {
    neighbor = await readyFixture('neighbor-of-secrets');
    for (const [index, [, key, value]] of cases.entries()) {
      const one = await fixture(`secret-${String(index)}`);
      fixtures.push(one);
      const name = key === 'token' ? one.tokenSecret : one.siemSecret;
      const good = { ...environment().credentials, token: one.token };
      const keys = key === 'token' ? (['token'] as const) : (['endpoint', 'authorization'] as const);
      const data = Object.fromEntries(keys.map((each) => [each, Buffer.from(good[each]).toString('base64')]));
      await (key === 'token' ? one.applySIEM() : one.applyToken());
      // Not with apply: it keeps a copy in an annotation, which is too small for it.
      await environment().kubectl(['create', '-f', '-'], {
        input: JSON.stringify({
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name },
          data: { ...data, [key]: value.toString('base64') },
        }),
      });
      await one.applyForwarding();
    }
  });

  test.each(cases.map(([what, key, , says], index) => ({ what, key, says, index })))(
    '$what is refused before a call, reported once, and not read again until it changes',
    async ({ key, says, index }) => {
      const one = fixtures[index];
      if (one === undefined) throw new Error('there is no such fixture');
      const name = key === 'token' ? one.tokenSecret : one.siemSecret;
      await expectProblem(environment(), one.name, {
        reason: 'SecretInvalid',
        mark: 'Stalled',
        part: 'SecretsResolved',
        says: [`Secret ${name}, key ${says}`, 'put a valid value there', 'did not send this value to Konnect'],
      });
      expect(one.calls()).toEqual([]);
      expect(await kubernetesWork(one)).toEqual({ statuses: 1, secrets: expect.any(Number) });
      expect((await kubernetesWork(one)).secrets).toBeLessThanOrEqual(4);

      await environment().kubectl(['delete', 'secret', name]);
      await (key === 'token' ? one.applyToken() : one.applySIEM());
      await environment().waitForReady(one.name);
    },
  );

  test('and another forwarding is not affected', async () => {
    expect(isReady(await requestReconcile(environment(), neighbor.name))).toBe(true);
    expect(neighbor.writes()).toHaveLength(2);
    expect((await kubernetesWork(neighbor)).statuses).toBeLessThanOrEqual(4);
  });
});

test('the message names portals of another region and another organization, and the other portal is attached', async () => {
  const one = await fixture('portals-elsewhere');
  const [ofEurope = ''] = environment().blue.portals.eu;
  const [ofGreen = ''] = environment().green.portals.us;
  await one.apply({ portals: [...one.portals, ofEurope, ofGreen].map((id) => ({ id })) });
  const object = await expectProblem(environment(), one.name, {
    reason: 'PortalNotFound',
    mark: 'Stalled',
    part: 'WebhooksReady',
    says: [`portal ${ofEurope} does not exist in region us`, `portal ${ofGreen} does not exist`, 'spec.konnect.region'],
  });
  expect(object.status.portalsReady).toBe('1/3');
  expect(one.portalWebhook().enabled).toBe(true);
  const { statuses } = await kubernetesWork(one);
  await requestReconcile(environment(), one.name);
  // The only write answers the annotation.
  expect((await kubernetesWork(one)).statuses).toBe(statuses + 1);
});

describe('answers of Konnect', () => {
  /** A truncated answer, a huge one, a web page, wrong types, and a redirect. */
  const answers: readonly FaultKind[] = [
    { kind: 'status', status: 200, body: 'truncated' },
    { kind: 'status', status: 200, body: 'huge' },
    { kind: 'status', status: 200, body: 'html' },
    { kind: 'wrong-types' },
    { kind: 'redirect' },
  ];
  /** Retries wait half a second at first. The operator looks for a lost creation for ten seconds before it creates again. */
  const operations = [
    { object: 'the organization', operation: 'get-organizations-me', leastGapsMs: [450, 950] },
    { object: 'the list of destinations', operation: 'get-audit-log-destinations', leastGapsMs: [450, 950] },
    { object: 'a portal’s webhook', operation: 'get-portal-audit-log-webhook', leastGapsMs: [450, 950] },
    { object: 'the creation of a destination', operation: 'create-audit-log-destination', leastGapsMs: [9_900] },
  ];
  let neighbor: Fixture;

  beforeAll(async () => {
    neighbor = await readyFixture('neighbor-of-answers');
  });

  test.each(operations)(
    'about $object that are invalid: status reports them, retries become rarer, and the forwarding recovers with valid answers',
    async ({ operation, leastGapsMs }) => {
      // The operator finds a created destination, whatever the answer was.
      const bad = answers.filter(({ kind }) => kind !== 'wrong-types' || operation !== 'create-audit-log-destination');
      const cases: { one: Fixture; fault: ActiveFault }[] = [];
      for (const [index, kind] of bad.entries()) {
        const one = await fixture(`${operation}-${String(index)}`);
        cases.push({ one, fault: one.fail({ ...kind, match: { operation } }) });
        await one.apply();
      }
      for (const { one } of cases) {
        await expectProblem(environment(), one.name, {
          reason: 'UnexpectedAnswer',
          mark: 'Reconciling',
          says: ["does not come from Konnect's API", '--konnect-url', 'proxy'],
        });
      }
      /** Returns the times between calls. If the watch shows the Secrets only after the first reconciliation, a second one follows at once. */
      function gapsOf(one: Fixture): number[] {
        const at = one.calls(operation).map((call) => call.at.getTime());
        const gapsMs = at.slice(1).map((ms, index) => ms - (at[index] ?? 0));
        return (gapsMs[0] ?? 0) < (leastGapsMs[0] ?? 0) ? gapsMs.slice(1) : gapsMs;
      }
      await eventually(
        () => {
          for (const { one } of cases) expect(gapsOf(one).length).toBeGreaterThanOrEqual(leastGapsMs.length);
        },
        { timeoutMs: 90_000 },
      );
      for (const { one } of cases) {
        const gapsMs = gapsOf(one);
        for (const [index, leastMs] of leastGapsMs.entries()) expect(gapsMs[index]).toBeGreaterThanOrEqual(leastMs);
        // At most three writes for each call: the pending creation, the failure, the search.
        expect((await kubernetesWork(one)).statuses).toBeLessThanOrEqual(3 + 3 * one.calls(operation).length);
        // No redirect was followed with the token.
        expect(one.calls().filter(({ path }) => path.includes('redirected'))).toEqual([]);
      }
      for (const { fault } of cases) fault.remove();
      for (const { one } of cases) {
        await requestReconcile(environment(), one.name);
        await environment().waitForReady(one.name);
        expect(one.destinations()).toHaveLength(1);
        expect(one.portalWebhook()).toMatchObject({ enabled: true, target: { id: one.destinations()[0]?.id } });
      }
    },
  );

  test('about a creation that Konnect executed: the operator finds the destination and does not repeat the creation', async () => {
    const one = await fixture('created-wrong-types');
    one.fail({ kind: 'wrong-types', match: { operation: 'create-audit-log-destination' } });
    await one.apply();
    await environment().waitForReady(one.name);
    expect(one.calls('create-audit-log-destination')).toHaveLength(1);
    expect(one.destinations()).toHaveLength(1);
  });

  test('leave attached webhooks unchanged', async () => {
    const one = await readyFixture('standing-in-nonsense', undefined, { portals: 2 });
    const [before] = one.destinations();
    const writes = one.writes().length;
    for (const fault of answers) {
      const active = one.fail(fault);
      await annotateForReconcile(environment(), one.name);
      await expectProblem(environment(), one.name, {
        reason: 'UnexpectedAnswer',
        mark: 'Reconciling',
        ready: 'True',
        says: ["does not come from Konnect's API"],
      });
      active.remove();
      await requestReconcile(environment(), one.name);
      await environment().waitForReady(one.name);
    }
    expect(one.writes()).toHaveLength(writes);
    expect(one.destinations()).toEqual([before]);
  });

  test('and another forwarding is not affected', async () => {
    expect(isReady(await requestReconcile(environment(), neighbor.name))).toBe(true);
    expect(neighbor.writes()).toHaveLength(2);
    expect((await kubernetesWork(neighbor)).statuses).toBeLessThanOrEqual(4);
  });
});
