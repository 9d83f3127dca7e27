/** Builds the operator and runs it until its signal is aborted. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { hostname } from 'node:os';
import type { Config } from '../config/config.ts';
import { BackOff } from '../controller/back-off.ts';
import { type Outcome, runController } from '../controller/controller.ts';
import { PendingChanges } from '../controller/pending-changes.ts';
import { WorkQueue } from '../controller/work-queue.ts';
import { destinationName } from '../forwarding/desired/desired-state.ts';
import { KeyedLock } from '../forwarding/ownership/keyed-lock.ts';
import { readyOf } from '../forwarding/reconcile/conclude.ts';
import { Reconciler } from '../forwarding/reconcile/reconciler.ts';
import { KonnectHTTP } from '../konnect/http.ts';
import { RequestLimits, requestsPerReconciliation } from '../konnect/limits/request-limits.ts';
import { Konnect } from '../konnect/session/konnect.ts';
import { isKubeError } from '../kube/errors.ts';
import { EventRecorder } from '../kube/events.ts';
import { KubeClient } from '../kube/kube-client.ts';
import type { PooledKubeConfig } from '../kube/kube-config.ts';
import { NamespaceCheck } from '../kube/namespace-check.ts';
import { forbiddenWatches, silenceMs } from '../kube/watch-staleness.ts';
import { createCaches } from '../resources/caches.ts';
import { createCluster } from '../resources/cluster.ts';
import { Enqueuer } from '../resources/enqueuer.ts';
import { isThere } from '../resources/forwarding-resource.ts';
import { systemClock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { ReconcileResult } from '../runtime/reconcile-result.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { logCall, logLimit, logSkipped } from './konnect-log.ts';
import { createLeadership } from './leadership.ts';
import { createMetricsServers } from './metrics-server.ts';
import { createProbeServers } from './probe-server.ts';
import { createVerification } from './verification.ts';

const controllerName = 'auditlogforwarding';

/** How many groups of forwardings can be without answers of Konnect before other groups have to wait for a worker. */
const groupsAtATime = 64;

export interface OperatorOptions {
  readonly config: Config;
  readonly kubeConfig: PooledKubeConfig;
  readonly log: Log;
  readonly version: string;
  /** Stops the operator. It takes no new work, and work in progress has the grace period to end. */
  readonly signal: AbortSignal;
}

/**
 * Resolves after a clean stop. Rejects if a server cannot listen on its address, and with a FencedError if the lease is lost.
 */
export function runOperator(options: OperatorOptions): Promise<void> {
  return run(build(options), options);
}

type Operator = ReturnType<typeof build>;

