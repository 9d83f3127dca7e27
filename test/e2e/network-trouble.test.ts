/** Real faults of the network, etcd and the API server: the operator misses nothing, loses nothing and does nothing twice. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runKubectl } from '../../sandbox/control-plane/access.ts';
import type { ControlPlane } from '../../sandbox/control-plane/control-plane.ts';
import { writeKubeconfig } from '../../sandbox/control-plane/kubeconfig.ts';
import { currentDestinations } from '../../sandbox/konnect/model/destinations.ts';
import type { Destination } from '../../sandbox/konnect/model.ts';
import { namespace, type Sandbox, sandboxData, serviceAccount, startSandbox } from '../../sandbox/sandbox.ts';
import { eventBody, eventsPath, microTime } from '../../src/kube/event-body.ts';
import { Informer } from '../../src/kube/informer.ts';
import { KubeClient } from '../../src/kube/kube-client.ts';
import { loadKubeConfig } from '../../src/kube/kube-config.ts';
import { type KubeObject, keyOf } from '../../src/kube/objects.ts';
import { eventually } from '../support/eventually.ts';
import { startTCPProxy, type TCPProxy } from '../support/tcp-proxy.ts';
import { forwarding, secret } from './support/manifests.ts';

let sandbox: Sandbox;
let proxy: TCPProxy;
let tokenFile: string;

beforeAll(async () => {
  sandbox = await startSandbox(() => undefined, { kubeconfigFor: throughProxy });
  await apply(
    secret('konnect', { token: sandboxData.token }),
    secret('sumologic', { endpoint: sandbox.services.endpoint, authorization: 'Bearer 0' }),
    existing(0),
  );
  await ready('existing');
});

afterAll(async () => {
  await sandbox?.stop();
  await proxy?.stop();
});

const forwardingsPath = `/apis/konnect-audit-log.io/v1alpha1/namespaces/${namespace}/auditlogforwardings`;

/** The longest wait of the operator before a retry, on a busy machine. */
const backMs = 90_000;

async function throughProxy(controlPlane: ControlPlane): Promise<string> {
  proxy = await startTCPProxy(Number(new URL(controlPlane.url).port));
  tokenFile = join(controlPlane.folder, 'token');
  const { stdout } = await controlPlane.kubectl([
    'create',
    'secret',
    'generic',
    'bond',
    '-n',
    serviceAccount.namespace,
  ]);
  expect(stdout).toContain('created');
  await writeFile(tokenFile, await newToken(controlPlane, '--bound-object-kind=Secret', '--bound-object-name=bond'));
  return kubeconfigOf(controlPlane, { tokenFile });
}

/** Writes a kubeconfig of the operator's ServiceAccount that goes through the proxy. */
async function kubeconfigOf(
  { folder, certificateAuthority }: ControlPlane,
  credential: { tokenFile: string } | { token: string },
): Promise<string> {
  const path = join(folder, `proxied-${Object.keys(credential).join('')}.kubeconfig`);
  const url = `https://127.0.0.1:${String(proxy.port)}`;
  await writeKubeconfig(path, { url, certificateAuthority, user: { name: 'operator', ...credential } });
  return path;
}

async function newToken({ kubectl: run }: ControlPlane, ...bound: string[]): Promise<string> {
  const { stdout, stderr } = await run([
    'create',
    'token',
    serviceAccount.name,
    '-n',
    serviceAccount.namespace,
    ...bound,
  ]);
  if (stdout === '') throw new Error(stderr);
  return stdout.trim();
}

/** Runs kubectl as a cluster administrator, not through the proxy. */
const kubectl = (args: readonly string[], input = '') => runKubectl(sandbox.controlPlane, args, { input });

