import { planInWords } from './faults.ts';
import { type Invariant, invariants } from './invariants.ts';
import type { Run } from './runner.ts';

/** Results of many runs. Plain data, so that threads can exchange it. */
export interface Summary {
  runs: number;
  /** Number of outside calls of all runs. */
  calls: number;
  /** Number of runs that needed a resync. */
  resynced: number;
  longestRecoveryMs: number;
  /** Number of runs with a violation, by invariant. */
  violations: Partial<Record<Invariant, number>>;
  /** The first failures of each kind, up to a maximum number. */
  failures: Failure[];
}

/** Runs of one scenario with the same violations are one failure. */
export interface Failure {
  readonly scenario: string;
  readonly replay: string;
  readonly violations: readonly string[];
}

const maxFailures = 20;

export function emptySummary(): Summary {
  return { runs: 0, calls: 0, resynced: 0, longestRecoveryMs: 0, violations: {}, failures: [] };
}

export function addRun(summary: Summary, run: Run): void {
  summary.runs += 1;
  summary.calls += run.calls.length;
  if (run.resyncs > 0) summary.resynced += 1;
  summary.longestRecoveryMs = Math.max(summary.longestRecoveryMs, run.recoveryMs);
  for (const invariant of new Set(run.violations.map((one) => one.invariant))) {
    summary.violations[invariant] = (summary.violations[invariant] ?? 0) + 1;
  }
  if (run.violations.length > 0) addFailure(summary, failureOf(run));
}

export function addSummary(summary: Summary, other: Summary): void {
  summary.runs += other.runs;
  summary.calls += other.calls;
  summary.resynced += other.resynced;
  summary.longestRecoveryMs = Math.max(summary.longestRecoveryMs, other.longestRecoveryMs);
  for (const invariant of violatedInvariants(other)) {
    summary.violations[invariant] = (summary.violations[invariant] ?? 0) + (other.violations[invariant] ?? 0);
  }
  for (const failure of other.failures) addFailure(summary, failure);
}

/** Returns the violated invariants. */
export function violatedInvariants({ violations }: Summary): Invariant[] {
  return allInvariants.filter((name) => (violations[name] ?? 0) > 0);
}

const allInvariants: readonly Invariant[] = Object.keys(invariants).filter((name): name is Invariant =>
  Object.hasOwn(invariants, name),
);

/** Returns the command that repeats the run, with its history. */
export function replayOf({ scenario, behavior, isBack, plan, seed }: Run): string {
  const which = plan.length === 0 ? '' : ` --faults ${planInWords(plan)}`;
  const how = `${behavior === undefined ? '' : ` --behavior ${behavior}`}${isBack ? ' --back' : ''}`;
  return `npm run crash -- --story ${scenario}${how}${which} --seed ${String(seed)} --history`;
}

function failureOf(run: Run): Failure {
  return {
    scenario: run.scenario,
    replay: replayOf(run),
    violations: run.violations.map(({ invariant, detail }) => `${invariant}: ${detail}`),
  };
}

function addFailure({ failures }: Summary, failure: Failure): void {
  const isKnown = failures.some(
    ({ scenario, violations }) =>
      scenario === failure.scenario && violations.join('\n') === failure.violations.join('\n'),
  );
  if (!isKnown && failures.length < maxFailures) failures.push(failure);
}
