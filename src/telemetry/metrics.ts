import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { type MetricDefinition, metricTable } from './metric-table.ts';

export interface ReconcileMeasurement {
  controller: string;
  /** `aborted`: the process is stopping. */
  outcome: 'done' | 'requeue' | 'retry' | 'failed' | 'aborted';
  durationMs: number;
}

export interface KonnectCallMeasurement {
  operation: string;
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

export interface ConditionReading {
  type: string;
  status: string;
  reason: string;
}

export interface Metrics {
  reconciled(measurement: ReconcileMeasurement): void;
  konnectCalled(measurement: KonnectCallMeasurement): void;
  /** Records how long a request to Konnect waited before it was sent. */
  konnectWaited(rank: string, waitedMs: number): void;
  /** Records a request to Konnect that was not sent. */
  konnectWithheld(cause: string): void;
  /** Adds these numbers to the metrics. `read` is called when metrics are requested. */
  watchOrganizations(read: () => readonly OrganizationsReading[]): void;
  /** Adds the sizes of a queue to the metrics. `name` is also the name of its controller. */
  watchQueue(name: string, queue: QueueReadings): void;
  /** Adds the milliseconds that `readMs` returns for each resource to the metrics. */
  watchSilence(readMs: () => ReadonlyMap<string, number>): void;
  /** Shows in which namespaces the API server forbids to list or watch a resource. */
  watchForbidden(read: () => readonly ForbiddenReading[]): void;
  /** Shows which namespaces do not exist although the operator is to watch them. */
  watchMissing(read: () => readonly string[]): void;
  /** Replaces the conditions of one resource. */
  setConditions(resource: { namespace: string; name: string }, conditions: readonly ConditionReading[]): void;
  /** Replaces the number of webhooks in each state of one resource. `states` has one entry for each webhook. */
  setDeliveries(resource: { namespace: string; name: string }, states: readonly string[]): void;
  /** Removes the series of a deleted resource. */
  forget(resource: { namespace: string; name: string }): void;
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
}

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

/** Creates metrics with a registry of their own, so that two operators in one process do not conflict. */
export function createMetrics({ version, nodeVersion, hasProcessMetrics = true }: MetricsOptions): Metrics {
  const registry = new Registry();
  const reconcileTotal = new Counter(options(metricTable.reconcileTotal, registry));
  const reconcileErrors = new Counter(options(metricTable.reconcileErrors, registry));
  const reconcileSeconds = new Histogram(options(metricTable.reconcileSeconds, registry));
  const konnectRequests = new Counter(options(metricTable.konnectRequests, registry));
  const konnectSeconds = new Histogram(options(metricTable.konnectSeconds, registry));
  const konnectWait = new Histogram(options(metricTable.konnectWaitSeconds, registry));
  const konnectWithheld = new Counter(options(metricTable.konnectWithheld, registry));
  const condition = new Gauge(options(metricTable.condition, registry));
  const leaderStatus = new Gauge(options(metricTable.leaderStatus, registry));
  new Gauge(options(metricTable.buildInfo, registry)).set({ version, node: nodeVersion }, 1);
  const watchQueue = queueGauges(registry);
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
  if (hasProcessMetrics) {
    collectDefaultMetrics({ register: registry });
    for (const name of misnamedMetrics) registry.removeSingleMetric(name);
  }

  const conditions = resourceGauge(condition);
  const deliveries = resourceGauge(new Gauge(options(metricTable.webhooks, registry)));

  return {
    reconciled({ controller, outcome, durationMs }) {
      reconcileTotal.inc({ controller, result: results[outcome] });
      if (outcome === 'failed') reconcileErrors.inc({ controller });
      reconcileSeconds.observe({ controller }, durationMs / 1000);
    },
    konnectCalled({ operation, status, kind, durationMs }) {
      konnectRequests.inc({ operation, code: status?.toString() ?? kind ?? 'unknown' });
      konnectSeconds.observe({ operation }, durationMs / 1000);
    },
    konnectWaited(rank, waitedMs) {
      konnectWait.observe({ rank }, waitedMs / 1000);
    },
    konnectWithheld(cause) {
      konnectWithheld.inc({ cause });
    },
    watchOrganizations,
    watchQueue,
    watchSilence,
    watchForbidden,
    watchMissing,
    setConditions(resource, current) {
      conditions.set(
        resource,
        current.map(({ type, status, reason }) => ({ labels: { type, status, reason: wordOf(reason) }, value: 1 })),
      );
    },
    setDeliveries(resource, states) {
      const counts = new Map<string, number>();
      for (const state of states) counts.set(state, (counts.get(state) ?? 0) + 1);
      deliveries.set(
        resource,
        [...counts].map(([state, value]) => ({ labels: { state }, value })),
      );
    },
    forget(resource) {
      conditions.set(resource, []);
      deliveries.set(resource, []);
    },
    setLeader(lease, isLeader) {
      leaderStatus.set({ name: lease }, isLeader ? 1 : 0);
    },
    contentType: registry.contentType,
    text: () => registry.metrics(),
  };
}

/** Returns the reason as a label. A tenant may write status, and a label must not carry the text of a tenant. */
function wordOf(reason: string): string {
  return /^\w{1,64}$/.test(reason) ? reason : 'other';
}

/** Returns a setter that replaces all series of one resource. */
function resourceGauge<Label extends string>(gauge: Gauge<Label | 'namespace' | 'name'>) {
  const shown = new Map<string, readonly Readonly<Record<Label, string>>[]>();
  return {
    set(
      { namespace, name }: { namespace: string; name: string },
      series: readonly { readonly labels: Readonly<Record<Label, string>>; readonly value: number }[],
    ): void {
      const key = `${namespace}/${name}`;
      for (const labels of shown.get(key) ?? []) gauge.remove({ namespace, name, ...labels });
      for (const { labels, value } of series) gauge.set({ namespace, name, ...labels }, value);
      if (series.length === 0) shown.delete(key);
      else
        shown.set(
          key,
          series.map(({ labels }) => labels),
        );
    },
  };
}

function queueGauges(registry: Registry): Metrics['watchQueue'] {
  const queues = new Map<string, QueueReadings>();
  const gauges = [
    { definition: metricTable.queueDepth, label: 'name', read: (queue: QueueReadings) => queue.size },
    { definition: metricTable.queueDelayed, label: 'name', read: (queue: QueueReadings) => queue.delayedSize },
    {
      definition: metricTable.queueOldestSeconds,
      label: 'name',
      read: (queue: QueueReadings) => queue.oldestWaitingMs / 1000,
    },
    { definition: metricTable.activeWorkers, label: 'controller', read: (queue: QueueReadings) => queue.inWorkSize },
  ] as const;
  for (const { definition, label, read } of gauges) {
    const gauge = new Gauge<string>({
      ...options(definition, registry),
      registers: [],
      collect() {
        for (const [name, queue] of queues) this.set({ [label]: name }, read(queue));
      },
    });
    registry.registerMetric(gauge);
  }
  return (name, queue) => {
    queues.set(name, queue);
  };
}

/** Adds a gauge that has, whenever metrics are requested, one sample for each reading and no other. Returns the function that sets the readings. */
function readingsGauge<Reading>(
  registry: Registry,
  definition: MetricDefinition,
  sampleOf: (reading: Reading) => [labels: Readonly<Record<string, string>>, value: number],
): (readings: () => Iterable<Reading>) => void {
  let read: () => Iterable<Reading> = () => [];
  const gauge = new Gauge<string>({
    ...options(definition, registry),
    registers: [],
    collect() {
      this.reset();
      for (const reading of read()) this.set(...sampleOf(reading));
    },
  });
  registry.registerMetric(gauge);
  return (readings) => {
    read = readings;
  };
}

function options<T extends MetricDefinition>(definition: T, registry: Registry) {
  const { name, help, labels, buckets } = definition;
  const labelNames: T['labels'][number][] = [...labels];
  return { name, help, labelNames, registers: [registry], ...(buckets === undefined ? {} : { buckets: [...buckets] }) };
}