/** Returns the parts of the operator, connected to each other. None of them runs yet. */
function build({ config, kubeConfig, log, version }: OperatorOptions) {
  const userAgent = `konnect-audit-log-operator/${version}`;
  const metrics = createMetrics({ version, nodeVersion: process.version });
  const { host } = new URL(kubeConfig.server);
  const onAnswer = (method: string, code: string) => metrics.apiCalled(host, method, code);
  const leadership = createLeadership({ config, kubeConfig, userAgent, log, metrics, onAnswer });
  const fence = leadership?.fence;
  /** The key of the forwarding whose reconciliation or verification makes a call. */
  const inWork = new AsyncLocalStorage<string>();

  const http = new KonnectHTTP({
    userAgent,
    timeoutMs: config.konnectTimeoutMs,
    proxies: config.proxies,
    fence,
    // The request limiter of each organization bounds the connections, so that no organization waits for another.
    maxSockets: Number.POSITIVE_INFINITY,
    onCall(call) {
      metrics.konnectCalled(call);
      logCall(log, call, inWork.getStore());
    },
  });
  const limits = new RequestLimits({
    qps: config.konnectQPS,
    burst: config.konnectBurst,
    maxInFlight: requestsPerReconciliation * config.maxConcurrentReconciles,
    clock: systemClock,
    random: Math.random,
    onChange: (organizationID, region, news) => logLimit(log, organizationID, region, news),
    onWaited: (rank, waitedMs) => metrics.konnectWaited(rank, waitedMs),
    onWithheld: (cause) => metrics.konnectWithheld(cause),
  });
  metrics.watchOrganizations(() => limits.countByState());
  metrics.watchLimits(() => limits.readings());
  const konnect = new Konnect({
    http,
    urlTemplate: config.konnectURL,
    limits,
    onSkipped: (operation, entries) => logSkipped(log, operation, entries),
  });

  const clusterName = config.clusterName ?? '';
  const queue = new WorkQueue(
    systemClock,
    { groupOf: (key) => enqueuer.groupOf(key), maxInWork: config.maxConcurrentReconciles },
    {
      added: () => metrics.queueAdded(controllerName),
      taken: (waitedMs) => metrics.queueTaken(controllerName, waitedMs),
    },
  );
  metrics.watchQueue(controllerName, queue);
  const changes = new PendingChanges<'spec' | 'secret'>(() => performance.now());
  const enqueuer = new Enqueuer({
    enqueue: (key, options) => queue.add(key, options),
    destinationName: (forwarding) => destinationName(forwarding, clusterName),
    verify: (key) => verification.queue.add(key),
    shown: metrics,
    onChanged: (key, cause) => changes.add(key, cause),
    onDeleted: (forwarding, isSeen) => reconciler.onDeleted(forwarding, isSeen),
  });

  const client = new KubeClient({ config: kubeConfig, userAgent, fence, onAnswer });
  const recorder = new EventRecorder({ client, log, reportingInstance: hostname() });
  const caches = createCaches({
    client,
    log,
    namespaces: config.watchNamespaces,
    labelSelector: config.watchLabelSelector,
    hasAuthRefs: config.authRefs,
    enqueuer,
  });
  metrics.watchSilence(() => silenceMs(caches.health()));
  metrics.watchForbidden(() => forbiddenWatches(caches.health()));
  const namespaceCheck = new NamespaceCheck({ client, namespaces: config.watchNamespaces, log });
  metrics.watchMissing(() => namespaceCheck.missing);
  const cluster = createCluster({
    client,
    recorder,
    log,
    onWritten: caches.onWritten,
    onEvent: ({ metadata }, { reason }) => metrics.eventRecorded(metadata, reason),
  });
  const reconciler = new Reconciler({
    cluster,
    konnectFor: (token, priority, region) => konnect.forToken(token, priority, region),
    find: caches.find,
    contenders: (key, claims) => enqueuer.sharing(key, claims).flatMap((other) => caches.find(other) ?? []),
    enqueue: (key) => queue.add(key, { priority: 'resync' }),
    isElsewhere: config.watchLabelSelector === undefined ? undefined : (one, signal) => isThere(client, one, signal),
    clusterName,
    pendingCreationTimeoutMs: config.staleListWindowMs + config.konnectTimeoutMs,
    now: () => new Date(),
    nowMs: () => systemClock.now(),
    enqueuedAtMs: (key) => queue.addedAt(key),
    random: Math.random,
  });
  const locks = new KeyedLock();
  const attempt = (key: string, action: () => Promise<ReconcileResult>) =>
    inWork.run(key, () => unlessChanged(key, action, log));
  const verification = createVerification({
    config,
    userAgent,
    fence,
    log,
    cluster,
    find: caches.find,
    ledgerFor: (token) => konnect.ledger(token, 'resync'),
    onGap: (key) => queue.add(key, { priority: 'resync' }),
    exclusively: (key, action) => locks.runExclusive([key], action),
    attempt,
  });
  const servers = [
    ...createProbeServers({ config, watches: caches.health, namespaceCheck, leadership, log }),
    ...createMetricsServers({ config, kubeConfig, userAgent, metrics, log, onAnswer }),
  ];
  const reconcile = (key: string, signal: AbortSignal) =>
    attempt(key, () => locks.runExclusive([key], () => reconciler.reconcile(key, signal)));
  return {
    metrics,
    leadership,
    http,
    queue,
    changes,
    enqueuer,
    recorder,
    caches,
    namespaceCheck,
    reconcile,
    verification,
    servers,
  };
}

