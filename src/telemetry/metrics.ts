import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { createForwardingMetrics, type ForwardingMetrics } from './forwarding-metrics.ts';
import { type MetricDefinition, metricTable } from './metric-table.ts';
import { metricOptions, readingsGauge } from './readings-gauge.ts';

export interface ReconcileMeasurement {
  controller: string;
  /** `aborted`: the process is stopping. */
  outcome: 'done' | 'requeue' | 'retry' | 'failed' | 'aborted';
  durationMs: number;
}

export interface KonnectCallMeasurement {
  operation: string;
  region: string;
  status: number | undefined;
  kind: string | undefined;
  durationMs: number;
}

/** The sizes of a work queue. They are read when metrics are requested. */
export interface QueueReadings {
  readonly size: number;
  readonly delayedSize: number;
  readonly inWorkSize: number;
  readonly oldestWaitingMs: number;
  /** How long each key in work has been in work. */
  readonly inWorkMs: readonly number[];
}

/** How near an organization is to its limits in one region. */
export interface LimitReading {
  readonly organization: string;
  readonly region: string;
  readonly budget: number;
  readonly rateLimit: { readonly limit: number; readonly remaining: number } | undefined;
}

/** The number of organizations in one state in one region. */
export interface OrganizationsReading {
  readonly region: string;
  readonly state: string;
  readonly count: number;
}

export interface ForbiddenReading {
  readonly resource: string;
  readonly namespace?: string | undefined;
}

export interface Metrics extends ForwardingMetrics {
  reconciled(measurement: ReconcileMeasurement): void;
  konnectCalled(measurement: KonnectCallMeasurement): void;
  /** Records how long a request to Konnect waited before it was sent. */
  konnectWaited(rank: string, waitedMs: number): void;
  /** Records a request to Konnect that was not sent. */
  konnectWithheld(cause: string): void;
  /** Adds these numbers to the metrics. `read` is called when metrics are requested. */
  watchOrganizations(read: () => readonly OrganizationsReading[]): void;
  /** Adds these limits to the metrics. `read` is called when metrics are requested. */
  watchLimits(read: () => readonly LimitReading[]): void;
  /** Records how long a change took from the moment when the operator saw it until Konnect was as wanted. */
  applied(cause: 'spec' | 'secret', durationMs: number): void;
  /** Records a request to the API server. */
  apiCalled(host: string, method: string, code: string): void;
  /** Records that a key began to wait in a queue. */
  queueAdded(name: string): void;
  /** Records how long a key waited for a worker. */
  queueTaken(name: string, waitedMs: number): void;
  /** Adds the sizes of a queue to the metrics. `name` is also the name of its controller. */
  watchQueue(name: string, queue: QueueReadings): void;
  /** Adds the milliseconds that `readMs` returns for each resource to the metrics. */
  watchSilence(readMs: () => ReadonlyMap<string, number>): void;
  /** Shows in which namespaces the API server forbids to list or watch a resource. */
  watchForbidden(read: () => readonly ForbiddenReading[]): void;
  /** Shows which namespaces do not exist although the operator is to watch them. */
  watchMissing(read: () => readonly string[]): void;
  /** `lease` is the name of the Lease. */
  setLeader(lease: string, isLeader: boolean): void;
  /** The Content-Type of `text`. */
  readonly contentType: string;
  /** Returns all metrics in the text format of Prometheus. */
  text(): Promise<string>;
}

export interface MetricsOptions {
  version: string;
  nodeVersion: string;
  /** Adds memory, CPU, event loop and garbage collection of the process, with the names of prom-client. True by default. */
  hasProcessMetrics?: boolean;
  /** Returns the time of day. */
  nowMs?: () => number;
}

/** More than Konnect has. Users can write any region into spec, and each one would be a series for each operation. */
const maxRegions = 20;

