import { type Fault, faults, type PlannedFault } from './faults.ts';
import { setUpOthers } from './fixtures.ts';
import { type Foreign, Judge, snapshotForeign, type Violation } from './invariants.ts';
import type { Story } from './scenarios.ts';
import { type SavedWorld, World } from './simulated-world.ts';

/** How many resyncs a run may need before what is wanted stands. */
const mostResyncs = 4;
const rests = 2;

export interface Run {
  readonly story: string;
  readonly plan: readonly PlannedFault[];
  readonly seed: number;
  /** Outside calls from the change to the end. */
  readonly calls: number;
  /** False where a fault could not happen to the call of its number, or there was no such call: the run tells nothing new. */
  readonly isMet: boolean;
  readonly violations: readonly Violation[];
  readonly resyncs: number;
  readonly recoveryMs: number;
  readonly history: readonly string[];
}

export interface RunOptions {
  /** Whether the history is to be written down. */
  readonly tells?: boolean;
  /** Gathers what was seen. */
  readonly states?: Set<string>;
}

/** What a story's change finds, from which any number of runs begin. */
export interface Prepared {
  readonly story: Story;
  readonly seed: number;
  readonly saved: SavedWorld;
  readonly foreign: Foreign;
}

/** Plays the story up to its change, without a fault. */
export async function prepare(story: Story, seed = 1): Promise<Prepared> {
  const world = new World({ behavior: story.behavior, seed });
  setUpOthers(world);
  await world.work();
  story.foreign?.(world);
  const foreign = snapshotForeign(world, story);
  if (story.before !== undefined) {
    world.add(story.before);
    await world.work();
  }
  await story.prepare?.(world);
  await world.work();
  return { story, seed, saved: world.save(), foreign };
}

/** The story's change and all that follows it, to its rest, with these faults. The same arguments give the same run. */
export async function play(
  { story, seed, saved, foreign }: Prepared,
  plan: readonly PlannedFault[],
  { tells = false, states = new Set() }: RunOptions = {},
): Promise<Run> {
  // The change is worked on by a process that knows nothing but what it has read since it began.
  const world = new World({ behavior: story.behavior, seed, from: saved });
  await world.work();
  const history: string[] = [];
  const start = world.kubernetes.events.length;
  world.arm(plan, start);
  story.change(world);
  const judge = new Judge(world, story, foreign, states, tells ? history : undefined);
  world.witness = judge;
  const startedMs = world.clock.ms;
  let ends = await world.work();
  let resyncs = 0;
  while (ends && resyncs < mostResyncs && judge.shortfalls().length > 0) {
    resyncs += 1;
    ends = await world.interval();
  }
  const recoveryMs = world.clock.ms - startedMs;
  const { calls } = world;
  if (!ends) judge.violate('converges', 'there is no end of passes');
  judge.judgeEnd();
  world.disarm();
  // What a list as old as it may be has hidden is seen at the next resync.
  const hidden = plan.some(({ fault }) => fault.includes('stale-list')) ? 1 : 0;
  for (let count = 0; count < Math.max(story.settling ?? 0, hidden); count += 1) await world.interval();
  if (ends) await rest(world, judge);
  if (world.defect !== undefined) judge.violate('sound', world.defect.stack ?? world.defect.message);
  return {
    story: story.title,
    plan,
    seed,
    calls,
    isMet: world.met.length === plan.length,
    violations: judge.violations,
    resyncs,
    recoveryMs,
    history,
  };
}

async function rest(world: World, judge: Judge): Promise<void> {
  const before = world.writes;
  for (let count = 0; count < rests; count += 1) await world.interval();
  if (world.writes > before) judge.violate('rests', `${String(world.writes - before)} writes`);
}

/** Every fault at every call of the story; the first run is without any. */
export async function* singles(prepared: Prepared, options: RunOptions = {}): AsyncGenerator<Run> {
  const whole = await play(prepared, [], options);
  yield whole;
  for (let at = 1; at <= whole.calls; at += 1) {
    for (const fault of faultsOf(prepared)) {
      const run = await play(prepared, [{ at, fault }], options);
      if (run.isMet) yield run;
    }
  }
}

/** Every second fault at every later call of a run with this first one, as many as there are then. */
export async function* seconds(prepared: Prepared, first: Run, options: RunOptions = {}): AsyncGenerator<Run> {
  const [{ at } = { at: 0 }] = first.plan;
  for (let second = at + 1; second <= first.calls; second += 1) {
    for (const fault of faultsOf(prepared)) {
      const run = await play(prepared, [...first.plan, { at: second, fault }], options);
      if (run.isMet) yield run;
    }
  }
}

/** Where the story itself deletes, or nobody could undo it, it is not deleted by a fault. */
function faultsOf({ story }: Prepared): readonly Fault[] {
  return story.deletable === true ? faults : faults.filter((fault) => fault !== 'crash-after+deleted');
}
