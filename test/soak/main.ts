/**
 * `npm run soak`: people make, change and delete forwardings while faults rain on Konnect and the API server is restarted now and then. After
 * each storm all must come out as wanted, then nothing may be written any more, and the operator may not have grown. Exit code 0 only then.
 */
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { untilInterrupted } from '../../sandbox/until-interrupted.ts';
import { forwardingsPath } from '../../src/resources/forwarding-resource.ts';
import { readArguments, type SoakArguments, usage } from './arguments.ts';
import { memoryLimitMiB, startWorld, type World } from './environment.ts';
import { clear, rain } from './faults.ts';
import { type Figures, growths, measure, residentNow } from './figures.ts';
import { differences } from './invariants.ts';
import { type Chance, chanceOf } from './random.ts';
import { createPeople, type People } from './workload.ts';

const patienceMs = 240_000;
const restSeconds = 45;
/** So that a round in four has one. */
const roundsPerRestart = 4;

const write = (line: string) => void process.stdout.write(`${line}\n`);
const column = (value: number | string, width = 9) =>
  (typeof value === 'number' ? value.toFixed(0) : value).padStart(width);

async function storm(
  { konnect, controlPlane, operator }: World,
  people: People,
  { round, chance, stormMs }: { round: number; chance: Chance; stormMs: number },
): Promise<{ faults: number; peakMiB: number }> {
  const endsAt = performance.now() + stormMs;
  const restartAt = round % roundsPerRestart === 0 ? performance.now() + stormMs / 2 : Infinity;
  let restarted: Promise<void> | undefined;
  let faults = 0;
  let peakMiB = 0;
  while (performance.now() < endsAt) {
    // What people do waits while the API server is away.
    await restarted;
    if (restarted === undefined && performance.now() > restartAt) restarted = controlPlane.restart('kube-apiserver');
    else await people.act();
    if (chance.next() < 0.5) rain(konnect.control, chance);
    faults += konnect.control.calls().filter((call) => call.faults.length > 0).length;
    konnect.control.clearCalls();
    peakMiB = Math.max(peakMiB, await residentNow(operator.metricsURL));
    await delay(chance.below(400));
  }
  await restarted;
  if (peakMiB > memoryLimitMiB)
    throw new Error(`${peakMiB.toFixed(0)} MiB in a storm: the chart's limit is ${String(memoryLimitMiB)}`);
  return { faults, peakMiB };
}

/** How long it took until all was as wanted, in seconds. */
async function converge(world: World, people: People, round: number): Promise<number> {
  const startedMs = performance.now();
  clear(world.konnect.control);
  await people.settle(round);
  for (;;) {
    const found = await differences(world, people.wanted);
    if (found.length === 0) return (performance.now() - startedMs) / 1_000;
    if (performance.now() - startedMs > patienceMs)
      throw new Error(
        `not as wanted ${String(patienceMs / 1_000)} s after the storm:\n  ${found.slice(0, 20).join('\n  ')}`,
      );
    await delay(1_000);
  }
}

/** Rejects where anything is written to Konnect or to a forwarding meanwhile. */
async function rest({ konnect, kube, operator }: World): Promise<{ figures: Figures; reads: number }> {
  const versions = async () => {
    const { items } = await kube.list<{ metadata: { uid: string; resourceVersion: string } }>(forwardingsPath());
    return items
      .map(({ metadata }) => `${metadata.uid} ${metadata.resourceVersion}`)
      .toSorted()
      .join('\n');
  };
  // What came last may still be written down: the first time that a destination's update is read back, say.
  await delay(5_000);
  konnect.control.clearCalls();
  const before = await versions();
  const figures = await measure(operator.metricsURL, restSeconds);
  const calls = konnect.control.calls();
  const writes = calls.filter(({ method }) => method !== 'GET');
  if (writes.length > 0)
    throw new Error(`written to Konnect at rest: ${writes.map(({ operation = '?' }) => operation).join(', ')}`);
  if ((await versions()) !== before) throw new Error('forwardings were written at rest');
  return { figures, reads: calls.length };
}

async function soak({ minutes, forwardings, seed, stormSeconds }: SoakArguments): Promise<void> {
  write(
    `==> seed ${String(seed)}, ${String(forwardings)} forwardings, ${String(minutes)} minutes; Node ${process.version}, ${process.platform}-${process.arch}`,
  );
  await import('../../scripts/build.ts');
  const world = await startWorld(forwardings, (line) => write(`==> ${line}`));
  try {
    const chance = chanceOf(seed);
    const people = createPeople(world, forwardings, chance);
    const rounds: { minutes: number; figures: Figures }[] = [];
    const startedMs = performance.now();
    const elapsed = () => (performance.now() - startedMs) / 60_000;
    write(
      [
        'minute',
        'deeds',
        'faults',
        'settled s',
        'reads',
        'peak MiB',
        'RSS MiB',
        'heap MiB',
        'files',
        'timers',
        'sockets',
      ]
        .map((head) => column(head))
        .join(' '),
    );
    let done = 0;
    for (let round = 1; elapsed() < minutes || rounds.length < 3; round += 1) {
      const { faults, peakMiB } = await storm(world, people, { round, chance, stormMs: stormSeconds * 1_000 });
      const settled = await converge(world, people, round);
      const { figures, reads } = await rest(world);
      const deeds = [...people.deeds.values()].reduce((sum, count) => sum + count, 0);
      rounds.push({ minutes: elapsed(), figures });
      const { residentMiB, heapMiB, files, timers, sockets } = figures;
      write(
        [elapsed(), deeds - done, faults, settled, reads, peakMiB, residentMiB, heapMiB, files, timers, sockets]
          .map((value) => column(value))
          .join(' '),
      );
      done = deeds;
    }
    write(`==> done by people: ${[...people.deeds].map(([deed, count]) => `${deed} ${String(count)}`).join(', ')}`);
    const grown = growths(rounds);
    for (const { name, before, after, perHour, isLeak } of grown)
      write(
        `==> ${name}: ${before.toFixed(1)} at first, ${after.toFixed(1)} at last, ${perHour.toFixed(1)} an hour${isLeak ? ': A LEAK' : ''}`,
      );
    if (grown.some(({ isLeak }) => isLeak)) throw new Error('the operator has grown');
  } catch (error) {
    const log = (await world.operator.output()).split('\n').slice(-40).join('\n');
    write(`The operator's log ends with:\n${log}`);
    throw error;
  } finally {
    await world.stop();
  }
}

function argumentsOrExit(): SoakArguments {
  try {
    return readArguments(process.argv.slice(2), Math.random);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return process.exit(2);
  }
}

async function interruption(): Promise<never> {
  await untilInterrupted();
  throw new Error('interrupted');
}

const wish = argumentsOrExit();
try {
  await Promise.race([soak(wish), interruption()]);
  write(`==> nothing missed, nothing written at rest, nothing grown`);
} catch (error) {
  write(`==> ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
process.exit();
