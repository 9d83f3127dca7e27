import type { Behavior } from '../../sandbox/konnect/behavior.ts';
import { key } from '../support/forwarding-spec.ts';
import type { BehaviorName } from './behaviors.ts';
import { behaviors } from './behaviors.ts';
import type { Call, PlannedFault } from './faults.ts';
import { setUpOthers } from './fixtures.ts';
import { type ForeignObjects, snapshotForeign } from './foreign-objects.ts';
import { InvariantChecker } from './invariant-checker.ts';
import type { Violation } from './invariants.ts';
import { destinationsOf, pointsAt, webhooksOf } from './konnect-snapshot.ts';
import type { FinalState, Scenario } from './scenario.ts';
import type { SavedState } from './simulated-systems.ts';
import { SimulatedWorld } from './simulated-world.ts';

/** Number of resyncs after which a run must have converged, without those while a fault lasts for minutes. */
const maxResyncs = 16;
const restResyncs = 2;
/** The longest time to convergence if a fault lasts for 35 minutes, whatever `spec.interval` is. */
const maxRecoveryAfterFaultMs = 7_200_000;
/** The longest time to convergence without a fault, if Konnect delays nothing. */
const maxRecoveryMs = 90_000;

/** How a scenario is played. */
export interface Variant {
  readonly seed: number;
  /** Default: as the scenario says. */
  readonly behavior?: BehaviorName | undefined;
}

export interface Run extends Variant {
  readonly scenario: string;
  readonly plan: readonly PlannedFault[];
  /** True if the change was taken back and made again. */
  readonly isBack: boolean;
  /** The outside calls from the change to the end. */
  readonly calls: readonly Call[];
  /** False if a fault could not happen to its call, or there was no such call. Then the run equals another run. */
  readonly hadAllFaults: boolean;
  readonly violations: readonly Violation[];
  readonly resyncs: number;
  readonly recoveryMs: number;
  readonly history: readonly string[];
}

export interface RunOptions {
  /** Takes the change back when all is at rest, and makes it again. Default: false. */
  readonly isBack?: boolean;
  /** Default: false. */
  readonly recordsHistory?: boolean;
  /** Collects the digests of the observed states. */
  readonly states?: Set<string> | undefined;
}

/** The state before a scenario's change, at which any number of runs begin. */
export interface PreparedScenario extends Variant {
  readonly scenario: Scenario;
  readonly saved: SavedState;
  readonly foreign: ForeignObjects;
  /** What may be if a user has taken the change back. The first one is the state before the change. */
  readonly before: readonly FinalState[];
  /** True if the change is one of users in Kubernetes alone, so that a user can take it back. */
  readonly isRevertible: boolean;
}

function behaviorOf(scenario: Scenario, name: BehaviorName | undefined): Partial<Behavior> {
  return { ...(name === undefined ? {} : behaviors[name]), ...scenario.behavior };
}

/** Runs the scenario up to its change, without a fault. */
export async function prepareScenario(scenario: Scenario, variant: Variant = { seed: 1 }): Promise<PreparedScenario> {
  const { seed, behavior } = variant;
  const world = new SimulatedWorld({ behavior: behaviorOf(scenario, behavior), seed });
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
  const before = [stateBefore(world, foreign, scenario), ...(scenario.undone === undefined ? [] : [scenario.undone])];
  const saved = world.save();
  // What a forwarding owns that is suspended again is what the change has left.
  const isSuspended = world.kubernetes.objects.get(key)?.spec.suspend === true;
  const isRevertible = scenario.later === undefined && !isSuspended && !changesKonnect(scenario, world);
  return { scenario, seed, behavior, saved, foreign, before, isRevertible };
}

function stateBefore(world: SimulatedWorld, foreign: ForeignObjects, { mayBeTaken = [] }: Scenario): FinalState {
  const webhooks = webhooksOf(world).filter(({ name }) => !foreign.webhooks.has(name));
  const destinations = destinationsOf(world).filter(({ destination }) => !foreign.destinations.has(destination.id));
  return {
    after: Object.fromEntries(webhooks.map((one) => [one.name, pointsAt(one)])),
    destinations: destinations.map(({ name }) => name),
    mayRemain: mayBeTaken.flatMap((name) => [name, `blue/${name}`]),
    readiness: {
      [key]: 'gone',
      ...Object.fromEntries([...world.kubernetes.objects.keys()].map((of) => [of, world.readinessOf(of)])),
    },
  };
}

