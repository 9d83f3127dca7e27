import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { type MetricDefinition, metricTable } from './metric-table.ts';

export interface ReconcileMeasurement {
  controller: string;
  /** `aborted`: the process was stopping. */
  outcome: 'done' | 'requeue' | 'retry' | 'failed' | 'aborted';
  durationMs: number;
}

export interface KonnectCallMeasurement {
  operation: string;
  status: number | undefined;
  kind: string | undefined;
  durationMs: number;
}

/** What a work queue tells about itself; read when metrics are asked for. */
export interface QueueReadings {
  readonly size: number;
  readonly delayedSize: number;
  readonly inWorkSize: number;
  readonly oldestWaitingMs: number;
}

/** So many organizations are in this state in this region; read when metrics are asked for. */
export interface OrganizationsReading {
  readonly region: string;
  readonly state: string;
  readonly count: number;
}

export interface ConditionReading {
  type: string;
  status: string;
}

export interface Metrics {
  reconciled(measurement: ReconcileMeasurement): void;
  konnectCalled(measurement: KonnectCallMeasurement): void;
  /** Before a request to Konnect was sent. */
  konnectWaited(rank: string, waitedMs: number): void;
  /** A request to Konnect was not sent. */
  konnectWithheld(cause: string): void;
  /** From now on these numbers are among the metrics. */
  watchOrganizations(read: () => readonly OrganizationsReading[]): void;
  /** From now on the queue's numbers are among the metrics. `name` is the controller's, too. */
  watchQueue(name: string, queue: QueueReadings): void;
  /** From now on what `readMs` answers, milliseconds by resource, is among the metrics. */
  watchSilence(readMs: () => ReadonlyMap<string, number>): void;
  /** Replaces what is known of one resource's conditions. */
  setConditions(resource: { namespace: string; name: string }, conditions: readonly ConditionReading[]): void;
  /** To be called when the resource is gone, so that its series end. */
  forgetConditions(resource: { namespace: string; name: string }): void;
  /** `lease` is its name. */
  setLeads(lease: string, leads: boolean): void;
  /** All metrics in Prometheus' text format, of which this is the Content-Type. */
  readonly contentType: string;
  text(): Promise<string>;
}

export interface MetricsOptions {
  version: string;
  nodeVersion: string;
  /** Memory, CPU, event loop and garbage collection of the process, under prom-client's names. On unless `false`. */
  processMetrics?: boolean;
}

const results = {
  done: 'success',
  requeue: 'requeue_after',
  retry: 'requeue',
  failed: 'error',
  aborted: 'cut_off',
} as const satisfies Record<ReconcileMeasurement['outcome'], string>;

/** Metrics with a registry of their own, so that two operators in one process do not meet. */
export function createMetrics({ version, nodeVersion, processMetrics = true }: MetricsOptions): Metrics {
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
  const watchSilence = silenceGauge(registry);
  const watchOrganizations = organizationsGauge(registry);
  if (processMetrics) collectDefaultMetrics({ register: registry });

  const shown = new Map<string, readonly ConditionReading[]>();
  function forgetConditions({ namespace, name }: { namespace: string; name: string }): void {
    const key = `${namespace}/${name}`;
    for (const { type, status } of shown.get(key) ?? []) condition.remove({ namespace, name, type, status });
    shown.delete(key);
  }

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
    setConditions({ namespace, name }, conditions) {
      forgetConditions({ namespace, name });
      for (const { type, status } of conditions) condition.set({ namespace, name, type, status }, 1);
      shown.set(
        `${namespace}/${name}`,
        conditions.map(({ type, status }) => ({ type, status })),
      );
    },
    forgetConditions,
    setLeads(lease, leads) {
      leaderStatus.set({ name: lease }, leads ? 1 : 0);
    },
    contentType: registry.contentType,
    text: () => registry.metrics(),
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

function silenceGauge(registry: Registry): Metrics['watchSilence'] {
  let silenceMs: () => ReadonlyMap<string, number> = () => new Map();
  const gauge = new Gauge({
    ...options(metricTable.watchSilentSeconds, registry),
    registers: [],
    collect() {
      for (const [resource, ms] of silenceMs()) this.set({ resource }, ms / 1000);
    },
  });
  registry.registerMetric(gauge);
  return (readMs) => {
    silenceMs = readMs;
  };
}

function organizationsGauge(registry: Registry): Metrics['watchOrganizations'] {
  let read: () => readonly OrganizationsReading[] = () => [];
  const gauge = new Gauge<'region' | 'state'>({
    ...options(metricTable.konnectOrganizations, registry),
    registers: [],
    collect() {
      this.reset();
      for (const { region, state, count } of read()) this.set({ region, state }, count);
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