async function apply(...items: object[]): Promise<void> {
  await kubectl(['apply', '-n', namespace, '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
}

/** A forwarding with a resync interval of one day. */
function existing(round: number): object {
  const destination = { name: `round-${String(round)}`, secretRef: { name: 'sumologic' } };
  return forwarding('existing', { destination, portals: [{ id: sandboxData.portals.developers }], interval: '24h' });
}

async function ready(name: string): Promise<void> {
  await kubectl([
    'wait',
    '-n',
    namespace,
    '--for=condition=Ready',
    `--timeout=${String(backMs / 1_000)}s`,
    `alf/${name}`,
  ]);
}

function destinations(): Destination[] {
  const organization = sandbox.services.konnect.model.organizations.get(sandboxData.organizationID);
  return organization === undefined ? [] : currentDestinations(organization);
}

/** Waits until a change of `existing` has reached Konnect. */
async function arrived(round: number): Promise<void> {
  await eventually(() => expect(destinations().map(({ name }) => name)).toContain(`round-${String(round)}`), {
    timeoutMs: backMs,
  });
}

/** Resolves with the operator's metric of the stalest watch, in seconds. */
async function silence(): Promise<number> {
  const text = await (await fetch(sandbox.operator.metricsURL)).text();
  return Math.max(
    ...[...text.matchAll(/^konnect_audit_log_watch_silent_seconds\{.*\} (.+)$/gm)].map(([, value]) => Number(value)),
  );
}

async function logged(message: string): Promise<number> {
  return (await sandbox.operator.output()).split(message).length - 1;
}

test('half-open connections: the operator repeats a lost write of status, and detects the stale watches within 70 seconds', async () => {
  const { control } = sandbox.services.konnect;
  const held = control.fail({
    kind: 'latency',
    ms: 1_500,
    match: { operation: 'create-audit-log-destination' },
    times: 1,
  });
  await apply(forwarding('written', { portals: [{ id: sandboxData.portals.partners }], interval: '24h' }));
  await eventually(() => expect(held.hits()).toBe(1));
  proxy.dropSilently();
  const brokenAt = performance.now();
  await apply(existing(1));
  await ready('written');
  const writtenMs = performance.now() - brokenAt;
  expect(proxy.droppedBytes).toBeGreaterThan(0);
  expect(control.calls().filter(({ operation }) => operation === 'create-audit-log-destination')).toHaveLength(2);
  expect(destinations()).toHaveLength(2);
  expect(await silence()).toBeGreaterThan(20);
  await arrived(1);
  const blindMs = performance.now() - brokenAt;
  expect(writtenMs).toBeLessThan(60_000);
  expect(blindMs).toBeGreaterThan(60_000);
  expect(blindMs).toBeLessThan(90_000);
  await eventually(async () => expect(await silence()).toBeLessThan(20));
  expect((await fetch(`${sandbox.operator.healthURL}/readyz`)).status).toBe(200);
});

test('an API server that hangs, and new connections without an answer: the operator continues afterwards', async () => {
  sandbox.controlPlane.freeze('kube-apiserver', true);
  proxy.onConnect('hang');
  proxy.cut();
  await eventually(async () => expect(await silence()).toBeGreaterThan(5), { timeoutMs: 60_000 });
  sandbox.controlPlane.freeze('kube-apiserver', false);
  await apply(existing(2));
  proxy.onConnect('forward');
  await arrived(2);
});

test('etcd is compacted and the API server restarts while the operator has no connection: a new list finds the changes', async () => {
  proxy.onConnect('reset');
  proxy.cut();
  await kubectl(['delete', 'secret', 'sumologic', '-n', namespace]);
  await apply(secret('sumologic', { endpoint: sandbox.services.endpoint, authorization: 'Bearer 3' }), existing(3));
  await sandbox.controlPlane.compact();
  await sandbox.controlPlane.restart('kube-apiserver');
  await apply(existing(4));
  const before = await logged('watch expired, listing again');
  proxy.onConnect('forward');
  await arrived(4);
  await eventually(
    () => expect(destinations()).toMatchObject([{ authorization: 'Bearer 3' }, { authorization: 'Bearer 3' }]),
    {
      timeoutMs: backMs,
    },
  );
  expect(await logged('watch expired, listing again')).toBeGreaterThan(before);
});

test('the operator reads a new token from its file before the old one fails', async () => {
  const { controlPlane } = sandbox;
  const old = loadKubeConfig({
    kubeconfig: await kubeconfigOf(controlPlane, { token: await readFile(tokenFile, 'utf8') }),
  });
  const stranger = new KubeClient({ config: old, userAgent: 'test' });
  expect((await stranger.list(forwardingsPath)).items).not.toEqual([]);
  await writeFile(tokenFile, await newToken(controlPlane));
  await kubectl(['delete', 'secret', 'bond', '-n', serviceAccount.namespace]);
  // The API server caches the review of a token for ten seconds.
  await eventually(() => expect(stranger.list(forwardingsPath)).rejects.toMatchObject({ kind: 'Unauthorized' }), {
    timeoutMs: 60_000,
    everyMs: 250,
  });
  proxy.cut();
  await apply(existing(5));
  await arrived(5);
  expect(await logged('"kind":"Unauthorized"')).toBe(0);
  old.close();
});

test('the API server answers 429 (priority and fairness): the operator waits as long as Retry-After says, and then continues', async () => {
  const nobody = await startTCPProxy(1);
  nobody.onConnect('hang');
  const config = loadKubeConfig({ kubeconfig: await kubeconfigOf(sandbox.controlPlane, { tokenFile }) });
  const same = new KubeClient({ config, userAgent: 'test' });
  const ended = new AbortController();
  try {
    await kubectl(
      ['apply', '-f', '-'],
      JSON.stringify({ apiVersion: 'v1', kind: 'List', items: oneSeat(nobody.port) }),
    );
    // A request that waits for a webhook without an answer occupies the one seat.
    const holding = hold(same, ended.signal);
    const tooMany = { kind: 'TooManyRequests', retryAfterMs: 1_000 };
    await eventually(() => expect(same.list(forwardingsPath)).rejects.toMatchObject(tooMany), { timeoutMs: 90_000 });
    proxy.cut();
    await apply(existing(6));
    const [cutAt, before] = [performance.now(), await logged('"kind":"TooManyRequests"')];
    await eventually(async () => expect((await logged('"kind":"TooManyRequests"')) - before).toBeGreaterThan(3), {
      timeoutMs: 90_000,
    });
    const [count, seconds] = [(await logged('"kind":"TooManyRequests"')) - before, (performance.now() - cutAt) / 1_000];
    // Two watches and an event, each at most once a second.
    expect(count).toBeLessThanOrEqual(3 * (seconds + 1));
    ended.abort();
    await holding;
    await kubectl(['delete', 'validatingwebhookconfiguration,flowschema,prioritylevelconfiguration', 'one-seat']);
    await arrived(6);
  } finally {
    ended.abort();
    config.close();
    await nobody.stop();
  }
});

/** Returns a priority level with one seat for the operator's ServiceAccount, and an admission webhook on `port` for Events with the label `hold`. */
function oneSeat(port: number): object[] {
  const metadata = { name: 'one-seat' };
  const user = { name: `system:serviceaccount:${serviceAccount.namespace}:${serviceAccount.name}` };
  const anything = { verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] };
  const limited = {
    nominalConcurrencyShares: 0,
    lendablePercent: 0,
    borrowingLimitPercent: 0,
    limitResponse: { type: 'Reject' },
  };
  const webhook = {
    name: 'hold.example.com',
    clientConfig: { url: `https://127.0.0.1:${String(port)}/` },
    rules: [{ operations: ['CREATE'], apiGroups: ['events.k8s.io'], apiVersions: ['v1'], resources: ['events'] }],
    objectSelector: { matchLabels: { hold: 'yes' } },
    timeoutSeconds: 10,
    failurePolicy: 'Ignore',
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
  };
  const flowcontrol = 'flowcontrol.apiserver.k8s.io/v1';
  return [
    {
      apiVersion: flowcontrol,
      kind: 'PriorityLevelConfiguration',
      metadata,
      spec: { type: 'Limited', limited },
    },
    {
      apiVersion: flowcontrol,
      kind: 'FlowSchema',
      metadata,
      spec: {
        priorityLevelConfiguration: metadata,
        matchingPrecedence: 2,
        rules: [{ subjects: [{ kind: 'User', user }], resourceRules: [anything] }],
      },
    },
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata,
      webhooks: [webhook],
    },
  ];
}

