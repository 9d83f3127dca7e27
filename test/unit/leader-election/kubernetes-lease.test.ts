import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { kubernetesLease } from '../../../src/leader-election/kubernetes-lease.ts';
import { ApiServer, json, refuse } from '../kube/api-server.ts';

const path = '/apis/coordination.k8s.io/v1/namespaces/a/leases';
const signal = new AbortController().signal;
const change = { holder: 'me', durationSeconds: 15, acquireTimeMs: 0, renewTimeMs: 1_500, transitions: 3 };
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

const lease = () => kubernetesLease(server.client(), { namespace: 'a', name: 'b' });
const answer = (body: object) => {
  server.otherwise = (_seen, response) => {
    json(response, 200, body);
    return true;
  };
};

test('a Lease is read, whatever it lacks', async () => {
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

test('a Lease that does not exist is undefined, and one that cannot be read is an error', async () => {
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

test('a Lease is created, and updated only in the version that was read', async () => {
  answer({ metadata, spec });
  const created = await lease().create(change, signal);
  await lease().update(created, change, signal);
  expect(server.seen.map((one) => [one.method, one.path, JSON.parse(one.body)])).toEqual([
    [
      'POST',
      path,
      { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'b', namespace: 'a' }, spec },
    ],
    ['PATCH', `${path}/b`, { metadata: { uid: 'uid', resourceVersion: '7' }, spec }],
  ]);
});
