/** All runs of a scenario, in families. */
import { randomOf } from '../support/random.ts';
import { type BehaviorName, behaviorNames, isBehaviorName } from './behaviors.ts';
import { type Act, acts, applies, type Fault, faults, lastingFaults, type PlannedFault } from './faults.ts';
import { type PreparedScenario, type Run, type RunOptions, runScenario } from './runner.ts';

/**
 * - `faults`: one fault at one call
 * - `lasting`: the same, and the same call fails again, four times or for 35 minutes
 * - `acts`: people act after one call
 * - `back`: a user takes the change back when all is at rest, and makes it again; one fault at one call
 * - a name of a behavior: one fault at one call, while Konnect behaves so
 */
export const families = ['faults', 'lasting', 'acts', 'back', ...behaviorNames] as const;
export type Family = (typeof families)[number];

export function isFamily(text: string): text is Family {
  return families.some((family) => family === text);
}

/** Returns how Konnect behaves in the runs of the family. */
export function behaviorIn(family: Family | 'pairs'): BehaviorName | undefined {
  return isBehaviorName(family) ? family : undefined;
}

const lengths = [{ times: 4 }, { minutes: 35 }] as const;

/** Yields a run without a fault, and then every run of the family, for which the scenario is prepared. `select` leaves runs out. */
export async function* runsOf(
  prepared: PreparedScenario,
  family: Family,
  options: RunOptions = {},
  select: (plans: readonly PlannedFault[]) => readonly PlannedFault[] = (plans) => plans,
): AsyncGenerator<Run> {
  const isBack = family === 'back';
  if (isBack && !prepared.isRevertible) return;
  const whole = await runScenario(prepared, [], { ...options, isBack });
  yield whole;
  for (const planned of select(plansOf(prepared, family, whole))) {
    const run = await runScenario(prepared, [planned], { ...options, isBack });
    if (run.hadAllFaults) yield run;
  }
}

/** Yields one run for every second fault at every later call, after the given first fault. */
export async function* runsWithSecondFault(
  prepared: PreparedScenario,
  first: Run,
  options: RunOptions = {},
): AsyncGenerator<Run> {
  const [{ at } = { at: 0 }] = first.plan;
  for (const second of singles(first, faultsOf(prepared)).filter((one) => one.at > at)) {
    const run = await runScenario(prepared, [...first.plan, second], options);
    if (run.hadAllFaults) yield run;
  }
}

/** Returns at most this number of the plans, chosen at random. */
export function sampleOf(plans: readonly PlannedFault[], count: number, seed: number): readonly PlannedFault[] {
  const random = randomOf(seed);
  const chosen = plans.map((plan) => ({ plan, at: random() })).toSorted((a, b) => a.at - b.at);
  return chosen.slice(0, count).map(({ plan }) => plan);
}

/** Returns the faults of the family, or the acts, at every call of the run. */
function plansOf(prepared: PreparedScenario, family: Family, whole: Run): readonly PlannedFault[] {
  switch (family) {
    case 'lasting':
      return singles(whole, lastingFaults).flatMap((planned) => lengths.map((lasting) => ({ ...planned, lasting })));
    case 'acts':
      return whole.calls.flatMap((_call, index) => actsOf(prepared).map((fault) => ({ at: index + 1, fault })));
    case 'back':
      return singles(
        whole,
        faults.filter((fault) => fault !== 'crash-after+deleted'),
      );
    case 'faults':
    case 'lenient':
    case 'harsh':
    case 'regional-v3':
    case 'regional-v2':
      return singles(whole, faultsOf(prepared));
  }
}

function singles({ calls }: Run, of: readonly Fault[]): readonly PlannedFault[] {
  return calls.flatMap((call, index) =>
    of.filter((fault) => applies(fault, call)).map((fault) => ({ at: index + 1, fault })),
  );
}

/** Leaves out the fault that deletes the forwarding, if the scenario itself deletes it or no token could remove the rest. */
function faultsOf({ scenario }: PreparedScenario): readonly Fault[] {
  return scenario.deletable === true ? faults : faults.filter((fault) => fault !== 'crash-after+deleted');
}

/** Leaves out what the operator would have to correct where it may write nothing. */
function actsOf({ scenario, isRevertible }: PreparedScenario): readonly Act[] {
  return acts.filter((act) => {
    if (act === 'user-undoes') return isRevertible;
    return act === 'user-edits' || scenario.writesNothing !== true;
  });
}
