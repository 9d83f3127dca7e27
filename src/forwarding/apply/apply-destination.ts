/** Applies the plan to the destination: creates, finds, updates or leaves it. */
import { type DestinationStatus } from '../../api/v1alpha1.ts';
import { KonnectError } from '../../konnect/errors.ts';
import { withoutCorrections } from '../../status/corrections.ts';
import type { DesiredState, OwnDestination } from '../desired/desired-state.ts';
import type { Difference } from '../observed/destination-diff.ts';
import type { DestinationStep } from '../plan/steps.ts';
import { type Problem, problemOf, reasons, stalled, waiting } from '../problems.ts';
import { beforeWrite, type ReconcileContext, recordEvent } from '../reconcile-context.ts';
import { countCorrection } from './drift-correction.ts';

/**
 * Applies the step and returns the problem, or undefined. Without a problem, the recorded state has the ID of the destination if one is
 * needed.
 */
export async function applyDestination(
  context: ReconcileContext,
  desired: DesiredState,
  step: DestinationStep,
): Promise<Problem | undefined> {
  const { status } = context;
  const { own } = desired;
  switch (step.kind) {
    case 'none':
      // A destination is needed, but no webhook can be attached now. The one in status no longer exists in Konnect.
      if (desired.usesDestination) status.recorded = without(status.recorded, 'destination');
      return undefined;
    case 'unknown':
      return step.problem;
    case 'use':
      // The name that Konnect shows is not recorded: it is another client's text.
      recordDestination(context, { id: step.id, name: desired.reference?.name ?? '', managed: false });
      return undefined;
    case 'unresolved':
      return unresolved(context, desired, step.ids);
    case 'refuse':
      forgetPendingCreation(context);
      return nameInUse(step.name, step.ids);
    case 'lost':
      forgetPendingCreation(context);
      return stalled(
        reasons.claimed,
        `the destination's name belongs to AuditLogForwarding ${step.to}: set another spec.destination.name here or there; nothing was changed`,
      );
    case 'keep': {
      const { destination } = status.recorded;
      if (destination !== undefined)
        recordDestination(context, without({ ...destination, updatedAt: step.updatedAt }, 'creating'));
      // The object matches again without a correction: the conflict has ended.
      const { conditions = [] } = status.forwarding.status;
      if (conditions.some(({ type, reason }) => type === 'DestinationReady' && reason === reasons.contested)) {
        status.recorded = withoutCorrections(status.recorded, correctedObject);
      }
      return undefined;
    }
    case 'wait':
      return waiting(
        reasons.creating,
        `Konnect may have created destination "${own?.settings.name ?? ''}" although its answer was lost; looking for it before another is made`,
      );
    case 'create':
      return own === undefined ? undefined : create(context, desired, own);
    case 'claim':
      await claim(context, desired, step);
      return applyDestination(context, desired, step.next);
    case 'update':
      return own === undefined ? undefined : update(context, desired, own, step.differences);
  }
}

const correctedObject = 'destination';

function unresolved({ status }: ReconcileContext, { reference }: DesiredState, ids: readonly string[]): Problem {
  status.recorded = without(status.recorded, 'destination');
  const which = reference?.id ?? `"${reference?.name ?? ''}"`;
  const message =
    ids.length === 0
      ? `destination ${which} does not exist in Konnect, or the token may not see it: check spec.destinationRef`
      : `several destinations are called ${which} (${ids.slice(0, 5).join(', ')}): name one by spec.destinationRef.id`;
  return stalled(reasons.destinationNotFound, message);
}

/** Forgets a pending creation that has timed out: it created nothing. */
function forgetPendingCreation({ status }: ReconcileContext): void {
  if (status.recorded.destination?.id === undefined) status.recorded = without(status.recorded, 'destination');
}

function nameInUse(name: string, ids: readonly string[]): Problem {
  const which = ids.length === 1 ? `destination ${ids.join('')}` : `destinations ${ids.slice(0, 5).join(', ')}`;
  const out =
    ids.length === 1
      ? 'delete it there, set another spec.destination.name, or take it over with spec.adoptionPolicy: Always'
      : 'delete them there, or set another spec.destination.name';
  return stalled(
    reasons.nameInUse,
    `the name "${name}" belongs in Konnect to ${which}, which this forwarding did not create: ${out}; nothing was changed`,
  );
}