const results = {
  done: 'success',
  requeue: 'requeue_after',
  retry: 'requeue',
  failed: 'error',
  aborted: 'cut_off',
} as const satisfies Record<ReconcileMeasurement['outcome'], string>;

/** Gauges of prom-client with the names of counters. The same numbers are in `nodejs_active_handles` and the like. */
const misnamedMetrics = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

/** The interval of the timer that measures the event loop. With the 10 ms of prom-client, it alone needs ten times the processor time: 0.4 % of a core. */
const eventLoopTimerMs = 100;

/** Creates metrics with a registry of their own, so that two operators in one process do not conflict. */
export function createMetrics({
  version,
  nodeVersion,
  hasProcessMetrics = true,
  nowMs = Date.now,
}: MetricsOptions): Metrics {
  const registry = new Registry();
  const reconcileTotal = new Counter(metricOptions(metricTable.reconcileTotal, registry));
  const reconcileErrors = new Counter(metricOptions(metricTable.reconcileErrors, registry));
  const reconcileSeconds = new Histogram(metricOptions(metricTable.reconcileSeconds, registry));
  const konnectRequests = new Counter(metricOptions(metricTable.konnectRequests, registry));
  const konnectSeconds = new Histogram(metricOptions(metricTable.konnectSeconds, registry));
  const konnectWait = new Histogram(metricOptions(metricTable.konnectWaitSeconds, registry));
  const konnectWithheld = new Counter(metricOptions(metricTable.konnectWithheld, registry));
  const applySeconds = new Histogram(metricOptions(metricTable.applySeconds, registry));
  const restClientRequests = new Counter(metricOptions(metricTable.restClientRequests, registry));
  const queueAdds = new Counter(metricOptions(metricTable.queueAdds, registry));
  const queueSeconds = new Histogram(metricOptions(metricTable.queueSeconds, registry));
  const queueWorkSeconds = new Histogram(metricOptions(metricTable.queueWorkSeconds, registry));
  const queueRetries = new Counter(metricOptions(metricTable.queueRetries, registry));
  const regions = new Set<string>();
  const leaderStatus = new Gauge(metricOptions(metricTable.leaderStatus, registry));
  new Gauge(metricOptions(metricTable.buildInfo, registry)).set({ version, node: nodeVersion }, 1);
  const watchSizes = queueGauges(registry);
  const watchSilence = readingsGauge(registry, metricTable.watchSilentSeconds, ([resource, ms]: [string, number]) => [
    { resource },
    ms / 1000,
  ]);
  const watchForbidden = readingsGauge(
    registry,
    metricTable.watchForbidden,
    ({ resource, namespace = '' }: ForbiddenReading) => [{ resource, namespace }, 1],
  );
  const watchMissing = readingsGauge(registry, metricTable.watchNamespaceMissing, (namespace: string) => [
    { namespace },
    1,
  ]);
  const watchOrganizations = readingsGauge(
    registry,
    metricTable.konnectOrganizations,
    ({ count, ...labels }: OrganizationsReading) => [labels, count],
  );
  const watchRateLimit = readingsGauge(
    registry,
    metricTable.konnectRateLimit,
    ({ organization, region, rateLimit }: LimitReading) => rateLimit && [{ organization, region }, rateLimit.limit],
  );
  const watchRateRemaining = readingsGauge(
    registry,
    metricTable.konnectRateRemaining,
    ({ organization, region, rateLimit }: LimitReading) => rateLimit && [{ organization, region }, rateLimit.remaining],
  );
  const watchBudget = readingsGauge(
    registry,
    metricTable.konnectBudget,
    ({ organization, region, budget }: LimitReading) => [{ organization, region }, budget],
  );
  // A counter that begins with its first event would hide this event from increase().
  for (const cause of ['limited', 'failing']) konnectWithheld.inc({ cause }, 0);
  for (const cause of ['spec', 'secret']) applySeconds.zero({ cause });
  if (hasProcessMetrics) {
    collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: eventLoopTimerMs });
    for (const name of misnamedMetrics) registry.removeSingleMetric(name);
  }

  return {
    ...createForwardingMetrics(registry, nowMs),
    reconciled({ controller, outcome, durationMs }) {
      reconcileTotal.inc({ controller, result: results[outcome] });
      if (outcome === 'failed') reconcileErrors.inc({ controller });
      if (outcome === 'failed' || outcome === 'retry') queueRetries.inc(queueLabels(controller));
      reconcileSeconds.observe({ controller }, durationMs / 1000);
      queueWorkSeconds.observe(queueLabels(controller), durationMs / 1000);
    },
    konnectCalled({ operation, region: asked, status, kind, durationMs }) {
      if (regions.size < maxRegions) regions.add(asked);
      const region = regions.has(asked) ? asked : 'other';
      konnectRequests.inc({ operation, region, code: status?.toString() ?? kind ?? 'unknown' });
      konnectSeconds.observe({ operation }, durationMs / 1000);
    },
    konnectWaited(rank, waitedMs) {
      konnectWait.observe({ rank }, waitedMs / 1000);
    },
    konnectWithheld(cause) {
      konnectWithheld.inc({ cause });
    },
    applied(cause, durationMs) {
      applySeconds.observe({ cause }, durationMs / 1000);
    },
    apiCalled(host, method, code) {
      restClientRequests.inc({ code, method, host });
    },
    queueAdded(name) {
      queueAdds.inc(queueLabels(name));
    },
    queueTaken(name, waitedMs) {
      queueSeconds.observe(queueLabels(name), waitedMs / 1000);
    },
    watchOrganizations,
    watchLimits(read) {
      watchRateLimit(read);
      watchRateRemaining(read);
      watchBudget(read);
    },
    watchQueue(name, queue) {
      for (const result of Object.values(results)) reconcileTotal.inc({ controller: name, result }, 0);
      reconcileErrors.inc({ controller: name }, 0);
      queueAdds.inc(queueLabels(name), 0);
      queueRetries.inc(queueLabels(name), 0);
      watchSizes(name, queue);
    },
    watchSilence,
    watchForbidden,
    watchMissing,
    setLeader(lease, isLeader) {
      leaderStatus.set({ name: lease }, isLeader ? 1 : 0);
    },
    contentType: registry.contentType,
    text: () => registry.metrics(),
  };
}

