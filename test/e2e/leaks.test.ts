import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { cluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { createEnvironment, type Environment } from './support/environment.ts';
import { conditionOf, isReady, isUnreadyFor } from './support/forwarding-object.ts';
import { findLeaks } from './support/leaks.ts';
import { forwarding, secret } from './support/manifests.ts';
import { randomText } from './support/organizations.ts';
import { checkRun } from './support/run-leaks.ts';

describe('a secret is found', () => {
  const value = `${randomText()}+/==`;
  const canaries = [{ name: 'the token', value }];
  const middle = Math.floor(value.length / 2);
  const base64 = (text: string) => Buffer.from(text).toString('base64');

  test.each([
    ['as it is', `Bearer ${value}`],
    ['cut short at its end', `"${value.slice(0, middle)}…"`],
    ['cut short at its beginning', `…${value.slice(middle)}`],
    ['in a URL', `https://127.0.0.1/${encodeURIComponent(value)}?x`],
    ['in a URL, in lower case', encodeURIComponent(value).replaceAll(/%../g, (code) => code.toLowerCase())],
    ['in base64', base64(value)],
    ['in base64, after one character', base64(`a${value}b`)],
    ['in base64, after two characters', base64(`ab${value}c`)],
    ['in base64, after three characters', base64(`abc${value}`)],
    ['in base64url', Buffer.from(`x${value}`).toString('base64url')],
    ['in hex', Buffer.from(value).toString('hex')],
    ['in JSON', JSON.stringify({ token: value })],
  ])('%s', (_how, text) => {
    const leaks = findLeaks([{ source: 'the log', text: `one line\n${text}\n` }], canaries);
    expect(leaks).toContainEqual(expect.stringMatching(/^the token \(.+\) in the log, line 2$/));
    expect(leaks.join('\n')).not.toContain(value.slice(0, middle));
  });

  test('other text is not reported', () => {
    const text = `${randomText()} ${base64(randomText())} ${value.slice(0, middle - 1)}`;
    expect(findLeaks([{ source: 'the log', text }], canaries)).toEqual([]);
  });

  test('a secret that is too short is rejected', () => {
    expect(() => findLeaks([], [{ name: 'the token', value: 'short' }])).toThrow('too short');
  });
});

test.each([
  ['authorization', 'plain', (text: string) => text],
  ['endpoint', 'base64', (text: string) => Buffer.from(text).toString('base64')],
] as const)(
  'an environment whose output contains the %s (%s) fails, and the error does not contain it',
  async (which, form, encode) => {
    const environment = await createEnvironment({ prefix: 'canary-planted' });
    const planted = forwarding('planted', { organization: {} });
    const said = encode(environment.credentials[which]);
    await environment.apply({ ...planted, metadata: { ...planted.metadata, annotations: { note: said } } });

    const failure = await environment.stop().catch(String);
    expect(failure).toMatch(which === 'endpoint' ? 'the code of an endpoint' : 'an authorization');
    expect(failure).toContain(`(${form}) in the forwardings and events`);
    expect(failure).not.toContain(said);
  },
);

describe('no output contains a secret', () => {
  test.each(['json', 'text'] as const)('whatever Konnect answers, with logs as %s', async (logFormat) => {
    await using environment = await createEnvironment({
      prefix: `canary-${logFormat}`,
      logFormat,
      flags: ['--konnect-timeout=2s'],
    });
    const { control } = environment.services.konnect;
    const [portal] = environment.blue.portals.us;
    const inline = { method: 'PATCH', path: '/v2/audit-log-webhook' };
    // The error body contains the request, as with real servers.
    for (const status of [400, 403]) {
      control.fail({ kind: 'status', status, body: 'problem', times: 1, match: { method: 'POST' } });
    }
    control.fail({ kind: 'drop-after', times: 1, match: { method: 'POST' } });
    for (const status of [400, 401, 403, 404, 409, 422, 429, 500]) {
      control.fail({ kind: 'status', status, body: 'problem', retryAfter: 1, times: 1, match: inline });
    }
    for (const body of ['html', 'truncated', 'huge', 'json'] as const) {
      control.fail({ kind: 'status', status: 500, body, times: 1, match: { method: 'GET', path: inline.path } });
    }
    for (const kind of ['wrong-types', 'redirect', 'drop-before'] as const) {
      control.fail({ kind, times: 1, match: inline });
      control.fail({ kind, times: 1, match: { method: 'GET', path: '*/audit-log-webhook' } });
    }
    await environment.applySecrets();
    const konnect = { region: 'us', tokenSecretRef: { name: 'konnect' }, auditLogsAPI: 'v2' };
    await environment.apply(forwarding('sumologic', { konnect, portals: [{ id: portal }], organization: {} }));
    // A change of spec is reconciled at once, without back-off.
    let minutes = 10;
    await eventually(
      async () => {
        minutes += 1;
        await environment.patch('sumologic', { spec: { interval: `${String(minutes)}m` } });
        await environment.waitFor(
          'sumologic',
          ({ status, metadata }) => status.observedGeneration === metadata.generation,
        );
        expect(control.faults().map(({ rule }) => rule)).toEqual([]);
      },
      { timeoutMs: 120_000, everyMs: 300 },
    );
  });

  describe('of a refused value:', () => {
    const http = (text: string) => text.replace('https:', 'http:');
    const twice = (text: string) => `${text}\n${text}`;
    let environment: Environment;
    let count = 0;

    beforeAll(async () => {
      environment = await createEnvironment({ prefix: 'canary-refused' });
    });

    afterAll(() => environment.stop());

    test.each([
      ['an endpoint without TLS', 'endpoint', http],
      ['an endpoint that is no URL', 'endpoint', (text: string) => `//${text}`],
      ['an endpoint with a password', 'endpoint', (text: string) => text.replace('https://', 'https://user:pass@')],
      ['an endpoint with a control character', 'endpoint', (text: string) => `${text}\u0007x`],
      ['an authorization in two lines', 'authorization', twice],
      ['a token in two lines', 'token', twice],
      ['a token that Konnect does not know', 'token', (text: string) => text.toUpperCase()],
    ] as const)('%s', async (_what, key, spoil) => {
      count += 1;
      const name = `refused-${String(count)}`;
      const good = { ...environment.newCredentials(), token: environment.blue.token };
      const bad = { ...good, [key]: spoil(good[key]) };
      if (key === 'token') environment.addCanary({ name: `the token of ${name}`, value: bad.token.slice(5, 45) });
      await environment.apply(
        secret(name, bad),
        forwarding(name, {
          konnect: { region: 'us', tokenSecretRef: { name } },
          destination: { secretRef: { name } },
          portals: [{ id: environment.blue.portals.us[0] }],
        }),
      );
      const refused = await environment.waitFor(name, (one) => conditionOf(one, 'Stalled') !== undefined);
      expect(conditionOf(refused, 'Ready')).toMatchObject({ status: 'False' });

      await environment.apply(secret(name, good));
      await environment.waitForReady(name);
      await environment.remove(name);
    });
  });

  test('of Secrets with their values in an annotation of kubectl, with inline webhooks, rotation and deletion', async () => {
    await using environment = await createEnvironment({ prefix: 'canary-inline' });
    const konnect = { region: 'us', tokenSecretRef: { name: 'konnect' }, auditLogsAPI: 'v2' };
    await environment.applySecrets();
    await environment.apply(forwarding('sumologic', { konnect, organization: {} }));
    await environment.waitForReady('sumologic');
    const before = environment.calls().length;
    await environment.applySecrets(environment.newCredentials());
    await environment.waitFor('sumologic', () =>
      environment
        .calls()
        .slice(before)
        .some(({ method }) => method === 'PATCH'),
    );
    await environment.kubectl(['delete', 'secret', 'konnect', 'sumologic']);
    await environment.waitFor('sumologic', isUnreadyFor('SecretNotFound'));
    for (const { id, token } of [environment.green, environment.blue]) {
      await environment.applySecrets({ token });
      await environment.waitFor('sumologic', (one) => isReady(one) && one.status.konnect?.organizationID === id);
    }
    await environment.remove('sumologic');
    for (const { otherClientToken: token } of [environment.green, environment.blue]) {
      await expect(environment.asOtherClient('GET', '/us/v2/audit-log-webhook', { token })).resolves.toMatchObject({
        body: { enabled: false },
      });
    }
  });
});

test('no environment of the run has printed a secret of another one', async () => {
  const { environments, leaks } = await checkRun(cluster().folder);
  expect(leaks).toEqual([]);
  expect(environments).toBeGreaterThan(0);
});
