import { afterEach, expect } from '@jest/globals';
import type { Behavior } from '../../../../sandbox/konnect/behavior.ts';
import { type SpecChoice, Stage, usual } from './harness.ts';

/** Stages for the tests of one file, closed after each; nothing that came out of one may hold a canary. */
export function useStages() {
  const stages: Stage[] = [];

  afterEach(async () => {
    for (const stage of stages.splice(0)) {
      const said = [stage.cluster.statuses, stage.status, stage.cluster.announcements];
      await stage[Symbol.asyncDispose]();
      expect(JSON.stringify(said)).not.toContain('CANARY');
    }
  });

  async function open(choice: SpecChoice = usual, behavior: Partial<Behavior> = {}): Promise<Stage> {
    const stage = await Stage.open(choice, behavior);
    stages.push(stage);
    return stage;
  }

  /** A forwarding that is in place, with everything that led there forgotten. */
  async function inPlace(choice: SpecChoice = usual, behavior: Partial<Behavior> = {}): Promise<Stage> {
    const stage = await open(choice, behavior);
    await stage.settle();
    await stage.pass();
    expect(stage.verdict).toBe('True InSync');
    stage.forget();
    return stage;
  }

  return { open, inPlace };
}

/** The ID of the only destination that Konnect has. */
export function onlyDestination(stage: Stage): string {
  const [only, ...others] = stage.destinations;
  if (only === undefined || others.length > 0) throw new TypeError('there is not exactly one destination');
  return only.id;
}

/** A pass after the shared list is old enough to be read again. */
export async function nextPass(stage: Stage): ReturnType<Stage['pass']> {
  stage.clock.ms += 600_000;
  return stage.pass();
}
