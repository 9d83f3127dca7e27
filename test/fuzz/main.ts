/** `npm run fuzz -- --minutes N [--only PART] [--seed S]`: generates invalid input for the operator, part after part. */
import { parseArgs } from 'node:util';
import * as fc from 'fast-check';
import { parts } from './parts.ts';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '5' }, only: { type: 'string' }, seed: { type: 'string' } },
});
const minutes = Number(values.minutes);
const firstSeed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
const chosen = parts.filter(({ name }) => values.only === undefined || name === values.only);
if (!(minutes > 0) || !Number.isInteger(firstSeed) || chosen.length === 0) {
  process.stderr.write(
    `--minutes is a number, --seed a whole one, --only one of ${parts.map(({ name }) => name).join(', ')}\n`,
  );
  process.exit(2);
}

const longestTold = 4_000;
let findings = 0;
for (const { name, open } of chosen) {
  const startedMs = performance.now();
  const untilMs = startedMs + (minutes * 60_000) / chosen.length;
  let runs = 0;
  let seed = firstSeed;
  await using opened = await open();
  for (; performance.now() < untilMs; seed += 1) {
    const result = await fc.check(opened.property, {
      seed,
      numRuns: 500,
      interruptAfterTimeLimit: Math.max(1, untilMs - performance.now()),
    });
    runs += result.numRuns;
    if (!result.failed || result.counterexample === null) continue;
    findings += 1;
    const error =
      result.errorInstance instanceof Error ? (result.errorInstance.stack ?? '') : String(result.errorInstance);
    process.stdout.write(
      `finding in ${name}, seed ${String(result.seed)}, path ${result.counterexamplePath ?? ''}:\n${fc.stringify(result.counterexample).slice(0, longestTold)}\n${error.slice(0, longestTold)}\n`,
    );
  }
  const seconds = (performance.now() - startedMs) / 1_000;
  const perSecond = (runs / seconds).toFixed(0);
  process.stdout.write(
    `${name}: ${String(runs)} runs in ${seconds.toFixed(0)} s (${perSecond} a second), seeds ${String(firstSeed)} to ${String(seed - 1)}\n`,
  );
}
process.stdout.write(findings === 0 ? 'no findings\n' : `${String(findings)} findings\n`);
process.exitCode = findings === 0 ? 0 : 1;
