import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { cluster } from '../support/cluster.ts';
import { collectionOf, type Manifest } from '../support/kube-api.ts';

const { api, kubectl, createNamespace } = cluster();
let namespace: string;

beforeAll(async () => {
  namespace = await createNamespace('kube-api');
});

afterAll(async () => {
  await kubectl(['delete', 'namespace', namespace, '--wait=false']);
});

function settings(data: Readonly<Record<string, string>>, labels = {}): Manifest {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings', ...labels }, data };
}

const path = () => `${collectionOf(settings({}), namespace)}/settings`;
const applies: readonly [string, (manifest: Manifest) => Promise<unknown>][] = [
  ['the client', (manifest) => api.apply(namespace, manifest)],
  ['kubectl', (manifest) => kubectl(['apply', '-n', namespace, '-f', '-'], { input: JSON.stringify(manifest) })],
];

describe.each(applies)('what %s applied', (_by, applyFirst) => {
  test.each(applies)('loses what is no longer in the manifest that %s applies', async (_then, applySecond) => {
    await applyFirst(settings({ a: '1', b: '2' }, { labels: { team: 'blue' } }));
    await api.send('PATCH', path(), { data: { other: 'client' } });
    await applySecond(settings({ a: '3' }));
    const live = await api.send<{ data: object; metadata: { labels?: object } }>('GET', path());
    expect(live?.data).toEqual({ a: '3', other: 'client' });
    expect(live?.metadata.labels).toBeUndefined();
    await api.send('DELETE', path());
  });
});

test('rejects with the message of the API server, and an unknown field', async () => {
  const unknown = { ...settings({}), unknown: 1 };
  await expect(api.apply(namespace, unknown)).rejects.toThrow('unknown field \\"unknown\\"');
  await expect(api.send('POST', collectionOf(settings({}), namespace), { data: 1 })).rejects.toThrow('400');
});

test('resolves with undefined for an object that does not exist', async () => {
  await expect(api.send('GET', `${collectionOf(settings({}), namespace)}/absent`)).resolves.toBeUndefined();
});
