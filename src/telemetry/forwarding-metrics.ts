/** The metrics of forwardings: series that come and go with a resource. */
import { Counter, Gauge, type Registry } from 'prom-client';
import { forwardingTable, metricTable } from './metric-table.ts';
import { metricOptions, readingsGauge } from './readings-gauge.ts';

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

type Labels = ReturnType<typeof labelsOf>;

interface Shown {
  readonly resource: Labels;
  readonly samples: readonly ForwardingSample[];
  /** Seconds since 1970, or `now`. Undefined before the first look. */
  readonly lastReady: number | 'now' | undefined;
}

/** Creates the metrics of forwardings in `registry`. `nowMs` returns the time of day. */
export function createForwardingMetrics(registry: Registry, nowMs: () => number): ForwardingMetrics {
  const { lastReady, ...rest } = forwardingTable;
  const gauges = new Map(
    Object.entries(rest).map(([metric, one]) => [metric, new Gauge<string>(metricOptions(one, registry))]),
  );
  const lastReconcile = new Gauge(metricOptions(metricTable.lastReconcile, registry));
  const counters = {
    corrections: new Counter<string>(metricOptions(metricTable.corrections, registry)),
    replays: new Counter<string>(metricOptions(metricTable.replays, registry)),
  };
  const all = new Map<string, Shown>();
  const watchLastReady = readingsGauge(registry, lastReady, ({ resource, lastReady: time }: Shown) =>
    // The value of a ready forwarding is the time of the request.
    time === undefined ? undefined : [resource, time === 'now' ? nowMs() / 1_000 : time],
  );
  watchLastReady(() => all.values());

  function remove({ resource, samples }: Shown): void {
    for (const { metric, labels: own } of samples) gauges.get(metric)?.remove({ ...resource, ...own });
  }

  return {
    show(shown, samples) {
      const resource = labelsOf(shown);
      const known = all.get(keyOf(resource));
      if (known === undefined)
        for (const { metric, labels } of Object.values(counted)) counters[metric].inc({ ...resource, ...labels }, 0);
      else remove(known);
      for (const { metric, labels: others, value } of samples)
        if (value !== 'now') gauges.get(metric)?.set({ ...resource, ...others }, value);
      const time = samples.find(({ metric }) => metric === 'lastReady')?.value;
      all.set(keyOf(resource), { resource, samples, lastReady: earlier(known?.lastReady, time) });
    },
    lookedAt(shown) {
      const resource = labelsOf(shown);
      if (all.has(keyOf(resource))) lastReconcile.set(resource, nowMs() / 1_000);
    },
    eventRecorded(shown, reason) {
      const resource = labelsOf(shown);
      const event = counted[reason];
      if (event !== undefined && all.has(keyOf(resource))) counters[event.metric].inc({ ...resource, ...event.labels });
    },
    forget(shown) {
      const resource = labelsOf(shown);
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

/** Returns the labels of a resource, without the other fields of an object's metadata. */
function labelsOf({ namespace, name }: Resource) {
  return { namespace, name };
}

function keyOf({ namespace, name }: Resource): string {
  return `${namespace}/${name}`;
}
