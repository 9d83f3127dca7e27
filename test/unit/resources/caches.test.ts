import { expect, test } from '@jest/globals';
import { KubeError } from '../../../src/kube/errors.ts';
import type { KubeClient } from '../../../src/kube/kube-client.ts';
import { forbiddenWatches, staleWatches } from '../../../src/kube/watch-staleness.ts';
import { createCaches } from '../../../src/resources/caches.ts';
import { eventually } from '../../support/eventually.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const ignored = { onForwarding() {}, onSecret() {}, onAuthConfiguration() {} };

/** A client for which the API server forbids the lists of some paths, and whose watches stay open without events. */
function clientThatMayNotRead(isForbidden: (path: string) => boolean): Pick<KubeClient, 'list' | 'watch'> {
  return {
    async list(path) {
      if (isForbidden(path)) throw new KubeError(`GET ${path}: forbidden`, { kind: 'Forbidden' });
      return { items: [], metadata: { resourceVersion: '1' } };
    },
    async *watch(_path, _query, { signal }) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      yield* [];
    },
  };
}

test('a kind of kong-operator that is not served keeps no cache from filling, and counts for no probe until it is served', async () => {
  let isServed = false;
  const client: Pick<KubeClient, 'list' | 'watch'> = {
    async list(path) {
      if (path.includes('konnectapiauth') && !isServed) throw new KubeError(`GET ${path}`, { kind: 'NotFound' });
      return { items: [], metadata: { resourceVersion: '1' } };
    },
    async *watch(path, _query, { signal }) {
      if (!isServed && path.includes('konnectapiauth')) throw new KubeError(`WATCH ${path}`, { kind: 'NotFound' });
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      yield* [];
    },
  };
  const caches = createCaches({ client, log: silent, namespaces: ['team'], hasAuthRefs: true, enqueuer: ignored });
  const health = () => caches.health().map(({ resource }) => resource);
  const stop = new AbortController();
  const running = caches.informers.map((informer) => informer.run(stop.signal));
  try {
    await caches.filled();
    expect(health()).toEqual(['auditlogforwardings', 'secrets']);
    isServed = true;
    await caches.informers.at(-1)?.synced;
    expect(health()).toEqual(['auditlogforwardings', 'secrets', 'konnectapiauthconfigurations']);
  } finally {
    stop.abort();
    await Promise.all(running);
  }
});

test.each([
  ['one of two namespaces', ['team', 'bare'], ['bare']],
  ['every namespace', ['team'], ['team']],
])(
  'a kind of kong-operator that may not be read in %s is named, and the probes stay ready',
  async (_where, namespaces, bare) => {
    const client = clientThatMayNotRead(
      (path) => path.includes('konnectapiauth') && bare.some((one) => path.includes(`/${one}/`)),
    );
    const caches = createCaches({ client, log: silent, namespaces, hasAuthRefs: true, enqueuer: ignored });
    const stop = new AbortController();
    const running = caches.informers.map((informer) => informer.run(stop.signal));
    try {
      await Promise.all(caches.informers.map(({ attempted }) => attempted));
      const named = forbiddenWatches(caches.health()).map(({ resource, namespace }) => [resource, namespace]);
      expect(named).toEqual(bare.map((one) => ['konnectapiauthconfigurations', one]));
      expect(staleWatches(caches.health(), 60_000)).toBeUndefined();
    } finally {
      stop.abort();
      await Promise.all(running);
    }
  },
);

test('a label selector is for the lists and watches of forwardings alone', async () => {
  const asked = new Map<string, Set<string | undefined>>();
  const note = (verb: string, path: string, selector: string | undefined) => {
    const what = `${verb} ${path.split('/').at(-1) ?? ''}`;
    asked.set(what, (asked.get(what) ?? new Set()).add(selector));
  };
  const client: Pick<KubeClient, 'list' | 'watch'> = {
    async list(path, options) {
      note('list', path, options?.labelSelector);
      return { items: [], metadata: { resourceVersion: '1' } };
    },
    async *watch(path, query, { signal }) {
      note('watch', path, query['labelSelector']?.toString());
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      yield* [];
    },
  };
  const options = { client, log: silent, namespaces: [], hasAuthRefs: false, enqueuer: ignored };
  const caches = createCaches({ ...options, labelSelector: 'shard=a' });
  const stop = new AbortController();
  const running = caches.informers.map((informer) => informer.run(stop.signal));
  try {
    await caches.filled();
    await eventually(() => expect(asked.size).toBe(4));
    expect(Object.fromEntries([...asked].map(([what, selectors]) => [what, [...selectors]]))).toEqual({
      'list auditlogforwardings': ['shard=a'],
      'watch auditlogforwardings': ['shard=a'],
      'list secrets': [undefined],
      'watch secrets': [undefined],
    });
  } finally {
    stop.abort();
    await Promise.all(running);
  }
});

async function fill(namespaces: string[], forbidden: string[], until: (filled: Promise<void>) => Promise<unknown>) {
  const client = clientThatMayNotRead((path) => forbidden.some((one) => path.includes(`/namespaces/${one}/`)));
  const caches = createCaches({ client, log: silent, namespaces, hasAuthRefs: false, enqueuer: ignored });
  const stop = new AbortController();
  const running = caches.informers.map((informer) => informer.run(stop.signal));
  try {
    return { result: await until(caches.filled()), caches };
  } finally {
    stop.abort();
    await Promise.all(running);
  }
}

test('a namespace that may not be listed does not keep the caches from filling with the others, and is marked', async () => {
  const { caches } = await fill(['team', 'gone'], ['gone'], (filled) => filled);
  const marked = caches.informers.filter(({ isForbidden }) => isForbidden).map(({ namespace }) => namespace);
  expect(marked).toEqual(['gone', 'gone']);
});

test('the caches are not full while no namespace may be listed', async () => {
  const { result } = await fill(['team', 'gone'], ['team', 'gone'], async (filled) => {
    const later = Array.from({ length: 20 }).reduce<Promise<unknown>>(
      (before) => before.then(() => new Promise((resolve) => setImmediate(resolve))),
      Promise.resolve(),
    );
    return Promise.race([filled.then(() => 'filled'), later.then(() => 'not filled')]);
  });
  expect(result).toBe('not filled');
});
