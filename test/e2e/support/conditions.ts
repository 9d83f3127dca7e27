/** Rules that every status must follow, and the check of a status that shows a problem. */
import { expect } from '@jest/globals';
import { type Condition, pendingCondition } from '../../../src/api/v1alpha1.ts';
import { eventually } from '../../support/eventually.ts';
import type { Environment } from './environment.ts';
import { conditionOf, type ForwardingObject } from './forwarding-object.ts';

export interface ExpectedProblem {
  readonly reason: string;
  /** The condition beside `Ready`. */
  readonly mark: 'Stalled' | 'Reconciling';
  /** The condition of the part that has the problem. None if the problem is a cleanup elsewhere. */
  readonly part?: 'SecretsResolved' | 'DestinationReady' | 'WebhooksReady';
  /** Default: `False`. */
  readonly ready?: Condition['status'];
  /** Parts of the message: the object, the cause, the way out. */
  readonly says: readonly string[];
}

/** Waits for this problem, checks all conditions and the event. Resolves with the object. */
export async function expectProblem(
  environment: Environment,
  name: string,
  trouble: ExpectedProblem,
): Promise<ForwardingObject> {
  const { reason, mark, part, ready = 'False', says } = trouble;
  const object = await environment.waitFor(name, (one) => {
    const condition = conditionOf(one, mark);
    if (condition?.reason !== reason || condition.observedGeneration !== one.metadata.generation) return false;
    // On a busy machine the same reason may first have another cause, for example a timeout before the HTTP status that is expected.
    if (!says.every((words) => condition.message.includes(words))) return false;
    // A resync may come before the change that the test made. Until the operator sees the change, Ready keeps its status.
    return conditionOf(one, 'Ready')?.status === ready;
  });
  expectLegal(object);
  const marked = conditionOf(object, mark);
  const message = marked?.message ?? '';
  expect(marked).toMatchObject({ status: 'True', reason });
  expect(conditionOf(object, 'Ready')).toMatchObject(
    ready === 'True' ? { status: 'True' } : { status: ready, reason, message },
  );
  if (part !== undefined && ready !== 'True') {
    expect(conditionOf(object, part)).toMatchObject({ status: ready, reason });
    for (const words of says) expect(conditionOf(object, part)?.message).toContain(words);
  }
  const type = reason === 'HandingOver' ? 'Normal' : 'Warning';
  await expectEvent(environment, name, { type, reason, note: message });
  return object;
}

export interface ExpectedEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  /** The whole note, or a pattern that it matches. */
  readonly note: string | RegExp;
}

/** Waits for an event about the forwarding. */
export async function expectEvent(
  environment: Environment,
  name: string,
  { type, reason, note }: ExpectedEvent,
): Promise<void> {
  await eventually(async () => {
    const events = (await environment.events(name)).map((one) => ({
      type: one.type,
      reason: one.reason,
      note: one.note,
    }));
    expect(events).toContainEqual({
      type,
      reason,
      note: typeof note === 'string' ? note : expect.stringMatching(note),
    });
  });
}

/** True if the operator has observed the present generation, with any result. */
export function isAnswered({ metadata, status }: ForwardingObject): boolean {
  return status.observedGeneration === metadata.generation;
}

/** Checks the rules that hold in every state. */
export function expectLegal(object: ForwardingObject): void {
  const { status, metadata } = object;
  const conditions = status.conditions ?? [];
  if (status.observedGeneration === -1) {
    expect(status).toEqual({ observedGeneration: -1, conditions: [pendingCondition] });
    return;
  }
  const types = new Set(conditions.filter((one) => one.status === 'True').map(({ type }) => type));
  expect(types.has('Stalled') && types.has('Reconciling')).toBe(false);
  expect(types.has('Stalled') && types.has('Ready')).toBe(false);
  for (const type of ['Stalled', 'Reconciling']) expect(conditionOf(object, type)?.status ?? 'True').toBe('True');
  const ready = conditionOf(object, 'Ready');
  // A suspended or observed forwarding does not retry, and does not wait for a user.
  const rests = ready?.reason === 'Suspended' || ready?.reason === 'Drifted';
  if (ready?.status !== 'True' && !rests) expect(types.has('Stalled') || types.has('Reconciling')).toBe(true);
  expect(status.observedGeneration).toBeLessThanOrEqual(metadata.generation);
  for (const { type, observedGeneration, message, reason } of conditions) {
    expect({ type, message }).toEqual({ type, message: expect.stringMatching(/\S/) });
    expect(reason).toMatch(/^[A-Z][A-Za-z]+$/);
    expect(observedGeneration).toBeLessThanOrEqual(metadata.generation);
    if (['Ready', 'Stalled', 'Reconciling'].includes(type)) expect(observedGeneration).toBe(status.observedGeneration);
  }
}

/** Checks every state of the forwarding that the watch has shown. */
export function expectLegalHistory(environment: Environment, name: string): void {
  const history = environment.history(name);
  expect(history.length).toBeGreaterThan(0);
  for (const { object } of history) expectLegal(object);
}
