import { type Fault, faults, type PlannedFault } from './faults.ts';
import { setUpOthers } from './fixtures.ts';
import { type ForeignObjects, snapshotForeign } from './foreign-objects.ts';
import { InvariantChecker, type Violation } from './invariants.ts';
import type { Scenario } from './scenario.ts';
import { type SavedState, SimulatedWorld } from './simulated-world.ts';

/** Number of resyncs after which a run must have converged. */
const maxResyncs = 4;
const restResyncs = 2;

export interface Run {
  readonly scenario: string;
  readonly plan: readonly PlannedFault[];
  readonly seed: number;
  /** Number of outside calls from the change to the end. */
  readonly calls: number;
  /** False if a fault could not happen to its call, or there was no such call. Then the run equals another run. */
  readonly hadAllFaults: boolean;
  readonly violations: readonly Violation[];
  readonly resyncs: number;
  readonly recoveryMs: number;
  readonly history: readonly string[];
}

export interface RunOptions {
  /** Default: false. */
  readonly recordsHistory?: boolean;
  /** Collects the digests of the observed states. */
  readonly states?: Set<string>;
}

/** The state before a scenario's change, at which any number of runs begin. */
export interface PreparedScenario {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly saved: SavedState;
  readonly foreign: ForeignObjects;
}

/** Runs the scenario up to its change, without a fault. */
export async function prepareScenario(scenario: Scenario, seed = 1): Promise<PreparedScenario> {
  const world = new SimulatedWorld({ behavior: scenario.behavior, seed });
  setUpOthers(world);
  await world.work();
  scenario.foreign?.(world);
  const foreign = snapshotForeign(world, scenario);
  if (scenario.before !== undefined) {
    world.add(scenario.before);
    await world.work();
  }
  await scenario.prepare?.(world);
  await world.work();
  return { scenario, seed, saved: world.save(), foreign };
}

/** Runs the scenario from its change until it is at rest, with these faults. The same arguments give the same run. */
export async function runScenario(
  { scenario, seed, saved, foreign }: PreparedScenario,
  plan: readonly PlannedFault[],
  { recordsHistory = false, states = new Set() }: RunOptions = {},
): Promise<Run> {
  // The change begins in a new process, whose memory contains only what it has read.
  const world = new SimulatedWorld({ behavior: scenario.behavior, seed, from: saved });
  await world.work();
  const history: string[] = [];
  const start = world.kubernetes.events.length;
  world.startCounting(plan, start);
  scenario.change(world);
  const checker = new InvariantChecker(world, scenario, foreign, states, recordsHistory ? history : undefined);
  world.observer = checker;
  const startedMs = world.clock.ms;
  let ends = await world.work();
  for (const step of scenario.later ?? []) {
    await world.resync();
    step(world);
    ends = await world.work();
  }
  let resyncs = 0;
  while (ends && resyncs < maxResyncs && checker.missing().length > 0) {
    resyncs += 1;
    ends = await world.resync();
  }
  const recoveryMs = world.clock.ms - startedMs;
  const { calls } = world;
  if (!ends) checker.violate('converges', 'the reconciliations do not end');
  checker.checkEnd();
  world.stopCounting();
  // An old list may hide an object until the next resync.
  const hidden = plan.some(({ fault }) => fault.includes('stale-list')) ? 1 : 0;
  for (let count = 0; count < Math.max(scenario.resyncsBeforeRest ?? 0, hidden); count += 1) await world.resync();
  if (ends) await checkRest(world, checker);
  if (world.unexpectedError !== undefined)
    checker.violate('sound', world.unexpectedError.stack ?? world.unexpectedError.message);
  return {
    scenario: scenario.title,
    plan,
    seed,
    calls,
    hadAllFaults: world.appliedFaults.length === plan.length,
    violations: checker.violations,
    resyncs,
    recoveryMs,
    history,
  };
}

async function checkRest(world: SimulatedWorld, checker: InvariantChecker): Promise<void> {
  const before = world.writes;
  for (let count = 0; count < restResyncs; count += 1) await world.resync();
  if (world.writes > before) checker.violate('rests', `${String(world.writes - before)} writes`);
}

/** Yields a run without a fault, and then one run for every fault at every call. */
export async function* runsWithOneFault(prepared: PreparedScenario, options: RunOptions = {}): AsyncGenerator<Run> {
  const whole = await runScenario(prepared, [], options);
  yield whole;
  for (let at = 1; at <= whole.calls; at += 1) {
    for (const fault of faultsOf(prepared)) {
      const run = await runScenario(prepared, [{ at, fault }], options);
      if (run.hadAllFaults) yield run;
    }
  }
}

/** Yields one run for every second fault at every later call, after the given first fault. */
export async function* runsWithSecondFault(
  prepared: PreparedScenario,
  first: Run,
  options: RunOptions = {},
): AsyncGenerator<Run> {
  const [{ at } = { at: 0 }] = first.plan;
  for (let second = at + 1; second <= first.calls; second += 1) {
    for (const fault of faultsOf(prepared)) {
      const run = await runScenario(prepared, [...first.plan, { at: second, fault }], options);
      if (run.hadAllFaults) yield run;
    }
  }
}

/** Leaves out the fault that deletes the forwarding, if the scenario itself deletes it or no token could remove the rest. */
function faultsOf({ scenario }: PreparedScenario): readonly Fault[] {
  return scenario.deletable === true ? faults : faults.filter((fault) => fault !== 'crash-after+deleted');
}
