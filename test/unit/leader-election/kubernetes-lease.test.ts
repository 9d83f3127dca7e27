import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { leaseIn } from '../../../src/leader-election/kubernetes-lease.ts';
import { ApiServer, json, refuse } from '../kube/api-server.ts';

const path = '/apis/coordination.k8s.io/v1/namespaces/a/leases';
const signal = new AbortController().signal;
const facts = { holder: 'me', durationSeconds: 15, acquireTimeMs: 0, renewTimeMs: 1_500, transitions: 3 };
const spec = {
  holderIdentity: 'me',
  leaseDurationSeconds: 15,
  acquireTime: '1970-01-01T00:00:00.000000Z',
  renewTime: '1970-01-01T00:00:01.500000Z',
  leaseTransitions: 3,
};
const metadata = { name: 'b', uid: 'uid', resourceVersion: '7' };
let server: ApiServer;

beforeEach(async () => {
  server = new ApiServer();
  await server.start();
});

afterEach(() => server.stop());

const lease = () => leaseIn(server.client(), { namespace: 'a', name: 'b' });
const answer = (body: object) => {
  server.otherwise = (_seen, response) => {
    json(response, 200, body);
    return true;
  };
};

test('a Lease is read as it stands, whatever it lacks', async () => {
  answer({ metadata, spec });
  const version = { uid: 'uid', resourceVersion: '7' };
  expect(await lease().get(signal)).toEqual({
    holder: 'me',
    durationSeconds: 15,
    acquireTime: '1970-01-01T00:00:00.000000Z',
    renewTime: '1970-01-01T00:00:01.500000Z',
    transitions: 3,
    version,
  });
  const bare = { holder: '', durationSeconds: 0, acquireTime: '', renewTime: '', transitions: 0, version };
  answer({ metadata });
  expect(await lease().get(signal)).toEqual(bare);
  answer({ metadata, spec: { holderIdentity: null } });
  expect(await lease().get(signal)).toEqual(bare);
});

test('a Lease that is not there is undefined, and one that cannot be read an error', async () => {
  server.otherwise = (_seen, response) => {
    refuse(response, 404, 'NotFound');
    return true;
  };
  expect(await lease().get(signal)).toBeUndefined();
  server.otherwise = (_seen, response) => {
    refuse(response, 403, 'Forbidden');
    return true;
  };
  await expect(lease().get(signal)).rejects.toMatchObject({ kind: 'Forbidden' });
});

test('it is made, and changed as it was read or not at all', async () => {
  answer({ metadata, spec });
  const made = await lease().create(facts, signal);
  await lease().update(made, facts, signal);
  expect(server.seen.map((one) => [one.method, one.path, JSON.parse(one.body)])).toEqual([
    [
      'POST',
      path,
      { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'b', namespace: 'a' }, spec },
    ],
    ['PATCH', `${path}/b`, { metadata: { uid: 'uid', resourceVersion: '7' }, spec }],
  ]);
});
