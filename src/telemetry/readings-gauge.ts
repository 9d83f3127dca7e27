/** How metrics are created, above all gauges whose values are read when metrics are requested. */
import { Gauge, type Registry } from 'prom-client';
import type { MetricDefinition } from './metric-table.ts';

/** One series. */
type Sample = [labels: Readonly<Record<string, string>>, value: number];

/** Adds a gauge that has, whenever metrics are requested, one sample for each reading that has one, and no other. Returns the function that sets the readings. */
export function readingsGauge<Reading>(
  registry: Registry,
  definition: MetricDefinition,
  sampleOf: (reading: Reading) => Sample | undefined,
): (readings: () => Iterable<Reading>) => void {
  let read: () => Iterable<Reading> = () => [];
  const gauge = new Gauge<string>({
    ...metricOptions(definition, registry),
    registers: [],
    collect() {
      this.reset();
      for (const reading of read()) {
        const sample = sampleOf(reading);
        if (sample !== undefined) this.set(...sample);
      }
    },
  });
  registry.registerMetric(gauge);
  return (readings) => {
    read = readings;
  };
}

/** Returns what prom-client needs to create a metric. */
export function metricOptions<T extends MetricDefinition>(definition: T, registry: Registry) {
  const { name, help, labels, buckets } = definition;
  const labelNames: T['labels'][number][] = [...labels];
  return { name, help, labelNames, registers: [registry], ...(buckets === undefined ? {} : { buckets: [...buckets] }) };
}
