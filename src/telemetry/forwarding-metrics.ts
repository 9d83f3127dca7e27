/** The metrics of forwardings: series that come and go with a resource. */
import { Counter, Gauge, type Registry } from 'prom-client';
import { forwardingTable, type MetricDefinition, metricTable } from './metric-table.ts';

export interface Resource {
  readonly namespace: string;
  readonly name: string;
}

/** One series of a forwarding, without the labels `namespace` and `name`. */
export interface ForwardingSample {
  readonly metric: keyof typeof forwardingTable;
  readonly labels: Readonly<Record<string, string>>;
  /** `now`: the time at which metrics are requested. Only for `lastReady`. */
  readonly value: number | 'now';
}

export interface ForwardingMetrics {
  /** Replaces all series of one forwarding. */
  show(resource: Resource, samples: readonly ForwardingSample[]): void;
  /** Records that a reconciliation has ended that needs no retry. */
  lookedAt(resource: Resource): void;
  /** Counts an event about a correction or a replay. Ignores the other events. */
  eventRecorded(resource: Resource, reason: string): void;
  /** Removes the series of a deleted forwarding. */
  forget(resource: Resource): void;
}

/** The counters of events, by their reasons. */
const counted: Readonly<
  Record<string, { readonly metric: 'corrections' | 'replays'; readonly labels: Readonly<Record<string, string>> }>
> = {
  DestinationCorrected: { metric: 'corrections', labels: { object: 'destination' } },
  WebhookCorrected: { metric: 'corrections', labels: { object: 'webhook' } },
  ReplayStarted: { metric: 'replays', labels: { result: 'requested' } },
  ReplayCompleted: { metric: 'replays', labels: { result: 'completed' } },
  ReplayFailed: { metric: 'replays', labels: { result: 'failed' } },
};

interface Shown {
  readonly resource: Resource;
  readonly samples: readonly ForwardingSample[];
  /** Seconds since 1970, or `now`. Undefined before the first look. */
  readonly lastReady: number | 'now' | undefined;
}

/** Creates the metrics of forwardings in `registry`. `nowMs` returns the time of day. */
export function createForwardingMetrics(registry: Registry, nowMs: () => number): ForwardingMetrics {
  const gauges = new Map(
    Object.entries(forwardingTable).map(([metric, definition]) => [metric, gaugeOf(definition, registry)]),
  );
  const lastReconcile = gaugeOf(metricTable.lastReconcile, registry);
  const counters = {
    corrections: counterOf(metricTable.corrections, registry),
    replays: counterOf(metricTable.replays, registry),
  };
  const all = new Map<string, Shown>();

  const lastReady = gauges.get('lastReady');
  const showLastReady = () => {
    for (const { resource, lastReady: time } of all.values())
      if (time !== undefined) lastReady?.set({ ...resource }, time === 'now' ? nowMs() / 1_000 : time);
  };
  // The value of a ready forwarding is the time of the request.
  if (lastReady !== undefined) Object.assign(lastReady, { collect: showLastReady });

  function remove({ resource, samples }: Shown): void {
    for (const { metric, labels: own } of samples) gauges.get(metric)?.remove({ ...resource, ...own });
  }

  return {
    show({ namespace, name: own }, samples) {
      const resource = { namespace, name: own };
      const known = all.get(keyOf(resource));
      if (known === undefined)
        for (const { metric, labels } of Object.values(counted)) counters[metric].inc({ ...resource, ...labels }, 0);
      else remove(known);
      for (const { metric, labels: others, value } of samples)
        if (value !== 'now') gauges.get(metric)?.set({ ...resource, ...others }, value);
      const time = samples.find(({ metric }) => metric === 'lastReady')?.value;
      all.set(keyOf(resource), { resource, samples, lastReady: earlier(known?.lastReady, time) });
    },
    lookedAt({ namespace, name: own }) {
      const resource = { namespace, name: own };
      if (all.has(keyOf(resource))) lastReconcile.set(resource, nowMs() / 1_000);
    },
    eventRecorded({ namespace, name: own }, reason) {
      const resource = { namespace, name: own };
      const event = counted[reason];
      if (event !== undefined && all.has(keyOf(resource))) counters[event.metric].inc({ ...resource, ...event.labels });
    },
    forget({ namespace, name: own }) {
      const resource = { namespace, name: own };
      const known = all.get(keyOf(resource));
      if (known === undefined) return;
      remove(known);
      lastReconcile.remove(resource);
      for (const { metric, labels } of Object.values(counted)) counters[metric].remove({ ...resource, ...labels });
      all.delete(keyOf(resource));
    },
  };
}

/** Returns since when a forwarding is not ready: Ready may change from False to Unknown and back without being True in between. */
function earlier(known: Shown['lastReady'], next: Shown['lastReady']): Shown['lastReady'] {
  return typeof known === 'number' && typeof next === 'number' ? Math.min(known, next) : next;
}

function keyOf({ namespace, name }: Resource): string {
  return `${namespace}/${name}`;
}

function gaugeOf({ name, help, labels }: MetricDefinition, registry: Registry): Gauge {
  return new Gauge<string>({ name, help, labelNames: [...labels], registers: [registry] });
}

function counterOf({ name, help, labels }: MetricDefinition, registry: Registry): Counter {
  return new Counter<string>({ name, help, labelNames: [...labels], registers: [registry] });
}
