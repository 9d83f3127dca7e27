/**
 * `npm run soak`: simulated users create, change and delete forwardings during faults of Konnect and restarts of the API server. After the faults of
 * each round, Konnect must have what they want. Then the operator must write nothing more and must not have grown. Otherwise the exit code is 1.
 */
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { untilInterrupted } from '../../sandbox/until-interrupted.ts';
import type { Status } from '../../src/api/v1alpha1.ts';
import { forwardingsPath } from '../../src/resources/forwarding-resource.ts';
import { type Random, seededRandom } from '../support/random.ts';
import { readArguments, type SoakArguments, usage } from './arguments.ts';
import { type Environment, memoryLimitMiB, startEnvironment } from './environment.ts';
import { clearFaults, injectFault } from './faults.ts';
import { type Figures, growths, measure, residentMemoryMiB } from './figures.ts';
import { differences } from './invariants.ts';
import { createWorkload, type Workload } from './workload.ts';

/** The request budget of each organization and region limits how fast many forwardings can settle. */
const convergenceTimeoutMs = (forwardings: number) => 240_000 + 300 * forwardings;
const restSeconds = 45;
/** One round in four has a restart. */
const roundsPerRestart = 4;

const write = (line: string) => void process.stdout.write(`${line}\n`);
const column = (value: number | string, width = 9) =>
  (typeof value === 'number' ? value.toFixed(0) : value).padStart(width);

async function faultPhase(
  { konnect, controlPlane, operator }: Environment,
  workload: Workload,
  { round, random, stormMs }: { round: number; random: Random; stormMs: number },
): Promise<{ faults: number; peakMiB: number }> {
  const endsAt = performance.now() + stormMs;
  const restartAt = round % roundsPerRestart === 0 ? performance.now() + stormMs / 2 : Infinity;
  let restarted: Promise<void> | undefined;
  let faults = 0;
  let peakMiB = 0;
  while (performance.now() < endsAt) {
    // The actions wait while the API server restarts.
    await restarted;
    if (restarted === undefined && performance.now() > restartAt) restarted = controlPlane.restart('kube-apiserver');
    else await workload.act();
    if (random.next() < 0.5) injectFault(konnect.control, random);
    faults += konnect.control.calls().filter((call) => call.faults.length > 0).length;
    konnect.control.clearCalls();
    peakMiB = Math.max(peakMiB, await residentMemoryMiB(operator.metricsURL));
    await delay(random.below(400));
  }
  await restarted;
  if (peakMiB > memoryLimitMiB)
    throw new Error(`${peakMiB.toFixed(0)} MiB during faults: the chart's limit is ${String(memoryLimitMiB)}`);
  return { faults, peakMiB };
}

/** Ends the faults and waits until everything is as wanted. Resolves with the duration in seconds. */
async function waitUntilConverged(
  environment: Environment,
  workload: Workload,
  { round, timeoutMs }: { round: number; timeoutMs: number },
): Promise<number> {
  const startedMs = performance.now();
  clearFaults(environment.konnect.control);
  await workload.complete(round);
  for (;;) {
    const found = await differences(environment, workload.wanted);
    if (found.length === 0) return (performance.now() - startedMs) / 1_000;
    if (performance.now() - startedMs > timeoutMs)
      throw new Error(
        `not as wanted ${String(timeoutMs / 1_000)} s after the faults:\n  ${found.slice(0, 20).join('\n  ')}`,
      );
    await delay(1_000);
  }
}

/** Rejects if the operator writes to Konnect or to a forwarding at rest. Resolves with its resource usage. */
async function checkRest({ konnect, kube, operator }: Environment): Promise<{ figures: Figures; reads: number }> {
  // The time of the last comparison is written once an hour.
  const states = async () => {
    const { items } = await kube.list<{
      metadata: { namespace: string; name: string; finalizers?: string[] };
      status: Status;
    }>(forwardingsPath());
    return items.map(({ metadata: { namespace, name, finalizers }, status: { lastObservedTime: _time, ...status } }) =>
      JSON.stringify({ forwarding: `${namespace}/${name}`, finalizers, status }),
    );
  };
  // The last reconciliation may still write, for example the time of an update that it reads for the first time.
  await delay(5_000);
  konnect.control.clearCalls();
  const before = new Set(await states());
  const figures = await measure(operator.metricsURL, restSeconds);
  const calls = konnect.control.calls();
  const writes = calls.filter(({ method }) => method !== 'GET');
  if (writes.length > 0)
    throw new Error(`writes to Konnect at rest: ${writes.map(({ operation = '?' }) => operation).join(', ')}`);
  const written = (await states()).filter((state) => !before.delete(state));
  if (written.length > 0 || before.size > 0)
    throw new Error(`writes to forwardings at rest, before:\n${[...before].join('\n')}\nafter:\n${written.join('\n')}`);
  return { figures, reads: calls.length };
}

async function soak({ minutes, forwardings, seed, stormSeconds }: SoakArguments): Promise<void> {
  write(
    `==> seed ${String(seed)}, ${String(forwardings)} forwardings, ${String(minutes)} minutes; Node ${process.version}, ${process.platform}-${process.arch}`,
  );
  await import('../../scripts/build.ts');
  const environment = await startEnvironment(forwardings, (line) => write(`==> ${line}`));
  try {
    const random = seededRandom(seed);
    const workload = createWorkload(environment, forwardings, random);
    const rounds: { minutes: number; figures: Figures }[] = [];
    const startedMs = performance.now();
    const elapsed = () => (performance.now() - startedMs) / 60_000;
    write(
      [
        'minute',
        'actions',
        'faults',
        'converged s',
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
      const { faults, peakMiB } = await faultPhase(environment, workload, {
        round,
        random,
        stormMs: stormSeconds * 1_000,
      });
      const settled = await waitUntilConverged(environment, workload, {
        round,
        timeoutMs: convergenceTimeoutMs(forwardings),
      });
      const { figures, reads } = await checkRest(environment);
      const actions = [...workload.actions.values()].reduce((sum, count) => sum + count, 0);
      rounds.push({ minutes: elapsed(), figures });
      const { residentMiB, heapMiB, files, timers, sockets } = figures;
      write(
        [elapsed(), actions - done, faults, settled, reads, peakMiB, residentMiB, heapMiB, files, timers, sockets]
          .map((value) => column(value))
          .join(' '),
      );
      done = actions;
    }
    write(
      `==> actions of the simulated users: ${[...workload.actions].map(([action, count]) => `${action} ${String(count)}`).join(', ')}`,
    );
    const grown = growths(rounds);
    for (const { name, before, after, perHour, isLeak } of grown)
      write(
        `==> ${name}: ${before.toFixed(1)} in the first third, ${after.toFixed(1)} in the last, ${perHour.toFixed(1)} per hour${isLeak ? ': A LEAK' : ''}`,
      );
    if (grown.some(({ isLeak }) => isLeak)) throw new Error('the operator has grown');
  } catch (error) {
    const log = (await environment.operator.output()).split('\n').slice(-40).join('\n');
    write(`The end of the operator's log:\n${log}`);
    throw error;
  } finally {
    await environment.stop();
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

const soakArguments = argumentsOrExit();
try {
  await Promise.race([soak(soakArguments), interruption()]);
  write(`==> nothing missed, no writes at rest, no growth`);
} catch (error) {
  write(`==> ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
process.exit();
