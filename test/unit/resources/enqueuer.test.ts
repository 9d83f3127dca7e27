import { describe, expect, test } from '@jest/globals';
import { apiVersion, finalizer, kind, pendingCondition, reconcileAnnotation } from '../../../src/api/v1alpha1.ts';
import type { AddOptions } from '../../../src/controller/work-queue.ts';
import { type KubeObject, keyOf } from '../../../src/kube/objects.ts';
import type { Change } from '../../../src/kube/store.ts';
import type { KeptAuthConfiguration } from '../../../src/resources/auth-configuration-resource.ts';
import { Enqueuer } from '../../../src/resources/enqueuer.ts';
import { type SpecChoice, specOf, usual } from '../../support/forwarding-spec.ts';
import { blue, shop } from '../../support/konnect-fixtures.ts';

const ready = [
  { type: 'Ready', status: 'True', reason: 'InSync', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' },
];

interface Choice extends SpecChoice {
  readonly namespace?: string;
  readonly generation?: number;
  readonly status?: object;
  readonly metadata?: Partial<KubeObject['metadata']>;
}

function forwarding(
  name: string,
  { namespace = 'platform', generation = 1, status, metadata, ...choice }: Choice = {},
) {
  const spec = specOf({ ...usual, ...choice });
  const meta = { namespace, name, uid: `uid-${name}`, resourceVersion: '1', generation, ...metadata };
  return { apiVersion, kind, metadata: meta, spec, ...(status === undefined ? {} : { status }) };
}

const inSync = {
  konnect: { organizationID: blue, region: 'us' },
  observedGeneration: 1,
  conditions: ready,
  delivery: [{ key: 'organization', state: 'Delivered' }],
};

function setUp() {
  const enqueued: string[] = [];
  const shown: string[] = [];
  const gone: string[] = [];
  const changed: string[] = [];
  const verified: string[] = [];
  const enqueuer = new Enqueuer({
    enqueue: (key, { priority = 'new' }: AddOptions) => enqueued.push(`${key} ${priority}`),
    destinationName: () => undefined,
    verify: (key) => verified.push(key),
    shown: {
      show: ({ namespace, name }, samples) =>
        shown.push(`${namespace}/${name} ${samples.flatMap(({ labels }) => labels['status'] ?? []).join()}`),
      forget: ({ namespace, name }) => shown.push(`${namespace}/${name} none`),
    },
    onChanged: (key, cause) => changed.push(`${key} ${cause}`),
    onDeleted: ({ metadata: { name } }, isSeen) => gone.push(`${name} ${isSeen ? 'seen' : 'missing'}`),
  });
  const change = (to: Change<KubeObject>) => {
    enqueued.length = 0;
    enqueuer.onForwarding(to);
    return enqueued;
  };
  return {
    enqueuer,
    enqueued,
    shown,
    gone,
    changed,
    verified,
    added: (object: KubeObject, source: Change<KubeObject>['source'] = 'watch') =>
      change({ kind: 'added', key: keyOf(object), object, source }),
    updated: (previous: KubeObject, object: KubeObject) =>
      change({ kind: 'updated', key: keyOf(object), object, previous, source: 'watch' }),
    deleted: (object: KubeObject, source: Change<KubeObject>['source'] = 'watch') =>
      change({ kind: 'deleted', key: keyOf(object), object, source }),
    secret: (key: string, how: { kind: 'added' | 'updated'; source: Change<KubeObject>['source'] }) => {
      enqueued.length = 0;
      const object = { metadata: { name: key, uid: 'u', resourceVersion: '1' } };
      enqueuer.onSecret({ ...how, key, object, previous: object });
      return enqueued;
    },
  };
}

test('nothing is enqueued before the start, and then every forwarding, new ones as new', () => {
  const { enqueuer, enqueued, added } = setUp();
  const [fresh, done] = [forwarding('fresh'), forwarding('done', { status: inSync })];
  expect(added(fresh)).toEqual([]);
  expect(added(done)).toEqual([]);
  enqueuer.start([fresh, done]);
  expect(enqueued).toEqual(['platform/fresh new', 'platform/done resync']);
});

describe('after the start', () => {
  function started() {
    const all = setUp();
    all.enqueuer.start([]);
    return all;
  }

  test('an update is enqueued only if it needs a reconciliation', () => {
    const { updated } = started();
    const before = forwarding('a', { status: inSync });
    const written = forwarding('a', { status: { ...inSync, observedGeneration: 1 }, metadata: { finalizers: ['x'] } });
    expect(updated(before, written)).toEqual([]);
    expect(updated(before, forwarding('a', { generation: 2, status: inSync }))).toEqual(['platform/a new']);
    const requested = { annotations: { [reconcileAnnotation]: 'now' } };
    expect(updated(before, forwarding('a', { status: inSync, metadata: requested }))).toEqual(['platform/a resync']);
    const ending = { deletionTimestamp: '2026-01-01T00:00:00Z' };
    expect(updated(before, forwarding('a', { status: inSync, metadata: ending }))).toEqual(['platform/a new']);
    const empty = { observedGeneration: -1, conditions: [pendingCondition] };
    for (const status of [{}, empty]) {
      const emptied = forwarding('a', { status });
      expect(updated(before, emptied)).toEqual(['platform/a new']);
      expect(updated(emptied, emptied)).toEqual([]);
    }
  });

  test('a removed finalizer is enqueued, as new while something stands in Konnect', () => {
    const { updated } = started();
    const held = { finalizers: ['example.com/other', finalizer] };
    const free = { finalizers: ['example.com/other'] };
    const owning = { ...inSync, portals: [{ id: shop, destinationID: blue, enabled: true, state: 'on' }] };
    const of = (metadata: object, status: object) => forwarding('a', { status, metadata });
    expect(updated(of(held, owning), of(free, owning))).toEqual(['platform/a new']);
    expect(updated(of(held, inSync), of(free, inSync))).toEqual(['platform/a resync']);
    expect(updated(of(free, owning), of(held, owning))).toEqual([]);
    expect(updated(of(free, owning), of(free, owning))).toEqual([]);
  });

  test('a forwarding that shares a claim is enqueued, except by the first list', () => {
    const { added, updated, deleted } = started();
    const first = forwarding('first', { status: inSync });
    const second = forwarding('second', { status: inSync });
    const other = forwarding('other', { organization: { enabled: true }, portals: [], status: inSync, region: 'eu' });
    expect(added(other, 'list')).toEqual(['platform/other resync']);
    expect(added(first, 'list')).toEqual(['platform/first resync']);
    expect(added(second, 'list')).toEqual(['platform/second resync']);
    const changed = forwarding('second', { generation: 2, portals: [], status: inSync });
    expect(updated(second, changed)).toEqual(['platform/first new', 'platform/second new']);
    expect(deleted(changed)).toEqual(['platform/first new', 'platform/second new']);
  });

  test('a changed Secret enqueues the forwardings that name it, and the first list only as a resync', () => {
    const { added, deleted, secret } = started();
    const one = forwarding('one', { siem: 'shared', status: inSync });
    added(one);
    added(forwarding('two', { siem: 'shared', namespace: 'elsewhere', status: inSync }));
    expect(secret('platform/shared', { kind: 'added', source: 'list' })).toEqual(['platform/one resync']);
    expect(secret('platform/shared', { kind: 'added', source: 'watch' })).toEqual(['platform/one new']);
    expect(secret('platform/konnect', { kind: 'updated', source: 'list' })).toEqual(['platform/one new']);
    expect(secret('platform/siem', { kind: 'updated', source: 'watch' })).toEqual([]);
    deleted(one);
    expect(secret('platform/shared', { kind: 'updated', source: 'watch' })).toEqual([]);
  });

  test('an object that cannot be parsed is enqueued, and keeps its indexes', () => {
    const { added, updated, enqueuer } = started();
    const good = forwarding('a', { status: inSync });
    added(good);
    const bad = { ...good, metadata: { ...good.metadata, generation: 2 }, spec: 'nonsense' };
    expect(updated(good, bad)).toEqual(['platform/a new']);
    expect(enqueuer.groupOf('platform/a')).toBe(`${blue} us`);
  });
});

test('changes of spec and of Secrets are reported after the start, since they have to be applied', () => {
  const { enqueuer, changed, added, updated, secret } = setUp();
  const before = forwarding('a', { siem: 'shared', status: inSync });
  added(before, 'list');
  secret('platform/shared', { kind: 'added', source: 'list' });
  enqueuer.start([before]);
  updated(before, forwarding('a', { siem: 'shared', status: { ...inSync, portalsReady: '1/1' } }));
  secret('platform/shared', { kind: 'added', source: 'list' });
  expect(changed).toEqual([]);
  updated(before, forwarding('a', { siem: 'shared', generation: 2, status: inSync }));
  secret('platform/shared', { kind: 'updated', source: 'watch' });
  added(forwarding('b'));
  expect(changed).toEqual(['platform/a spec', 'platform/a secret', 'platform/b spec']);
});

describe('a KonnectAPIAuthConfiguration', () => {
  const { konnect, ...rest } = specOf(usual);
  const spec = { ...rest, konnect: { region: konnect.region, authRef: { name: 'kong' } } };
  const byKong = { ...forwarding('one', { status: inSync }), spec };
  const kong = (generation: number, name = 'platform/kong-token'): KeptAuthConfiguration => ({
    metadata: { namespace: 'platform', name: 'kong', uid: 'u', resourceVersion: '1', generation },
    secret: name,
  });

  function started() {
    const all = setUp();
    all.enqueuer.start([]);
    all.added(byKong);
    all.added(forwarding('other', { status: inSync }));
    const change = (to: Change<KeptAuthConfiguration>) => {
      all.enqueued.length = 0;
      all.enqueuer.onAuthConfiguration(to);
      return [...all.enqueued];
    };
    const key = 'platform/kong';
    return {
      ...all,
      appears: (object: KeptAuthConfiguration, source: 'list' | 'watch') =>
        change({ kind: 'added', key, source, object }),
      changes: (previous: KeptAuthConfiguration, object: KeptAuthConfiguration) =>
        change({ kind: 'updated', key, source: 'watch', object, previous }),
      disappears: (object: KeptAuthConfiguration) => change({ kind: 'deleted', key, source: 'watch', object }),
    };
  }

  test('enqueues the forwardings that name it, unless only its status or a finalizer has changed', () => {
    const { appears, changes, disappears, updated } = started();
    expect(appears(kong(1), 'list')).toEqual(['platform/one resync']);
    expect(changes(kong(1), kong(1))).toEqual([]);
    expect(changes(kong(1), kong(2))).toEqual(['platform/one new']);
    expect(disappears(kong(2))).toEqual(['platform/one new']);
    updated(byKong, forwarding('one', { status: inSync, generation: 2 }));
    expect(appears(kong(1), 'watch')).toEqual([]);
  });

  test('makes its Secret enqueue these forwardings too, as long as it names it', () => {
    const { appears, changes, secret } = started();
    const rotated = () => [...secret('platform/kong-token', { kind: 'updated', source: 'watch' })];
    expect(rotated()).toEqual([]);
    appears(kong(1), 'list');
    expect(rotated()).toEqual(['platform/one new']);
    changes(kong(1), kong(2, 'platform/else'));
    expect(rotated()).toEqual([]);
  });
});

test('a forwarding that wants a verification gets one when it is new, also before the start, when its spec has changed, and on request', () => {
  const { added, updated, verified, deleted } = setUp();
  const { spec } = forwarding('a');
  const secretRef = { name: 'access', accessIDKey: 'accessId', accessKeyKey: 'accessKey' };
  const sumoLogic = { secretRef, deployment: 'us1', query: 'x' };
  const wanting = { ...forwarding('a'), spec: { ...spec, verification: { sumoLogic, interval: '15m', window: '1h' } } };
  added(wanting, 'list');
  const reconciled: object = { ...wanting, status: inSync };
  updated(wanting, { ...wanting, ...reconciled });
  expect(verified).toEqual(['platform/a']);
  updated(wanting, { ...wanting, metadata: { ...wanting.metadata, generation: 2 } });
  added(forwarding('b'));
  deleted(wanting);
  expect(verified).toEqual(['platform/a', 'platform/a']);
  const annotations = { [reconcileAnnotation]: 'now' };
  updated(wanting, { ...wanting, metadata: { ...wanting.metadata, annotations } });
  expect(verified).toEqual(['platform/a', 'platform/a', 'platform/a']);
});

test('a deleted forwarding has no group, no claims and no conditions', () => {
  const { enqueuer, shown, added, deleted } = setUp();
  const object = forwarding('a', { status: inSync });
  added(object);
  expect(enqueuer.groupOf('platform/a')).toBe(`${blue} us`);
  expect(enqueuer.sharing('platform/b', [`${blue}/us/organization`])).toEqual(['platform/a']);
  deleted(object);
  expect(enqueuer.groupOf('platform/a')).toBe('');
  expect(enqueuer.sharing('platform/b', [`${blue}/us/organization`])).toEqual([]);
  expect(shown).toEqual(['platform/a True', 'platform/a none']);
});

test('deletions are reported after the start, and whether only a list lacks the forwarding', () => {
  const { enqueuer, gone, deleted } = setUp();
  deleted(forwarding('of another leader'));
  enqueuer.start([]);
  deleted(forwarding('a'));
  deleted(forwarding('b'), 'list');
  deleted({ ...forwarding('c'), spec: 'nonsense' } as KubeObject);
  expect(gone).toEqual(['a seen', 'b missing']);
});