/** Returns the labels of client-go's metrics. */
function queueLabels(name: string) {
  return { name, controller: name };
}

function queueGauges(registry: Registry): Metrics['watchQueue'] {
  const queues = new Map<string, QueueReadings>();
  const ofName = (name: string) => ({ name });
  const ofController = (controller: string) => ({ controller });
  const gauges: readonly [
    MetricDefinition,
    (name: string) => Record<string, string>,
    (queue: QueueReadings) => number,
  ][] = [
    [metricTable.queueDepth, ofName, (queue) => queue.size],
    [metricTable.queueDelayed, ofName, (queue) => queue.delayedSize],
    [metricTable.queueOldestSeconds, ofName, (queue) => queue.oldestWaitingMs / 1000],
    [metricTable.activeWorkers, ofController, (queue) => queue.inWorkSize],
    [
      metricTable.queueUnfinishedSeconds,
      queueLabels,
      ({ inWorkMs }) => inWorkMs.reduce((sum, ms) => sum + ms, 0) / 1000,
    ],
    [metricTable.queueLongestSeconds, queueLabels, ({ inWorkMs }) => Math.max(0, ...inWorkMs) / 1000],
  ];
  for (const [definition, labelsOf, read] of gauges) {
    readingsGauge(registry, definition, ([name, queue]: [string, QueueReadings]) => [labelsOf(name), read(queue)])(
      () => queues,
    );
  }
  return (name, queue) => {
    queues.set(name, queue);
  };
}