/** Starts the parts, and ends them in an order in which each can still finish its work. */
async function run(operator: Operator, options: OperatorOptions): Promise<void> {
  const { leadership, http, recorder, caches, namespaceCheck, servers } = operator;
  const { config, kubeConfig, log, version, signal } = options;
  const { watchNamespaces: namespaces, watchLabelSelector: labelSelector } = config;
  log.info({ version, namespaces, labelSelector, server: kubeConfig.server }, 'operator starts');

  // The servers end last, so that the probes answer until then.
  const serversStop = new AbortController();
  const serving = Promise.all(servers.map((server) => server.run(serversStop.signal)));
  const serverFailed = new AbortController();
  serving.catch((error: unknown) => serverFailed.abort(error));
  const running = AbortSignal.any([signal, serverFailed.signal]);

  const recorderStop = new AbortController();
  const recording = recorder.run(recorderStop.signal);
  const watching = [...caches.informers, namespaceCheck].map((one) => one.run(running));
  try {
    if (await areSynced(operator, running)) {
      const { size } = caches.forwardings;
      log.info({ forwardings: size }, leadership === undefined ? 'caches are full, work begins' : 'caches are full');
      const lead = async (leading: AbortSignal) => {
        await reconcileAll(operator, options, leading);
        // The last events are written while this process still leads.
        recorderStop.abort();
        await recording;
      };
      await (leadership === undefined ? lead(running) : leadership.run(running, lead));
    }
  } finally {
    serverFailed.abort();
    recorderStop.abort();
    // Idle connections would keep the process from ending.
    http.close();
    await Promise.all([...watching, recording]);
    serversStop.abort();
    await serving;
    kubeConfig.close();
  }
  log.info({}, 'operator stopped');
}

/** Returns true when the caches are full, or false if `signal` is aborted first. */
async function areSynced({ caches }: Operator, signal: AbortSignal): Promise<boolean> {
  const stopped = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  await Promise.race([caches.filled(), stopped]);
  return !signal.aborted;
}

/** Enqueues every forwarding, then reconciles and verifies until `signal` is aborted and work in progress has ended. */
async function reconcileAll(operator: Operator, { config, log }: OperatorOptions, signal: AbortSignal): Promise<void> {
  const { queue, enqueuer, caches, reconcile, verification } = operator;
  enqueuer.start(caches.forwardings.list());
  const verifying = verification.run(signal);
  await runController({
    queue,
    reconcile,
    concurrency: groupsAtATime * config.maxConcurrentReconciles,
    backOff: new BackOff({ baseMs: 1_000, maxMs: 300_000, jitter: 'equal', random: Math.random }),
    graceMs: config.gracePeriodMs,
    log,
    signal,
    onReconcile: (key, outcome, durationMs) => measure(operator, key, outcome, durationMs),
  });
  // The timer of the next resync would keep the process from ending.
  queue.shutDown();
  await verifying;
}

/** Puts a reconciliation that has ended into the metrics. */
function measure({ metrics, caches, changes }: Operator, key: string, outcome: Outcome, durationMs: number): void {
  metrics.reconciled({ controller: controllerName, outcome, durationMs });
  // A retry follows if Konnect did not answer, or if something is not done yet.
  if (outcome !== 'done' && outcome !== 'requeue') return;
  const forwarding = caches.find(key);
  if (forwarding !== undefined && outcome === 'requeue') metrics.lookedAt(forwarding.metadata);
  const ready = readyOf(forwarding?.status.conditions);
  const isApplied = ready?.status === 'True' && ready.observedGeneration === forwarding?.metadata.generation;
  const applied = changes.ended(key, { outcome, durationMs, isApplied });
  if (applied !== undefined) metrics.applied(applied.cause, applied.tookMs);
}

/** Repeats an action if another client has changed its object. */
async function unlessChanged(key: string, action: () => Promise<ReconcileResult>, log: Log): Promise<ReconcileResult> {
  try {
    return await action();
  } catch (error) {
    // The object has changed or is gone: the watch brings its state, and the action is repeated.
    if (!isKubeError(error, 'Conflict', 'NotFound')) throw error;
    log.debug({ key, err: error }, 'the object changed during the reconciliation');
    return { kind: 'retry' };
  }
}
