/** Carries out what the plan says of the destination. */
import type { DestinationStatus } from '../api/v1alpha1.ts';
import { KonnectError } from '../konnect/errors.ts';
import type { Desired } from './desired.ts';
import { announce, beforeWrite, type Pass } from './pass.ts';
import type { DestinationStep, Difference } from './plan.ts';
import { type Problem, problemOf, reasons, stalled, waiting } from './problems.ts';

/** Answers what is wrong, or undefined. `draft.memory.destination.id` then names the destination, where one is needed. */
export async function applyDestination(
  pass: Pass,
  desired: Desired,
  step: DestinationStep,
): Promise<Problem | undefined> {
  const { draft } = pass;
  switch (step.kind) {
    case 'none':
      // Needed, but nothing can be attached to it now, and what status names has been looked for and is gone.
      if (desired.needsDestination) draft.memory = without(draft.memory, 'destination');
      return undefined;
    case 'keep': {
      const { destination } = draft.memory;
      if (destination !== undefined) remember(pass, without({ ...destination, updatedAt: step.updatedAt }, 'creating'));
      return undefined;
    }
    case 'unknown':
      return step.problem;
    case 'wait':
      return waiting(
        reasons.creating,
        `Konnect may have created destination "${desired.settings.name}" although its answer was lost; looking for it before another is made`,
      );
    case 'refuse':
      if (draft.memory.destination?.id === undefined) draft.memory = without(draft.memory, 'destination');
      return nameInUse(step.name, step.ids);
    case 'create':
      return create(pass, desired);
    case 'claim':
      await claim(pass, desired, step);
      return applyDestination(pass, desired, step.next);
    case 'update':
      return update(pass, desired, step.differences);
  }
}

function nameInUse(name: string, ids: readonly string[]): Problem {
  const which = ids.length === 1 ? `destination ${ids.join('')}` : `destinations ${ids.slice(0, 5).join(', ')}`;
  return stalled(
    reasons.nameInUse,
    `the name "${name}" belongs in Konnect to ${which}, which this forwarding did not create: delete it there, or set another spec.destination.name; nothing was changed`,
  );
}

async function create(pass: Pass, desired: Desired): Promise<Problem | undefined> {
  const { draft, konnect, signal } = pass;
  const { settings, secretVersion, endpointDigest } = desired;
  const object = `destination "${settings.name}"`;
  remember(pass, {
    name: settings.name,
    managed: true,
    creating: { name: settings.name, since: pass.now().toISOString(), secretVersion, endpointDigest },
  });
  await beforeWrite(pass, `creating ${object} in Konnect`, { interrupts: true });
  try {
    const created = await konnect.client.createDestination(desired.api, settings, signal);
    remember(pass, applied(created.id, created.updatedAt, desired));
  } catch (error) {
    if (!(error instanceof KonnectError)) throw error;
    if (error.kind === 'Conflict') {
      return waiting(
        reasons.nameInUse,
        `Konnect says that the name "${settings.name}" is taken; if it is not by a creation of ours whose answer was lost, set another spec.destination.name`,
      );
    }
    if (!error.mayHaveHappened) draft.memory = without(draft.memory, 'destination');
    return problemOf(error, object, pass.tokenSource);
  }
  announce(pass, 'Normal', 'DestinationCreated', 'Create', `created ${object} in Konnect`);
  return undefined;
}

/** Takes what our own POST made although its answer was lost, and removes what a second POST made beside it. */
async function claim(
  pass: Pass,
  desired: Desired,
  { id, duplicates }: Extract<DestinationStep, { kind: 'claim' }>,
): Promise<void> {
  const { draft, konnect, signal } = pass;
  const { creating } = draft.memory.destination ?? {};
  if (creating === undefined) return;
  remember(pass, { id, name: creating.name, managed: true, secretVersion: creating.secretVersion });
  await beforeWrite(pass, `found destination ${id}, whose creation Konnect did not confirm`);
  announce(
    pass,
    'Normal',
    'DestinationFound',
    'Create',
    `found destination ${id}, whose creation Konnect did not confirm`,
  );
  for (const duplicate of duplicates) {
    // 409 protects one that something is attached to: then it is not the leftover that it looks like.
    const result = await konnect.client.deleteDestination(desired.api, duplicate, signal);
    if (result === 'deleted') {
      announce(
        pass,
        'Normal',
        'DuplicateDeleted',
        'Delete',
        `deleted destination ${duplicate}, a duplicate of ${id} that nothing used`,
      );
    }
  }
}

async function update(pass: Pass, desired: Desired, changed: readonly Difference[]): Promise<Problem | undefined> {
  const { draft, konnect, signal } = pass;
  const id = draft.memory.destination?.id;
  if (id === undefined) return undefined;
  const object = `destination ${id}`;
  await beforeWrite(pass, `updating ${object} in Konnect`);
  try {
    const answer = await konnect.client.updateDestination(desired.api, id, desired.settings, signal);
    remember(pass, applied(id, answer?.updatedAt, desired));
  } catch (error) {
    if (!(error instanceof KonnectError)) throw error;
    if (error.kind === 'NotFound') {
      return waiting(reasons.creating, `${object} is gone from Konnect; it is made anew`);
    }
    if (error.kind === 'Conflict') {
      const message = `Konnect says that the name "${desired.settings.name}" is taken: set another spec.destination.name; ${object} was not changed`;
      return stalled(reasons.nameInUse, message);
    }
    return problemOf(error, object, pass.tokenSource);
  }
  if (changed.includes('secret') || !pass.wasApplied) {
    announce(pass, 'Normal', 'DestinationUpdated', 'Update', `applied the Secret and spec to ${object}`);
  } else {
    const what = changed.join(', ');
    announce(
      pass,
      'Warning',
      'DestinationCorrected',
      'Correct',
      `${object} was changed in Konnect by somebody else (${what}); put right`,
    );
  }
  return undefined;
}

function applied(id: string, updatedAt: string | undefined, { settings, secretVersion }: Desired): DestinationStatus {
  return {
    id,
    name: settings.name,
    managed: true,
    logFormat: settings.logFormat,
    secretVersion,
    ...(updatedAt === undefined ? {} : { updatedAt }),
  };
}

function remember({ draft }: Pass, destination: DestinationStatus): void {
  draft.memory = { ...draft.memory, destination };
}

function without<T extends object, K extends keyof T>(object: T, key: K): Omit<T, K> {
  const { [key]: _left, ...rest } = object;
  return rest;
}
