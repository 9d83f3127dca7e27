import { describe, expect, test } from '@jest/globals';
import {
  type AuditLogForwarding,
  apiVersion,
  kind,
  AuditLogForwarding as Schema,
} from '../../../../src/api/v1alpha1.ts';
import { resolveCredentials } from '../../../../src/forwarding/desired/credentials.ts';
import { resolveToken } from '../../../../src/forwarding/desired/token.ts';
import type { Cluster, Secret } from '../../../../src/forwarding/ports.ts';
import { own, specOf } from '../../../support/forwarding-spec.ts';
import { shop } from '../../../support/konnect-fixtures.ts';
import { FakeCluster } from '../support/fake-cluster.ts';

const signal = new AbortController().signal;
const endpoint = 'https://siem.example.com/receiver/v1/http/CANARY==';
const authorization = 'Bearer CANARY';
const token = 'kpat_CANARY';

function forwarding(change: (spec: AuditLogForwarding['spec']) => AuditLogForwarding['spec'] = (spec) => spec) {
  const metadata = { namespace: 'platform', name: 'sumologic', uid: 'u', resourceVersion: '1' };
  return Schema.parse({ apiVersion, kind, metadata, spec: change(specOf({ portals: [{ id: shop, enabled: true }] })) });
}

function clusterWith(values: Readonly<Record<string, string | Buffer>> | undefined): FakeCluster {
  const cluster = new FakeCluster();
  if (values !== undefined) for (const name of ['siem', 'konnect']) cluster.putSecret(name, values);
  return cluster;
}

const bytes = (...codes: number[]) => Buffer.from([...Buffer.from('CANARY'), ...codes, ...Buffer.from('CANARY')]);
const mebibyte = Buffer.alloc(1024 * 1024, 'CANARY');

type Bad = readonly [what: string, value: string | Buffer, words: string];

const badAnywhere: readonly Bad[] = [
  ['nothing', '', 'is empty'],
  ['blanks', ' \t ', 'is empty'],
  ['line breaks alone', '\r\n\r\n', 'is empty'],
  ['a line break inside', 'CANARY\nCANARY', 'line break'],
  ['a blank before', ' CANARY', 'begins or ends with a blank'],
  ['a blank after', 'CANARY ', 'begins or ends with a blank'],
  ['a blank before the last line break', 'CANARY \n', 'begins or ends with a blank'],
  ['a NUL', bytes(0), 'control'],
  ['a tab', 'CANARY\tCANARY', 'control'],
  ['bytes that are no text', bytes(0xff, 0xfe), 'is not UTF-8 text'],
  ['letters beyond ASCII', 'CANARYé', 'non-ASCII'],
  ['a byte order mark', '\uFEFFCANARY', 'byte order mark'],
  ['a mebibyte', mebibyte, 'is longer than'],
];

const badEndpoints: readonly Bad[] = [
  ...badAnywhere.map(([what, value, words]): Bad => {
    const other = words === 'line break' || words === 'control' || words === 'non-ASCII';
    return [what, value, other ? 'a URL cannot have' : words];
  }),
  ['http', 'http://CANARY.example.com/', 'is not an https URL'],
  ['another scheme', 'ftp://CANARY.example.com/', 'is not an https URL'],
  ['a user name', 'https://CANARY@example.com/', 'user name or a password'],
  ['a user name and a password', 'https://u:CANARY@example.com/', 'user name or a password'],
  ['a password alone', 'https://:CANARY@example.com/', 'user name or a password'],
  ['no URL', 'CANARY', 'is not a URL'],
  ['a host alone', 'CANARY.example.com/path', 'is not a URL'],
  ['a scheme alone', 'https://', 'is not a URL'],
  ['a blank inside', 'https://CANARY.example.com/a b', 'a URL cannot have'],
  ['a long one', `https://CANARY.example.com/${'x'.repeat(2_048)}`, 'is longer than'],
];

