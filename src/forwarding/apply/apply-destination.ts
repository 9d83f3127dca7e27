/** Applies the plan to the destination: creates, finds, updates or leaves it. */
import { withoutCorrections } from '../../status/corrections.ts';
import type { DesiredState, OwnDestination } from '../desired/desired-state.ts';
import { nameInUse } from '../plan/adoption.ts';
import { destinationNotFound } from '../plan/not-found.ts';
import type { DestinationStep } from '../plan/steps.ts';
import { type Problem, reasons, stalled } from '../problems.ts';
import { beforeWrite, type ReconcileContext, recordEvent } from '../reconcile-context.ts';
import { createDestination } from './create-destination.ts';
import { deleteDuplicates } from './delete-destination.ts';
import { applied, correctedObject, forgetDestination, recordDestination } from './destination-record.ts';
import { recordCorrected } from './drift-correction.ts';
import { unanswered } from './pending-creation.ts';
import { updateDestination } from './update-destination.ts';

/**
 * Applies the step and returns the problem, or undefined. Without a problem, the recorded state has the ID of the destination if one is
 * needed.
 */
export async function applyDestination(
  context: ReconcileContext,
  desired: DesiredState,
  step: DestinationStep,
): Promise<Problem | undefined> {
  const { own } = desired;
  if (step.kind === 'create') return own && createDestination(context, desired, own);
  if (step.kind === 'claim') return claim(context, desired, step);
  if (step.kind === 'update') return own && updateDestination(context, desired, own, step);
  return recordStep(context, desired, step);
}

/** Records a step that writes nothing to Konnect. Returns the problem, or undefined. */
function recordStep(
  context: ReconcileContext,
  desired: DesiredState,
  step: Exclude<DestinationStep, { kind: 'create' | 'claim' | 'update' }>,
): Problem | undefined {
  switch (step.kind) {
    case 'none':
      if (desired.usesDestination) forgetMissing(context);
      return undefined;
    case 'unknown':
      return step.problem;
    case 'use':
      recordReference(context, desired, step.id);
      return undefined;
    case 'unresolved':
      recordReference(context, desired, undefined);
      return destinationNotFound(desired, step.ids, context);
    case 'refuse':
      if (step.why === 'taken back') disown(context, step.ids);
      else forgetPendingCreation(context);
      return nameInUse(step);
    case 'lost':
      forgetPendingCreation(context);
      return claimedBy(step.to);
    case 'keep':
      keep(context, desired.own, step);
      return undefined;
    case 'wait':
      return unanswered(desired.own?.settings.name ?? '');
  }
}

function claimedBy(owner: string): Problem {
  return stalled(
    reasons.claimed,
    `the name of this destination belongs to AuditLogForwarding ${owner}: set another spec.destination.name in one of the two forwardings; the operator changed nothing`,
  );
}

/** A destination is needed, but no webhook can be attached now. The one in status no longer exists in Konnect. */
function forgetMissing(context: ReconcileContext): void {
  const { id, managed } = context.status.recorded.destination ?? {};
  if (id !== undefined && managed === true) {
    const note = `another client deleted destination ${id} in Konnect; the operator creates a new one when it can attach a webhook to it`;
    recordEvent(context, 'Warning', 'DestinationDeleted', 'Observe', note);
  }
  forgetDestination(context);
}

function keep(
  context: ReconcileContext,
  own: OwnDestination | undefined,
  { updatedAt }: Extract<DestinationStep, { kind: 'keep' }>,
): void {
  const { status } = context;
  const { destination } = status.recorded;
  if (destination !== undefined)
    recordDestination(context, own === undefined ? destination : applied(destination.id ?? '', updatedAt, own));
  // The object matches again without a correction: the conflict has ended.
  const { conditions = [] } = status.forwarding.status;
  if (conditions.some(({ type, reason }) => type === 'DestinationReady' && reason === reasons.contested))
    status.recorded = withoutCorrections(status.recorded, correctedObject);
}

/** Leaves a destination, with everything that points at it, to another client. */
function disown({ status }: ReconcileContext, ids: readonly string[]): void {
  const { destination: _theirs, cleanup = [], ...recorded } = status.recorded;
  const left = cleanup.filter(({ destinationID }) => !ids.includes(destinationID ?? ''));
  status.recorded = { ...recorded, ...(left.length === 0 ? {} : { cleanup: left }) };
}

/** Records the destination that spec refers to, if there is one. A creation that is still pending stays recorded until it is resolved. */
function recordReference(context: ReconcileContext, { reference }: DesiredState, id: string | undefined): void {
  const { creating } = context.status.recorded.destination ?? {};
  // The name that Konnect shows is not recorded: it is another client's text.
  const referenced = { name: reference?.name ?? '', managed: false };
  if (id !== undefined)
    recordDestination(context, { ...referenced, id, ...(creating === undefined ? {} : { creating }) });
  else if (creating !== undefined) recordDestination(context, { ...referenced, creating });
  else forgetDestination(context);
}

/** Forgets a pending creation that has timed out: it created nothing. */
function forgetPendingCreation(context: ReconcileContext): void {
  if (context.status.recorded.destination?.id === undefined) forgetDestination(context);
}

/**
 * Records a destination as the operator's own: one that it created although the answer was lost, or one that it adopts. Deletes the
 * duplicates that a second POST created. A duplicate that cannot be deleted keeps no webhook from being attached.
 */
async function claim(
  context: ReconcileContext,
  desired: DesiredState,
  { id, name, because, duplicates, next }: Extract<DestinationStep, { kind: 'claim' }>,
): Promise<Problem | undefined> {
  const { status } = context;
  const before = status.recorded.destination;
  const isFound = because === 'pending creation';
  const creating = isFound ? before?.creating : undefined;
  if (before?.id !== id) {
    const pending = creating && { secretVersion: creating.secretVersion, creating };
    recordDestination(context, { id, name, managed: true, ...pending });
    const found = `found destination ${id}, whose creation Konnect did not confirm`;
    const note = isFound ? found : `adopted destination ${id}, as spec.adoptionPolicy allows`;
    await beforeWrite(context, note);
    recordEvent(context, 'Normal', isFound ? 'DestinationFound' : 'DestinationAdopted', 'Claim', note);
    if (before?.updating === 'Correction')
      recordCorrected(context, correctedObject, `changed destination ${id}`, ['deleted']);
  }
  const duplicateProblem = await deleteDuplicates(context, desired.api, id, duplicates);
  const problem = await applyDestination(context, desired, next);
  // The pending creation stays recorded until its duplicates are deleted, since it identifies them.
  const { destination } = status.recorded;
  if (duplicateProblem !== undefined && destination !== undefined && creating !== undefined) {
    recordDestination(context, { ...destination, creating });
  }
  return problem ?? duplicateProblem;
}
