import { afterEach, expect } from '@jest/globals';
import type { Behaviour } from '../../sandbox/konnect/behaviour.ts';
import { type SpecChoice, Stage, usual } from './stage.ts';

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

  async function open(choice: SpecChoice = usual, behaviour: Partial<Behaviour> = {}): Promise<Stage> {
    const stage = await Stage.open(choice, behaviour);
    stages.push(stage);
    return stage;
  }

  /** A forwarding that is in place, with everything that led there forgotten. */
  async function inPlace(choice: SpecChoice = usual, behaviour: Partial<Behaviour> = {}): Promise<Stage> {
    const stage = await open(choice, behaviour);
    await stage.settle();
    await stage.pass();
    expect(stage.verdict).toBe('True InSync');
    stage.forget();
    return stage;
  }

  return { open, inPlace };
}
