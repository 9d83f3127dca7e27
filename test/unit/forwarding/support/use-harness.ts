import { afterEach, expect } from '@jest/globals';
import type { Behavior } from '../../../../sandbox/konnect/behavior.ts';
import { type SpecChoice, usual } from '../../../support/forwarding-spec.ts';
import { Harness } from './harness.ts';

/** Creates harnesses for the tests of one file. Closes them after each test, and checks that no output contains a canary. */
export function useHarness() {
  const harnesses: Harness[] = [];

  afterEach(async () => {
    for (const harness of harnesses.splice(0)) {
      const said = [harness.cluster.statuses, harness.status, harness.cluster.announcements];
      await harness[Symbol.asyncDispose]();
      expect(JSON.stringify(said)).not.toContain('CANARY');
    }
  });

  async function open(choice: SpecChoice = usual, behavior: Partial<Behavior> = {}): Promise<Harness> {
    const harness = await Harness.open(choice, { behavior });
    harnesses.push(harness);
    return harness;
  }

  /** A forwarding of the same name in another cluster, whose operator works in the same Konnect. */
  async function openBeside(first: Harness, choice: SpecChoice = usual): Promise<Harness> {
    const harness = await Harness.open(choice, { beside: first });
    harnesses.unshift(harness);
    return harness;
  }

  /** A forwarding that is in place, with everything that led there forgotten. */
  async function inPlace(choice: SpecChoice = usual, behavior: Partial<Behavior> = {}): Promise<Harness> {
    const harness = await open(choice, behavior);
    await harness.settle();
    await harness.reconcile();
    expect(harness.readiness).toBe('True InSync');
    harness.clearRecords();
    return harness;
  }

  return { open, openBeside, inPlace };
}

/** The ID of the only destination that Konnect has. */
export function onlyDestination(harness: Harness): string {
  const [only, ...others] = harness.destinations;
  if (only === undefined || others.length > 0) throw new TypeError('there is not exactly one destination');
  return only.id;
}

/** Reconciles when the shared list is old enough to be read again. */
export async function nextResync(harness: Harness): ReturnType<Harness['reconcile']> {
  harness.clock.ms += 600_000;
  return harness.reconcile();
}

/** Returns what a webhook points at, now and after each later call to Konnect, without repetitions. The list grows with the calls. */
export function recordTargets(harness: Harness, target: (harness: Harness) => string): string[] {
  const seen = [target(harness)];
  harness.onKonnectCall = () => {
    const now = target(harness);
    if (now !== seen.at(-1)) seen.push(now);
  };
  return seen;
}
