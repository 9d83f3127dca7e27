/** Limits of what the process keeps in memory, whatever the size and number of the objects that other clients create. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { reconcileAnnotation } from '../../src/api/v1alpha1.ts';
import type { EventFacts } from '../../src/kube/event-body.ts';
import { EventRecorder } from '../../src/kube/events.ts';
import { listAll } from '../../src/kube/list-all.ts';
import type { KubeObject } from '../../src/kube/objects.ts';
import { ObjectStore } from '../../src/kube/store.ts';
import { forwardingToKeep } from '../../src/resources/forwarding-resource.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { ApiServer, WIDGETS, type Widget } from '../unit/kube/api-server.ts';

describe('a cached forwarding', () => {
  const metadata = {
    namespace: 'tenant',
    name: 'own',
    uid: 'u',
    resourceVersion: '7',
    generation: 3,
    creationTimestamp: '2026-01-01T00:00:00Z',
    deletionTimestamp: '2026-01-02T00:00:00Z',
    finalizers: ['konnect-audit-log.io/cleanup'],
  };

  test('has only spec, status and the metadata that the operator reads', () => {
    const big = 'x'.repeat(100_000);
    const more = { managedFields: [{ manager: big }], ownerReferences: [{ name: big }], selfLink: big };
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': big, [reconcileAnnotation]: big };
    const object: KubeObject & { spec: object; status: object } = {
      metadata: { ...metadata, ...more, labels: { big }, annotations },
      spec: { region: 'us' },
      status: {},
    };
    expect(forwardingToKeep(object)).toEqual({
      metadata: { ...metadata, annotations: { [reconcileAnnotation]: 'x'.repeat(64) } },
      spec: { region: 'us' },
      status: {},
    });
  });

  test('has no field that the object does not have', () => {
    const bare = { metadata: { name: 'own', uid: 'u', resourceVersion: '7' } };
    expect(forwardingToKeep(bare)).toEqual(bare);
  });
});

test('the store does not keep the names of deleted objects, although the operator wrote to them', () => {
  const store = new ObjectStore<KubeObject>();
  store.beginList();
  store.replace([], '1');
  const comeAndGo = (from: number, to: number) => {
    for (let index = from; index < to; index += 1) {
      const metadata = { ...metadataOf(index), resourceVersion: String(3 * index + 2) };
      store.put({ metadata });
      store.upsert({ metadata: { ...metadata, resourceVersion: String(3 * index + 3) } });
      store.drop({ metadata: { ...metadata, resourceVersion: String(3 * index + 4) } });
    }
  };
  comeAndGo(0, 2_000);
  const before = heapBytes();
  comeAndGo(2_000, 60_000);
  expect(store.size).toBe(0);
  expect(heapBytes() - before).toBeLessThan(4 * 2 ** 20);
});

function metadataOf(index: number) {
  return { namespace: 'previews', name: `preview-${String(index)}-forwarding`, uid: `uid-${String(index)}` };
}

/** Returns the size of the heap after a garbage collection. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
}

describe('a list', () => {
  let server: ApiServer;

  beforeEach(async () => {
    server = new ApiServer();
    await server.start();
  });

  afterEach(() => server.stop());

  test('with huge objects of one namespace completes in smaller pages', async () => {
    for (let index = 0; index < 40; index += 1) {
      const labels = index % 4 === 0 ? { huge: 'x'.repeat(30_000) } : {};
      server.put(`widget-${String(index).padStart(2, '0')}`, index, { labels });
    }
    const client = server.client({ maxAnswerBytes: 70_000 });
    const { items } = await listAll<Widget>(client, WIDGETS, { limit: 32 });
    expect(items.map(({ spec }) => spec?.size)).toEqual(Array.from({ length: 40 }, (_, index) => index));
    const limits = server.lists().map(({ query }) => Number(query.get('limit')));
    expect(limits.slice(0, 3)).toEqual([32, 8, 8]);
    expect(limits).toHaveLength(1 + 40 / 8);
  });

  test('with one object that is too big rejects with the reason', async () => {
    server.put('huge', 1, { labels: { huge: 'x'.repeat(30_000) } });
    const client = server.client({ maxAnswerBytes: 20_000 });
    await expect(listAll<Widget>(client, WIDGETS, { limit: 500 })).rejects.toMatchObject({ reason: 'AnswerTooLong' });
  });
});

test('the recorder remembers a limited number of events that do not repeat', async () => {
  let names = 0;
  const recorder = new EventRecorder({
    client: { create: async () => JSON.parse('{}'), patch: async () => JSON.parse('{}') },
    log: { debug() {}, info() {}, warn() {}, error() {} },
    reportingInstance: 'pod',
    randomId: () => {
      names += 1;
      return String(names);
    },
  });
  const about = (index: number): EventFacts => ({
    regarding: { apiVersion: 'v1', kind: 'Widget', namespace: 'a', name: 'x', uid: `u${String(index)}` },
    type: 'Warning',
    reason: 'SecretNotFound',
    action: 'Reconcile',
    note: 'x'.repeat(1_000),
  });
  const count = 2_500;
  for (let index = 0; index < count; index += 1) {
    recorder.record(about(index));
    await recorder.flush(new AbortController().signal);
  }
  // A remembered event becomes part of a series, without a new name.
  recorder.record(about(count - 1));
  expect(names).toBe(count);
  recorder.record(about(0));
  expect(names).toBe(count + 1);
});

test('a metric’s label stays inside its line, whatever a status contains', async () => {
  const metrics = createMetrics({ version: '1', nodeVersion: 'v24', hasProcessMetrics: false });
  const type = 'Ready"} 1\nkonnect_audit_log_condition{namespace="other\\';
  const labels = { type, status: 'True', reason: 'InSync' };
  metrics.show({ namespace: 'tenant', name: 'own' }, [{ metric: 'condition', labels, value: 1 }]);
  const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith('konnect_audit_log_condition{'));
  expect(lines).toEqual([
    'konnect_audit_log_condition{namespace="tenant",name="own",type="Ready\\"} 1\\nkonnect_audit_log_condition{namespace=\\"other\\\\",status="True",reason="InSync"} 1',
  ]);
});
