/** Results as files: one for each row and number of forwardings, so that a later run of one row replaces only that row. */
import { execFileSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { kubernetesVersion } from '../../sandbox/control-plane/go-build.ts';
import type { Row } from './row.ts';

const FigureResult = z.object({
  name: z.string(),
  unit: z.string(),
  better: z.literal('more').optional(),
  isCount: z.literal(true).optional(),
  targets: z.array(z.object({ ratioTo: z.string().optional(), limit: z.number() })).optional(),
  /** Measured values by contender. */
  values: z.record(z.string(), z.array(z.number()).min(1)),
});
export type FigureResult = z.infer<typeof FigureResult>;

const RowResult = z.object({
  row: z.string(),
  title: z.string(),
  forwardings: z.number(),
  measuredAt: z.string(),
  commit: z.string(),
  machine: z.record(z.string(), z.union([z.string(), z.number()])),
  versions: z.record(z.string(), z.string()),
  note: z.string().optional(),
  figures: z.array(FigureResult),
});
export type RowResult = z.infer<typeof RowResult>;

/** Values by row, figure and contender, as they are measured. */
export class Collected {
  readonly #values = new Map<string, Record<string, number[]>>();

  add(contender: string, row: string, figure: string, values: number | readonly number[]): void {
    const key = JSON.stringify([row, figure]);
    const all = this.#values.get(key) ?? {};
    all[contender] = [...(all[contender] ?? []), ...(typeof values === 'number' ? [values] : values)];
    this.#values.set(key, all);
  }

  /** Returns the results of a row. Figures without values are left out. */
  of(row: Row): FigureResult[] {
    return row.figures.flatMap((figure) => {
      const values = this.#values.get(JSON.stringify([row.name, figure.name]));
      if (values === undefined) return [];
      const targets = figure.targets?.map((target) => ({ ...target }));
      return [{ ...figure, targets, values }];
    });
  }
}

/** Returns what identifies a run. `more` has the versions of what the contenders use. */
export function provenance(
  note: string,
  more: ReadonlyMap<string, string> = new Map(),
): Omit<RowResult, 'row' | 'title' | 'forwardings' | 'figures'> {
  const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8' }).trim();
  const isChanged = git('status', '--porcelain', '--untracked-files=no', '--', 'src', 'scripts', 'package.json') !== '';
  return {
    measuredAt: new Date().toISOString(),
    commit: git('rev-parse', 'HEAD') + (isChanged ? ' with changes' : ''),
    machine: {
      processor: cpus()[0]?.model ?? 'unknown',
      processors: cpus().length,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      system: `${type()} ${release()}`,
    },
    versions: { node: process.version, kubernetes: kubernetesVersion, ...Object.fromEntries(more) },
    ...(note === '' ? {} : { note }),
  };
}

const fileOf = ({ row, forwardings }: Pick<RowResult, 'row' | 'forwardings'>) =>
  forwardings === 0 ? `${row}.json` : `${row}-${String(forwardings)}.json`;

export async function writeResult(folder: string, result: RowResult): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, fileOf(result)), `${JSON.stringify(result, undefined, 2)}\n`);
}

/** Resolves with all results of a folder, by row and then by the number of forwardings. */
export async function readResults(folder: string): Promise<RowResult[]> {
  const files = globSync('*.json', { cwd: folder });
  const results = await Promise.all(
    files.map(async (file) => RowResult.parse(JSON.parse(await readFile(join(folder, file), 'utf8')))),
  );
  return results.toSorted((a, b) => a.row.localeCompare(b.row) || a.forwardings - b.forwardings);
}