function changesKonnect(scenario: Scenario, world: SimulatedWorld): boolean {
  const states = () => JSON.stringify([webhooksOf(world).map(({ webhook }) => webhook), destinationsOf(world)]);
  const before = states();
  scenario.change(world);
  return states() !== before;
}

/** Runs the scenario from its change until it is at rest, with these faults. The same arguments give the same run. */
export async function runScenario(
  prepared: PreparedScenario,
  plan: readonly PlannedFault[],
  { isBack = false, recordsHistory = false, states }: RunOptions = {},
): Promise<Run> {
  const { scenario, seed, behavior, saved } = prepared;
  // The change begins in a new process, whose memory contains only what it has read.
  const world = new SimulatedWorld({ behavior: behaviorOf(scenario, behavior), seed, from: saved });
  await world.work();
  const history: string[] = [];
  world.startCounting(plan, world.kubernetes.events.length);
  const checker = new InvariantChecker(world, prepared, states, recordsHistory ? history : undefined);
  const startedMs = world.clock.ms;
  let ends = await change(world, scenario, checker);
  let resyncs = 0;
  let resyncsAfterFault = 0;
  const settle = async () => {
    checker.atRest();
    while (ends && resyncsAfterFault < maxResyncs && checker.missing().length > 0) {
      resyncs += 1;
      scenario.traffic?.(world);
      ends = await world.resync();
      if (!world.isFailing) resyncsAfterFault += 1;
    }
    checker.checkEnd();
  };
  await settle();
  if (isBack && world.undo()) {
    ends = await world.work();
    await settle();
  }
  if (world.isUndone && checker.violations.length === 0 && !world.wasDeletedByFault) {
    world.isUndone = false;
    ends = await change(world, scenario, checker);
    await settle();
  }
  const recoveryMs = world.clock.ms - startedMs;
  const needsResync = resyncs > 0 || scenario.later !== undefined;
  if (plan.length === 0 && !isBack && !needsResync && recoveryMs > maxRecoveryMs)
    checker.violate('converges', `without a fault, but after ${String(recoveryMs / 1_000)} seconds`);
  // Replays and verifications wait for deliveries and for lines.
  const waits = scenario.traffic !== undefined || scenario.verified !== undefined;
  if (plan.length === 0 && !isBack && prepared.isRevertible && !waits && resyncs > 0)
    checker.violate('converges', 'without a fault, but only after a resync');
  const isLasting = plan.length > 0 && plan.every(({ lasting }) => lasting !== undefined);
  if (isLasting && !waits && scenario.later === undefined && recoveryMs > maxRecoveryAfterFaultMs)
    checker.violate('converges', `only after ${String(Math.round(recoveryMs / 60_000))} minutes`);
  const calls = world.stopCounting();
  if (!ends) checker.violate('converges', 'the reconciliations do not end');
  // A resync finds what an old list has hidden or a refused call has left, records the time that an answer lacked, and corrects late changes of others.
  const isLate = plan.some(({ fault }) => /stale-list|^other-|^http-4/.test(fault));
  const mayWrite = isLate || !world.konnect.behavior.patchAnswersUpdatedAt ? 1 : 0;
  for (let count = 0; count < (scenario.resyncsBeforeRest ?? 0) + mayWrite; count += 1) await world.resync();
  if (ends) await checkRest(world, checker);
  if (world.unexpectedError !== undefined)
    checker.violate('sound', world.unexpectedError.stack ?? world.unexpectedError.message);
  return {
    scenario: scenario.title,
    plan,
    seed,
    behavior,
    isBack,
    calls,
    hadAllFaults: world.appliedFaults.length === plan.length,
    violations: checker.violations,
    resyncs,
    recoveryMs,
    history,
  };
}

/** Makes the scenario's changes, and works. Resolves with false if that does not end. */
async function change(world: SimulatedWorld, scenario: Scenario, checker: InvariantChecker): Promise<boolean> {
  scenario.change(world);
  checker.begin(scenario);
  world.observer = checker;
  let ends = await world.work();
  for (const step of scenario.later ?? []) {
    await world.resync();
    step(world);
    world.told('people make the next change');
    ends = await world.work();
  }
  return ends;
}

async function checkRest(world: SimulatedWorld, checker: InvariantChecker): Promise<void> {
  const before = world.writes;
  for (let count = 0; count < restResyncs; count += 1) await world.resync();
  if (world.writes > before) checker.violate('rests', `${String(world.writes - before)} writes`);
}
