/**
 * `npm run bench`: measures the operator beside its peers, in turns. The exit code is 1 if a row cannot be measured, or if `--compare` finds that a
 * ratio has become worse.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { untilInterrupted } from '../../sandbox/until-interrupted.ts';
import { type BenchArguments, readArguments, usage } from './arguments.ts';
import { compare } from './comparison.ts';
import { measurements } from './measurements.ts';
import { publishedFiles, resultsFolder } from './publish.ts';
import { Collected, provenance, type RowResult, readResults, writeResult } from './results.ts';
import type { Bench, Measurement } from './row.ts';
import { tableOf } from './table.ts';

const write = (line: string) => void process.stdout.write(`${line}\n`);
const allRows = measurements.flatMap(({ rows }) => rows);

async function argumentsOrExit(): Promise<BenchArguments> {
  if (process.argv.includes('--help')) {
    process.stdout.write(usage(allRows));
    return process.exit(0);
  }
  try {
    return await readArguments(process.argv.slice(2), allRows);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage(allRows)}`);
    return process.exit(2);
  }
}

/** Runs the contenders of a measurement in turns. Resolves with the results of the wanted rows. */
async function measure(
  { rows, contenders }: Measurement,
  bench: Bench,
  { rows: wanted, times, forwardings, note }: BenchArguments,
): Promise<RowResult[]> {
  const chosen = rows.filter(({ name }) => wanted.includes(name));
  if (chosen.length === 0) return [];
  const collected = new Collected();
  const all = await contenders(bench, new Set(chosen.map(({ name }) => name)));
  for (let time = 1; time <= times; time += 1) {
    for (const contender of all) {
      bench.progress(`${chosen.map(({ name }) => name).join(', ')}: ${contender.name}, run ${String(time)}`);
      const sample = await contender.measure();
      for (const [row, figures] of Object.entries(sample))
        for (const [figure, values] of Object.entries(figures)) collected.add(contender.name, row, figure, values);
    }
  }
  const origin = provenance(note, bench.versions);
  return chosen.map((row) => {
    const size = { forwardings: row.forwardings ?? forwardings };
    return { row: row.name, title: row.title, ...size, ...origin, figures: collected.of(row) };
  });
}

async function runAll(args: BenchArguments, bench: Bench): Promise<void> {
  const results: RowResult[] = [];
  for (const measurement of measurements) {
    const found = await measure(measurement, bench, args);
    for (const result of found) if (!args.isComparison) await writeResult(args.results, result);
    for (const line of tableOf(found)) write(line);
    results.push(...found);
  }
  if (args.isComparison) failIfWorse(await readResults(args.results), results);
  else if (args.results === resolve(resultsFolder))
    for (const [file, text] of await publishedFiles()) await writeFile(file, text);
}

function failIfWorse(before: readonly RowResult[], after: readonly RowResult[]): void {
  const { compared, worse } = compare(before, after);
  if (worse.length > 0) throw new Error(`worse by more than a third:\n  ${worse.join('\n  ')}`);
  if (compared === 0) throw new Error('the earlier results have no ratio and no count of these rows');
  write(`==> ${String(compared)} ratios and counts compared, none is worse by more than a third`);
}

async function interruption(): Promise<never> {
  await untilInterrupted();
  throw new Error('interrupted');
}

const given = await argumentsOrExit();
const folder = await mkdtemp(join(tmpdir(), 'bench-'));
const stops: (() => Promise<unknown>)[] = [];
try {
  await import('../../scripts/build.ts');
  const bench: Bench = {
    forwardings: given.forwardings,
    peers: given.peers,
    ...(given.profiles === undefined ? {} : { profiles: given.profiles }),
    folder,
    versions: new Map(),
    progress: (line) => void process.stderr.write(`==> ${line}\n`),
    onEnd: (stop) => void stops.push(stop),
  };
  await Promise.race([runAll(given, bench), interruption()]);
} catch (error) {
  write(`==> ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  process.exitCode = 1;
}
for (const stop of stops.toReversed()) await stop();
await rm(folder, { recursive: true, force: true });
process.exit();