/** Creates Events that the admission webhook delays, one after another. */
async function hold(client: KubeClient, signal: AbortSignal): Promise<void> {
  const facts = {
    regarding: { apiVersion: 'v1', kind: 'Namespace', name: namespace, namespace, uid: 'none' },
    type: 'Normal' as const,
    reason: 'Held',
    action: 'Hold',
    note: 'holds a seat',
  };
  const reporter = { reportingController: 'example.com/test', reportingInstance: 'test' };
  for (let count = 0; !signal.aborted; count += 1) {
    const made = { name: `held.${String(count)}`, eventTime: microTime(Date.now()), series: undefined, reporter };
    const body = { ...eventBody(facts, made), metadata: { name: made.name, namespace, labels: { hold: 'yes' } } };
    await client.create(eventsPath(facts.regarding), body, { signal }).catch(() => undefined);
  }
}

test('a slow list in pages, while objects change and etcd is compacted: the cache equals the state of the server', async () => {
  const configMaps = `/api/v1/namespaces/${namespace}/configmaps`;
  const some = (from: number, to: number, value: string) =>
    Array.from({ length: to - from }, (_, index) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: `page-${String(from + index).padStart(3, '0')}` },
      data: { value },
    }));
  await apply(...some(0, 60, 'before'));
  const config = loadKubeConfig({ kubeconfig: sandbox.controlPlane.adminKubeconfig });
  const slow = await startTCPProxy(Number(new URL(sandbox.controlPlane.url).port));
  for (const cluster of config.clusters) Object.assign(cluster, { server: `https://127.0.0.1:${String(slow.port)}` });
  const client = new KubeClient({ config, userAgent: 'test' });
  const lists: string[] = [];
  const told = new Map<string, KubeObject>();
  const informer = new Informer<KubeObject>({
    client: {
      list: (path, options) => {
        lists.push(options?.continue === undefined ? 'first' : 'next');
        return client.list(path, options);
      },
      watch: (path, query, options) => client.watch(path, query, options),
    },
    path: configMaps,
    pageSize: 5,
    inactivityMs: 2_000,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    onChange: ({ kind, key, object }) => void (kind === 'deleted' ? told.delete(key) : told.set(key, object)),
  });
  const stop = new AbortController();
  slow.delay(100);
  const running = informer.run(stop.signal);
  try {
    await eventually(() => expect(lists).toContain('next'));
    await kubectl(['delete', 'configmap', '-n', namespace, 'page-001', 'page-058']);
    await apply(...some(20, 40, 'after'), ...some(60, 65, 'new'));
    await sandbox.controlPlane.compact();
    await informer.synced;
    await eventually(
      async () => {
        const { items } = await client.list<KubeObject>(configMaps);
        const wanted = Object.fromEntries(items.map((item) => [keyOf(item), item.metadata.resourceVersion]));
        const versions = (objects: Iterable<KubeObject>) =>
          Object.fromEntries([...objects].map((object) => [keyOf(object), object.metadata.resourceVersion]));
        expect(Object.keys(wanted).length).toBeGreaterThanOrEqual(63);
        expect(versions(informer.store.list())).toEqual(wanted);
        expect(versions(told.values())).toEqual(wanted);
      },
      { timeoutMs: 60_000 },
    );
  } finally {
    stop.abort();
    await running;
    await slow.stop();
    config.close();
  }
});
