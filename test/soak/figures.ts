/** Resource usage of the operator's process, from its metrics. */
import { setTimeout as delay } from 'node:timers/promises';

export interface Figures {
  readonly residentMiB: number;
  readonly heapMiB: number;
  readonly files: number;
  readonly timers: number;
  readonly sockets: number;
}

/** Resolves with the present resident memory. */
export async function residentMemoryMiB(metricsURL: string): Promise<number> {
  return (await sample(metricsURL)).residentMiB;
}

/** Resolves with the minimum of each figure over `seconds`, so that garbage does not count. */
export async function measure(metricsURL: string, seconds: number): Promise<Figures> {
  const samples: Figures[] = [];
  for (let second = 0; second < seconds; second += 1) {
    samples.push(await sample(metricsURL));
    await delay(1_000);
  }
  const least = (name: keyof Figures) => Math.min(...samples.map((one) => one[name]));
  return {
    residentMiB: least('residentMiB'),
    heapMiB: least('heapMiB'),
    files: least('files'),
    timers: least('timers'),
    sockets: least('sockets'),
  };
}

async function sample(metricsURL: string): Promise<Figures> {
  const page = await (await fetch(metricsURL)).text();
  const value = (series: string) => {
    const line = page.split('\n').find((one) => one.startsWith(`${series} `));
    return Number(line?.slice(series.length + 1) ?? 0);
  };
  return {
    residentMiB: value('process_resident_memory_bytes') / 2 ** 20,
    heapMiB: value('nodejs_heap_size_used_bytes') / 2 ** 20,
    files: value('process_open_fds'),
    timers: value('nodejs_active_resources{type="Timeout"}'),
    sockets: value('nodejs_active_resources{type="TCPSocketWrap"}') + value('nodejs_active_resources{type="TLSWrap"}'),
  };
}

/** Allowed growth of a figure from the first to the last third of the rounds, without the warm-up. */
const maxGrowth: Record<keyof Figures, (before: number) => number> = {
  residentMiB: (before) => 0.1 * before + 8,
  heapMiB: (before) => 0.1 * before + 4,
  files: () => 6,
  timers: (before) => 0.2 * before + 6,
  sockets: () => 6,
};

export interface Growth {
  readonly name: keyof Figures;
  /** Medians of the first and the last third. */
  readonly before: number;
  readonly after: number;
  /** Slope by least squares, without the warm-up. */
  readonly perHour: number;
  readonly isLeak: boolean;
}

/** Returns the growth of each figure. `rounds` are in order. `minutes` is the time of a round. The first round is warm-up. */
export function growths(rounds: readonly { readonly minutes: number; readonly figures: Figures }[]): Growth[] {
  const warm = rounds.slice(1);
  const third = Math.ceil(warm.length / 3);
  const names: (keyof Figures)[] = ['residentMiB', 'heapMiB', 'files', 'timers', 'sockets'];
  return names.map((name) => {
    const before = median(warm.slice(0, third).map(({ figures }) => figures[name]));
    const after = median(warm.slice(-third).map(({ figures }) => figures[name]));
    const points = warm.map(({ minutes, figures }): [number, number] => [minutes / 60, figures[name]]);
    return { name, before, after, perHour: slope(points), isLeak: after > before + maxGrowth[name](before) };
  });
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function slope(points: readonly [number, number][]): number {
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  const [meanX, meanY] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  return spread === 0 ? 0 : points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread;
}
