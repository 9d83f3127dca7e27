import { faults, type PlannedFault } from './faults.ts';
import { Judge, snapshotForeign, type Violation } from './judge.ts';
import type { Story } from './stories.ts';
import { World } from './world.ts';

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
  readonly seed?: number;
  /** Whether the history is to be written down. */
  readonly tells?: boolean;
  /** Gathers what was seen. */
  readonly states?: Set<string>;
}

/** One story from its beginning to its rest, with these faults. The same arguments give the same run. */
export async function play(story: Story, plan: readonly PlannedFault[], options: RunOptions = {}): Promise<Run> {
  const { seed = 1, tells = false, states = new Set() } = options;
  const world = new World({ behaviour: story.behaviour, seed });
  await world.work();
  story.foreign?.(world);
  const foreign = snapshotForeign(world, story);
  if (story.before !== undefined) {
    world.add(story.before);
    await world.work();
  }
  await story.prepare?.(world);
  await world.work();
  // The change is worked on by a process that knows nothing yet.
  world.restart();
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
  for (let count = 0; count < (story.settling ?? 0); count += 1) await world.interval();
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
export async function* singles(story: Story, options: RunOptions = {}): AsyncGenerator<Run> {
  const whole = await play(story, [], options);
  yield whole;
  for (let at = 1; at <= whole.calls; at += 1) {
    for (const fault of faults) {
      const run = await play(story, [{ at, fault }], options);
      if (run.isMet) yield run;
    }
  }
}

/** Every second fault at every later call of a run with this first one, as many as there are then. */
export async function* seconds(story: Story, first: Run, options: RunOptions = {}): AsyncGenerator<Run> {
  const [{ at } = { at: 0 }] = first.plan;
  for (let second = at + 1; second <= first.calls; second += 1) {
    for (const fault of faults) {
      const run = await play(story, [...first.plan, { at: second, fault }], options);
      if (run.isMet) yield run;
    }
  }
}
