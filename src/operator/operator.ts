/** Builds everything, and runs until its signal aborts. */
import { hostname } from 'node:os';
import { type AuditLogForwarding, reconcileRequestOf } from '../api/v1alpha1.ts';
import type { Config } from '../config/config.ts';
import { BackOff } from '../controller/back-off.ts';
import { runController } from '../controller/controller.ts';
import { type AddOptions, WorkQueue } from '../controller/work-queue.ts';
import { secretsOf } from '../forwarding/desired/credentials.ts';
import { destinationName } from '../forwarding/desired/desired-state.ts';
import { ClaimIndex } from '../forwarding/ownership/claim-index.ts';
import { ReverseIndex } from '../forwarding/ownership/reverse-index.ts';
import { Reconciler } from '../forwarding/reconcile/reconciler.ts';
import { type KonnectCall, KonnectHTTP } from '../konnect/http.ts';
import type { GateNews } from '../konnect/limits/request-limiter.ts';
import { Limits } from '../konnect/limits/request-limits.ts';
import { Konnect } from '../konnect/session/konnect.ts';
import { isKubeError } from '../kube/errors.ts';
import { EventRecorder } from '../kube/events.ts';
import { Informer } from '../kube/informer.ts';
import { KubeClient } from '../kube/kube-client.ts';
import type { PooledKubeConfig } from '../kube/kube-config.ts';
import { type KubeObject, keyOf } from '../kube/objects.ts';
import { type Change, joinStores } from '../kube/store.ts';
import { deafness, silenceMs } from '../kube/watch-staleness.ts';
import {
  createCluster,
  forwardingsPath,
  forwardingToKeep,
  parseForwarding,
  secretsPath,
} from '../resources/cluster.ts';
import { groupOf } from '../resources/queue-group.ts';
import { systemClock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { Priority } from '../runtime/priority.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { probe } from '../telemetry/routes.ts';
import { TelemetryServer } from '../telemetry/server.ts';
import { createLeadership } from './leadership.ts';
import { createMetricsServers } from './metrics-server.ts';

const controllerName = 'auditlogforwarding';
/** A watch says something at least once a minute, and one that is dead is begun anew after 70 s: this long without a word is more than that. */
const deafAfterMs = 180_000;

/** So many groups of forwardings can hang in Konnect before others wait for a worker. */
const groupsAtATime = 64;

export interface OperatorOptions {
  readonly config: Config;
  readonly kubeConfig: PooledKubeConfig;
  readonly log: Log;
  readonly version: string;
  /** Stops the operator: no new work, what is in flight ends within the grace period. */
  readonly signal: AbortSignal;
}

/** Resolves after a clean stop. Rejects where a server's address cannot be had, and with a FencedError where the lease is lost. */
export async function runOperator({ config, kubeConfig, log, version, signal }: OperatorOptions): Promise<void> {
  const userAgent = `konnect-audit-log-operator/${version}`;
  const metrics = createMetrics({ version, nodeVersion: process.version });
  const leadership = createLeadership({ config, kubeConfig, userAgent, log, metrics });
  const fence = leadership?.fence;
  const client = new KubeClient({ config: kubeConfig, userAgent, fence });
  const recorder = new EventRecorder({ client, log, reportingInstance: hostname() });
  const http = new KonnectHTTP({
    userAgent,
    timeoutMs: config.konnectTimeoutMs,
    proxies: config.proxies,
    fence,
    // The limits of each organization bound them, so that none has to wait for another's.
    maxSockets: Number.POSITIVE_INFINITY,
    onCall: (call) => onCall(call),
  });
  const limits = new Limits({
    qps: config.konnectQPS,
    burst: config.konnectBurst,
    clock: systemClock,
    random: Math.random,
    onNews: (organizationID, region, news) => onNews(organizationID, region, news),
    onWaited: (rank, waitedMs) => metrics.konnectWaited(rank, waitedMs),
    onWithheld: (cause) => metrics.konnectWithheld(cause),
  });
  metrics.watchOrganizations(() => limits.census());
  const konnect = new Konnect({ http, urlTemplate: config.konnectURL, limits });
  /** By key; a forwarding that is gone asks nothing of Konnect. */
  const groups = new Map<string, string>();
  const queue = new WorkQueue(systemClock, {
    groupOf: (key) => groups.get(key) ?? '',
    mostInWork: config.maxConcurrentReconciles,
  });
  metrics.watchQueue(controllerName, queue);
  let isWorking = false;
  /** Before work begins nothing is put into the queue: then everything there is gets looked at. */
  function look(key: string, options?: AddOptions): void {
    if (isWorking) queue.add(key, options);
  }

  const namespaces = config.watchNamespaces.length === 0 ? [undefined] : config.watchNamespaces;
  const secrets = new ReverseIndex();
  const clusterName = config.clusterName ?? '';
  const claims = new ClaimIndex((forwarding) => destinationName(forwarding, clusterName));
  const forwardingInformers = namespaces.map((namespace) => ({
    namespace,
    informer: new Informer<KubeObject>({
      client,
      path: forwardingsPath(namespace),
      transform: forwardingToKeep,
      log,
      onChange: (change) => onForwarding(change),
    }),
  }));
  const secretInformers = namespaces.map(
    (namespace) =>
      new Informer<KubeObject>({
        client,
        path: secretsPath(namespace),
        metadataOnly: true,
        transform: identityOnly,
        log,
        onChange({ kind, source, key }) {
          // What a first list shows was there before: no news for those who named it.
          const priority = kind === 'added' && source === 'list' ? 'resync' : 'new';
          for (const forwarding of secrets.of(key)) look(forwarding, { priority });
        },
      }),
  );
  const informers = [...forwardingInformers.map(({ informer }) => informer), ...secretInformers];
  metrics.watchSilence(() => silenceMs(informers));
  const store = joinStores(forwardingInformers.map(({ informer }) => informer.store));

  const cluster = createCluster({
    client,
    recorder,
    log,
    onWritten(object) {
      const { namespace } = object.metadata;
      const own = forwardingInformers.find((one) => one.namespace === undefined || one.namespace === namespace);
      own?.informer.upsert(object);
    },
  });
  const reconciler = new Reconciler({
    cluster,
    konnectFor: (token, priority) => konnect.forToken(token, priority),
    find: (key) => understood(store.get(key)),
    contenders: (key, shared) => claims.sharing(key, shared).flatMap((other) => understood(store.get(other)) ?? []),
    clusterName,
    pendingCreationTimeoutMs: config.staleListWindowMs + config.konnectTimeoutMs,
    now: () => new Date(),
    nowMs: () => performance.now(),
    random: Math.random,
  });

  function onCall({ error, ...call }: KonnectCall): void {
    metrics.konnectCalled(call);
    // 404 is how Konnect says no to a question.
    if (error === undefined || (call.status === 404 && call.operation.startsWith('get '))) return;
    const { operation, region, durationMs } = call;
    log.warn({ operation, region, durationMs: Math.round(durationMs), err: error }, 'call to Konnect failed');
  }

  function onNews(organizationID: string | undefined, region: string, { state, cause, forMs }: GateNews): void {
    const fields = { organizationID, region, cause, forMs: Math.round(forMs) };
    if (state === 'open') log.info({ organizationID, region }, 'Konnect answers again');
    else if (state === 'limited') log.warn(fields, 'Konnect limits the calls of an organization: waiting');
    else log.warn(fields, 'Konnect is out of order: calls are withheld, but for one now and then');
  }

  function understood(object: KubeObject | undefined): AuditLogForwarding | undefined {
    if (object === undefined) return undefined;
    const parsed = parseForwarding(object);
    if (parsed.kind === 'forwarding') return parsed.forwarding;
    const { namespace, name } = object.metadata;
    log.error(
      { namespace, name, fields: parsed.fields },
      'AuditLogForwarding has fields that this operator does not understand and is left alone: install the CRD of the same version',
    );
    return undefined;
  }

  function onForwarding(change: Change<KubeObject>): void {
    const { key, object } = change;
    const namespace = object.metadata.namespace ?? '';
    const { name } = object.metadata;
    if (change.kind === 'deleted') {
      for (const contender of claims.delete(key)) look(contender);
      secrets.delete(key);
      groups.delete(key);
      metrics.forgetConditions({ namespace, name });
      look(key);
      return;
    }
    const parsed = parseForwarding(object);
    if (parsed.kind === 'forwarding') {
      const { forwarding } = parsed;
      secrets.set(key, secretsOf(forwarding));
      groups.set(key, groupOf(forwarding));
      metrics.setConditions({ namespace, name }, forwarding.status.conditions ?? []);
      const contenders = claims.update(forwarding);
      // What a first list shows comes to its own pass.
      const isNews = change.kind === 'updated' || change.source !== 'list';
      if (isNews) for (const contender of contenders) look(contender);
    }
    if (change.kind === 'updated' && !asksForWork(change.previous, object)) return;
    look(key, { priority: priorityOf(object) });
  }

  const serverAborts = new AbortController();
  const running = AbortSignal.any([signal, serverAborts.signal]);
  const watches = () => deafness(informers, deafAfterMs);
  const lease = () =>
    leadership === undefined || leadership.hasAttempted ? undefined : 'the Lease could not be read yet';
  const probes = { '/healthz': probe('healthz', {}), '/readyz': probe('readyz', { watches, lease }) };
  const probesAddress = config.healthProbeBindAddress;
  const servers = [
    ...(probesAddress === undefined ? [] : [new TelemetryServer({ address: probesAddress, routes: probes, log })]),
    ...createMetricsServers({ config, kubeConfig, userAgent, metrics, log }),
  ];

  log.info({ version, namespaces: config.watchNamespaces, server: kubeConfig.server }, 'operator starts');
  const told = new AbortController();
  const telling = recorder.run(told.signal);
  // Probes end last.
  const afterwards = new AbortController();
  const serving = Promise.all(servers.map((server) => server.run(afterwards.signal)));
  serving.catch((error: unknown) => serverAborts.abort(error));

  const watching = informers.map((informer) => informer.run(running));
  const work = async (): Promise<void> => {
    const stopped = new Promise((resolve) => running.addEventListener('abort', resolve, { once: true }));
    await Promise.race([Promise.all(informers.map(({ synced }) => synced)), stopped]);
    if (running.aborted) return;
    log.info(
      { forwardings: store.size },
      leadership === undefined ? 'caches are full, work begins' : 'caches are full',
    );
    await (leadership === undefined ? lead(running) : leadership.run(running, lead));
  };

  async function lead(leading: AbortSignal): Promise<void> {
    isWorking = true;
    for (const object of store.list()) look(keyOf(object), { priority: priorityOf(object) });
    await runController({
      queue,
      reconcile: (key, until) => pass(key, until),
      concurrency: groupsAtATime * config.maxConcurrentReconciles,
      backOff: new BackOff({ baseMs: 1_000, maxMs: 300_000, jitter: 'equal', random: Math.random }),
      graceMs: config.gracePeriodMs,
      log,
      signal: leading,
      onReconcile: (_key, outcome, durationMs) =>
        metrics.reconciled({ controller: controllerName, outcome, durationMs }),
    });
    // Its next resync would keep the process from ending.
    queue.shutDown();
    // What the last pass had to tell is told, while that is still this process's affair.
    told.abort();
    await telling;
  }

  async function pass(key: string, until: AbortSignal) {
    try {
      return await reconciler.reconcile(key, until);
    } catch (error) {
      // The cache was behind, or the object went: the watch brings what is true, and the pass is made again.
      if (!isKubeError(error, 'Conflict', 'NotFound')) throw error;
      log.debug({ key, err: error }, 'pass was overtaken by a change');
      return { kind: 'retry' } as const;
    }
  }

  try {
    await work();
  } finally {
    serverAborts.abort();
    told.abort();
    // Idle connections would keep the process from ending.
    http.close();
    await Promise.all([...watching, telling]);
    afterwards.abort();
    await serving;
    await kubeConfig.close();
  }
  log.info({}, 'operator stopped');
}

/** Of a Secret nothing but its identity is kept: the last-applied annotation, which is metadata, may hold its data. */
function identityOnly({ metadata: { namespace, name, uid, resourceVersion } }: KubeObject): KubeObject {
  return { metadata: { ...(namespace === undefined ? {} : { namespace }), name, uid, resourceVersion } };
}

/** Not for what we wrote ourselves, status and finalizers; but a status that somebody emptied has to be found out again. */
function asksForWork(before: KubeObject, after: KubeObject): boolean {
  const a = before.metadata;
  const b = after.metadata;
  return (
    a.uid !== b.uid ||
    a.generation !== b.generation ||
    a.deletionTimestamp !== b.deletionTimestamp ||
    reconcileRequestOf(a.annotations) !== reconcileRequestOf(b.annotations) ||
    (remembers(before) && !remembers(after))
  );
}

function remembers(object: KubeObject): boolean {
  const status = 'status' in object ? object.status : undefined;
  return typeof status === 'object' && status !== null && 'conditions' in status;
}

/** What has been looked at in its present generation can wait for what has not. */
function priorityOf(object: KubeObject): Priority {
  const parsed = parseForwarding(object);
  return parsed.kind === 'forwarding' && isSettled(parsed.forwarding) ? 'resync' : 'new';
}

function isSettled({ metadata, status }: AuditLogForwarding): boolean {
  return metadata.deletionTimestamp === undefined && status.observedGeneration === metadata.generation;
}
