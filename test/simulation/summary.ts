import { planInWords } from './faults.ts';
import { type Invariant, invariants } from './invariants.ts';
import type { Run } from './runner.ts';

/** What many runs came to; survives being sent from one thread to another. */
export interface Tally {
  runs: number;
  /** Outside calls of all runs. */
  calls: number;
  /** Runs that needed a resync. */
  resynced: number;
  longestRecoveryMs: number;
  /** Runs in which each was violated. */
  violations: Partial<Record<Invariant, number>>;
  /** The first of them, at most so many as are kept. */
  failures: Failure[];
}

export interface Failure {
  readonly replay: string;
  readonly violations: readonly string[];
}

const mostFailures = 20;

export function emptyTally(): Tally {
  return { runs: 0, calls: 0, resynced: 0, longestRecoveryMs: 0, violations: {}, failures: [] };
}

export function count(tally: Tally, run: Run): void {
  tally.runs += 1;
  tally.calls += run.calls;
  if (run.resyncs > 0) tally.resynced += 1;
  tally.longestRecoveryMs = Math.max(tally.longestRecoveryMs, run.recoveryMs);
  for (const invariant of new Set(run.violations.map((one) => one.invariant))) {
    tally.violations[invariant] = (tally.violations[invariant] ?? 0) + 1;
  }
  if (run.violations.length > 0) keep(tally, failureOf(run));
}

export function merge(tally: Tally, other: Tally): void {
  tally.runs += other.runs;
  tally.calls += other.calls;
  tally.resynced += other.resynced;
  tally.longestRecoveryMs = Math.max(tally.longestRecoveryMs, other.longestRecoveryMs);
  for (const invariant of namesOf(other)) {
    tally.violations[invariant] = (tally.violations[invariant] ?? 0) + (other.violations[invariant] ?? 0);
  }
  for (const failure of other.failures) keep(tally, failure);
}

/** Those that were violated. */
export function namesOf({ violations }: Tally): Invariant[] {
  return allInvariants.filter((name) => (violations[name] ?? 0) > 0);
}

const allInvariants: readonly Invariant[] = Object.keys(invariants).filter((name): name is Invariant =>
  Object.hasOwn(invariants, name),
);

/** The command that plays the run again, with its history. */
export function replayOf({ story, plan, seed }: Pick<Run, 'story' | 'plan' | 'seed'>): string {
  const which = plan.length === 0 ? '' : ` --faults ${planInWords(plan)}`;
  return `npm run crash -- --story ${story}${which} --seed ${String(seed)} --history`;
}

function failureOf(run: Run): Failure {
  return {
    replay: replayOf(run),
    violations: run.violations.map(({ invariant, detail }) => `${invariant}: ${detail}`),
  };
}

function keep({ failures }: Tally, failure: Failure): void {
  if (failures.length < mostFailures) failures.push(failure);
}