async function create(
  context: ReconcileContext,
  desired: DesiredState,
  own: OwnDestination,
): Promise<Problem | undefined> {
  const { status, konnect, signal } = context;
  const { settings, secretVersion, endpointDigest } = own;
  const object = `destination "${settings.name}"`;
  if (context.wasApplied && status.recorded.destination?.id !== undefined) {
    const contested = countCorrection(context, correctedObject, object);
    if (contested !== undefined) return contested;
  }
  recordDestination(context, {
    name: settings.name,
    managed: true,
    creating: { name: settings.name, since: context.stamp(), secretVersion, endpointDigest },
  });
  await beforeWrite(context, `creating ${object} in Konnect`, { interrupts: true });
  try {
    const created = await konnect.client.createDestination(desired.api, settings, signal);
    recordDestination(context, applied(created.id, created.updatedAt, own));
  } catch (error) {
    if (!(error instanceof KonnectError)) throw error;
    if (error.kind === 'Conflict') {
      return waiting(
        reasons.nameInUse,
        `Konnect says that the name "${settings.name}" is taken; if it is not by a creation of ours whose answer was lost, set another spec.destination.name`,
      );
    }
    if (!error.mayHaveHappened) status.recorded = without(status.recorded, 'destination');
    return problemOf(error, object, context.tokenSource);
  }
  recordEvent(context, 'Normal', 'DestinationCreated', 'Create', `created ${object} in Konnect`);
  return undefined;
}

/** Records a destination as the operator's own: one that it created although the answer was lost, or one that it adopts. Deletes duplicates. */
async function claim(
  context: ReconcileContext,
  desired: DesiredState,
  { id, name, because, duplicates }: Extract<DestinationStep, { kind: 'claim' }>,
): Promise<void> {
  const { status, konnect, signal } = context;
  const creating = because === 'pending creation' ? status.recorded.destination?.creating : undefined;
  const claimed = { id, name, managed: true, ...(creating && { secretVersion: creating.secretVersion }) };
  // The pending creation stays recorded until its duplicates are deleted, since it identifies them.
  recordDestination(context, { ...claimed, ...(creating && { creating }) });
  const found = `found destination ${id}, whose creation Konnect did not confirm`;
  const note = because === 'pending creation' ? found : `took over destination ${id}, as spec.adoptionPolicy says`;
  await beforeWrite(context, note);
  recordEvent(
    context,
    'Normal',
    because === 'pending creation' ? 'DestinationFound' : 'DestinationAdopted',
    'Claim',
    note,
  );
  for (const duplicate of duplicates) {
    // Konnect answers 409 if a webhook uses it. Then it is not a leftover, and stays.
    const result = await konnect.client.deleteDestination(desired.api, duplicate, signal);
    if (result === 'deleted') {
      recordEvent(
        context,
        'Normal',
        'DuplicateDeleted',
        'Delete',
        `deleted destination ${duplicate}, a duplicate of ${id} that nothing used`,
      );
    }
  }
  recordDestination(context, claimed);
}

async function update(
  context: ReconcileContext,
  desired: DesiredState,
  own: OwnDestination,
  changed: readonly Difference[],
): Promise<Problem | undefined> {
  const { status, konnect, signal } = context;
  const id = status.recorded.destination?.id;
  if (id === undefined) return undefined;
  const object = `destination ${id}`;
  const isCorrection = context.wasApplied && !changed.includes('secret');
  const contested = isCorrection ? countCorrection(context, correctedObject, object) : undefined;
  if (contested !== undefined) return contested;
  await beforeWrite(context, `updating ${object} in Konnect`);
  try {
    const answer = await konnect.client.updateDestination(desired.api, id, own.settings, signal);
    recordDestination(context, applied(id, answer?.updatedAt, own));
  } catch (error) {
    if (!(error instanceof KonnectError)) throw error;
    if (error.kind === 'NotFound') {
      return waiting(reasons.creating, `${object} is gone from Konnect; it is made anew`);
    }
    if (error.kind === 'Conflict') {
      const message = `Konnect says that the name "${own.settings.name}" is taken: set another spec.destination.name; ${object} was not changed`;
      return stalled(reasons.nameInUse, message);
    }
    return problemOf(error, object, context.tokenSource);
  }
  if (!isCorrection) {
    recordEvent(context, 'Normal', 'DestinationUpdated', 'Update', `applied the Secret and spec to ${object}`);
  } else {
    const what = changed.join(', ');
    recordEvent(
      context,
      'Warning',
      'DestinationCorrected',
      'Correct',
      `${object} was changed in Konnect by somebody else (${what}); put right`,
    );
  }
  return undefined;
}

function applied(
  id: string,
  updatedAt: string | undefined,
  { settings, secretVersion }: OwnDestination,
): DestinationStatus {
  return {
    id,
    name: settings.name,
    managed: true,
    logFormat: settings.logFormat,
    secretVersion,
    ...(updatedAt === undefined ? {} : { updatedAt }),
  };
}

function recordDestination({ status }: ReconcileContext, destination: DestinationStatus): void {
  status.recorded = { ...status.recorded, destination };
}

function without<T extends object, K extends keyof T>(object: T, key: K): Omit<T, K> {
  const { [key]: _left, ...rest } = object;
  return rest;
}