async function messageOf(resolving: Promise<{ kind: string; problem?: { reason: string; message: string } }>) {
  const resolved = await resolving;
  expect(resolved.kind).toBe('problem');
  const { reason = '', message = '' } = resolved.problem ?? {};
  expect(message).not.toContain('CANARY');
  expect(message).not.toMatch(/[^\x20-\x7e]/);
  return { reason, message };
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('an invalid value is refused with a message that names Secret, key and way out, but not the value', () => {
  test.each(badEndpoints)('as endpoint: %s', async (_what, value, words) => {
    const cluster = clusterWith({ endpoint: value, authorization });
    const { reason, message } = await messageOf(resolveCredentials(forwarding(), cluster, signal));
    expect(reason).toBe('SecretInvalid');
    expect(message).toContain('Secret siem, key endpoint');
    expect(message).toContain(words);
    expect(message).toContain('put a valid value there');
  });

  test.each(badAnywhere)('as authorization: %s', async (_what, value, words) => {
    const cluster = clusterWith({ endpoint, authorization: value });
    const { reason, message } = await messageOf(resolveCredentials(forwarding(), cluster, signal));
    expect(reason).toBe('SecretInvalid');
    expect(message).toContain('Secret siem, key authorization');
    expect(message).toContain(words);
  });

  test.each([...badAnywhere, ['a blank inside', 'kpat_ CANARY', 'blank'] as const])(
    'as token: %s',
    async (_what, value, words) => {
      const { reason, message } = await messageOf(resolveToken(forwarding(), clusterWith({ token: value }), signal));
      expect(reason).toBe('SecretInvalid');
      expect(message).toContain('Secret konnect, key token');
      expect(message).toContain(words);
    },
  );
});

describe('a missing value', () => {
  test('a Secret', async () => {
    const credentials = await messageOf(resolveCredentials(forwarding(), clusterWith(undefined), signal));
    expect(credentials.reason).toBe('SecretNotFound');
    expect(credentials.message).toMatch(
      /^Secret siem, named by spec\.destination\.secretRef, does not exist.*create it/,
    );
    const missing = await messageOf(resolveToken(forwarding(), clusterWith(undefined), signal));
    expect(missing.message).toMatch(
      /^Secret konnect, named by spec\.konnect\.tokenSecretRef, does not exist.*create it/,
    );
  });

  test.each([
    ['endpoint', { authorization }],
    ['authorization', { endpoint }],
  ] as const)('the key %s', async (missing, values) => {
    const { reason, message } = await messageOf(resolveCredentials(forwarding(), clusterWith({ ...values }), signal));
    expect(reason).toBe('SecretKeyNotFound');
    const [present] = Object.keys(values);
    expect(message).toContain(
      `Secret siem, named by spec.destination.secretRef, has no key ${missing} (it has ${String(present)}): add this key`,
    );
  });

  test.each([
    [0, '(it has no keys)'],
    [2, '(it has key00, key01)'],
    [10, 'key08, key09)'],
    [12, 'key08, key09 and 2 more)'],
  ])('the message lists the keys that exist: of %i', async (count, says) => {
    const keys = Array.from({ length: count }, (_, index) => `key${String(index).padStart(2, '0')}`);
    const values = Object.fromEntries(keys.toReversed().map((one) => [one, 'CANARY']));
    const { message } = await messageOf(resolveToken(forwarding(), clusterWith(values), signal));
    expect(message).toContain(says);
  });

  test.each(['constructor', 'toString', '__proto__', 'hasOwnProperty'])(
    'a key that every object of JavaScript seems to have: %s',
    async (name) => {
      const tokenSecretRef = { name: 'konnect', key: name };
      const wanted = forwarding((spec) => ({ ...spec, konnect: { ...spec.konnect, tokenSecretRef } }));
      const { reason } = await messageOf(resolveToken(wanted, clusterWith({ token }), signal));
      expect(reason).toBe('SecretKeyNotFound');
    },
  );
});

test('a value of line breaks is checked quickly', async () => {
  const startedAt = performance.now();
  for (let count = 0; count < 50; count += 1) {
    const cluster = clusterWith({ endpoint, authorization: `${'\n'.repeat(8_190)}x` });
    const { reason } = await messageOf(resolveCredentials(forwarding(), cluster, signal));
    expect(reason).toBe('SecretInvalid');
  }
  // By a pattern that tries every line end as the first: six seconds.
  expect(performance.now() - startedAt).toBeLessThan(3_000);
});

describe('a valid value', () => {
  test.each(['', '\n', '\r\n', '\r', '\n\n'])('is used without the line breaks %j at its end', async (end) => {
    const cluster = clusterWith({
      endpoint: `${endpoint}${end}`,
      authorization: `${authorization}${end}`,
      token: `${token}${end}`,
    });
    expect(await resolveToken(forwarding(), cluster, signal)).toEqual({ kind: 'resolved', value: token });
    expect(await resolveCredentials(forwarding(), cluster, signal)).toMatchObject({
      value: { endpoint, authorization },
    });
  });

  test('comes from the keys that spec names', async () => {
    const secretRef = { name: 'siem', endpointKey: 'url', authorizationKey: 'auth.txt' };
    const wanted = forwarding((spec) => ({ ...spec, destination: { ...own(spec), secretRef } }));
    const cluster = clusterWith({ url: endpoint, 'auth.txt': authorization, endpoint: 'no', authorization: 'no' });
    expect(await resolveCredentials(wanted, cluster, signal)).toMatchObject({ value: { endpoint, authorization } });
  });

  test('endpoint, authorization and version come from one read, even if the Secret changes meanwhile', async () => {
    let reads = 0;
    const cluster: Pick<Cluster, 'readSecret'> = {
      readSecret: async () => {
        reads += 1;
        const encode = (text: string) => Buffer.from(`${text}${String(reads)}`).toString('base64');
        const data = { endpoint: encode(endpoint), authorization: encode(authorization) };
        return { uid: 'u', resourceVersion: String(reads), data };
      },
    };
    const recorder = Object.assign(new FakeCluster(), cluster);
    expect(await resolveCredentials(forwarding(), recorder, signal)).toEqual({
      kind: 'resolved',
      value: {
        endpoint: `${endpoint}1`,
        authorization: `${authorization}1`,
        secretVersion: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    });
    expect(reads).toBe(1);
  });

  describe('the version', () => {
    async function versionOf(secret: Partial<Secret>, change: (one: AuditLogForwarding) => void = () => undefined) {
      const values = { endpoint, authorization: 'CANARY', spare: 'CANARY' };
      const data = Object.fromEntries(Object.entries(values).map(([each, value]) => [each, base64(value)]));
      const cluster = Object.assign(new FakeCluster(), {
        readSecret: async () => ({ uid: 'u', resourceVersion: '1', data, ...secret }),
      });
      const one = forwarding();
      change(one);
      const found = await resolveCredentials(one, cluster, signal);
      if (found.kind !== 'resolved') throw new TypeError(found.problem.message);
      return found.value?.secretVersion;
    }

    test('stays if the Secret is written without a change of its content, or if another key has the same value', async () => {
      const first = await versionOf({});
      expect(await versionOf({ resourceVersion: '2' })).toBe(first);
      expect(await versionOf({}, ({ spec }) => void (own(spec).secretRef.authorizationKey = 'spare'))).toBe(first);
    });

    test('changes with the endpoint, the authorization, the scheme and the Secret', async () => {
      const data = { endpoint: base64(endpoint), authorization: base64('CANARY') };
      const versions = await Promise.all([
        versionOf({}),
        versionOf({ uid: 'v' }),
        versionOf({ data: { ...data, endpoint: base64(`${endpoint}x`) } }),
        versionOf({ data: { ...data, authorization: base64('CANARYx') } }),
        versionOf({}, ({ spec }) => void (own(spec).authorizationScheme = 'Splunk')),
      ]);
      expect(new Set(versions).size).toBe(5);
      expect(versions.join()).not.toContain('CANARY');
    });
  });
});
