/** Applies the plan to the destination: creates, finds, updates or leaves it. */
import { type DestinationStatus } from '../../api/v1alpha1.ts';
import { KonnectError } from '../../konnect/errors.ts';
import { withoutCorrections } from '../../status/corrections.ts';
import type { DesiredState, OwnDestination } from '../desired/desired-state.ts';
import { nameInUse } from '../plan/adoption.ts';
import { destinationNotFound } from '../plan/not-found.ts';
import type { DestinationStep } from '../plan/steps.ts';
import { type Problem, problemOf, reasons, stalled, waiting } from '../problems.ts';
import { beforeWrite, type ReconcileContext, recordEvent } from '../reconcile-context.ts';
import { deleteDuplicates } from './delete-destination.ts';
import { contestedProblem, recordCorrected } from './drift-correction.ts';

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
    case 'none': {
      // A destination is needed, but no webhook can be attached now. The one in status no longer exists in Konnect.
      const { id, managed } = status.recorded.destination ?? {};
      if (!desired.usesDestination) return undefined;
      if (id !== undefined && managed === true) {
        const note = `another client deleted destination ${id} in Konnect; the operator creates a new one when it can attach a webhook to it`;
        recordEvent(context, 'Warning', 'DestinationDeleted', 'Observe', note);
      }
      status.recorded = without(status.recorded, 'destination');
      return undefined;
    }
    case 'unknown':
      return step.problem;
    case 'use':
      // The name that Konnect shows is not recorded: it is another client's text.
      recordDestination(context, { id: step.id, name: desired.reference?.name ?? '', managed: false });
      return undefined;
    case 'unresolved':
      status.recorded = without(status.recorded, 'destination');
      return destinationNotFound(desired, step.ids, context);
    case 'refuse':
      if (step.why === 'taken back') disown(context, step.ids);
      else forgetPendingCreation(context);
      return nameInUse(step);
    case 'lost':
      forgetPendingCreation(context);
      return stalled(
        reasons.claimed,
        `the name of this destination belongs to AuditLogForwarding ${step.to}: set another spec.destination.name in one of the two forwardings; the operator changed nothing`,
      );
    case 'keep': {
      const { destination } = status.recorded;
      if (destination !== undefined) {
        const { id = '' } = destination;
        recordDestination(context, own === undefined ? destination : applied(id, step.updatedAt, own));
      }
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
        `Konnect may have created destination "${own?.settings.name ?? ''}", but the answer was lost; the operator looks for it before it creates another one`,
      );
    case 'create':
      return own === undefined ? undefined : create(context, desired, own);
    case 'claim':
      return claim(context, desired, step);
    case 'update':
      return own === undefined ? undefined : update(context, desired, own, step);
  }
}

const correctedObject = 'destination';

/** Leaves a destination, with everything that points at it, to another client. */
function disown({ status }: ReconcileContext, ids: readonly string[]): void {
  const { destination: _theirs, cleanup = [], ...recorded } = status.recorded;
  const left = cleanup.filter(({ destinationID }) => !ids.includes(destinationID ?? ''));
  status.recorded = { ...recorded, ...(left.length === 0 ? {} : { cleanup: left }) };
}

/** Forgets a pending creation that has timed out: it created nothing. */
function forgetPendingCreation({ status }: ReconcileContext): void {
  if (status.recorded.destination?.id === undefined) status.recorded = without(status.recorded, 'destination');
}

async function create(
  context: ReconcileContext,
  desired: DesiredState,
  own: OwnDestination,
): Promise<Problem | undefined> {
  const { status, konnect, signal } = context;
  const { settings, secretVersion, endpointDigest } = own;
  const object = `destination "${settings.name}"`;
  const { id: deletedID, logFormat: appliedFormat, updating } = status.recorded.destination ?? {};
  const isCorrection = updating === 'Correction' || (deletedID !== undefined && appliedFormat !== undefined);
  const effect = 'it is deleted, and its webhooks send no logs';
  const contested = isCorrection ? contestedProblem(context, correctedObject, object, effect) : undefined;
  if (contested !== undefined) return contested;
  const known = status.recorded.destination?.creating;
  const isRepeated =
    known?.name === settings.name &&
    ['', secretVersion].includes(known.secretVersion) &&
    known.endpointDigest === endpointDigest;
  const pending = (since: string, version = isRepeated ? known.secretVersion : secretVersion): DestinationStatus => ({
    name: settings.name,
    managed: true,
    ...(isCorrection ? { updating: 'Correction' as const } : {}),
    creating: { name: settings.name, since, secretVersion: version, endpointDigest },
  });
  // One that was refused, and is tried again, is recorded already: without a change nothing is written.
  const since = isRepeated ? known.since : context.stamp();
  recordDestination(context, pending(since));
  await beforeWrite(context, `creating ${object} in Konnect`, { interrupts: true });
  try {
    const created = await konnect.client.createDestination(desired.api, settings, signal);
    recordDestination(context, applied(created.id, created.updatedAt, own));
  } catch (error) {
    if (!(error instanceof KonnectError)) throw error;
    if (error.kind === 'Conflict' && isRepeated) {
      return stalled(
        reasons.nameInUse,
        `another destination in Konnect has the name "${settings.name}", and the token does not see it: set another spec.destination.name`,
      );
    }
    if (error.kind === 'Conflict') {
      // This request created nothing. The empty version of the Secret says so.
      recordDestination(context, pending(since, ''));
      return waiting(
        reasons.nameInUse,
        `another destination in Konnect has the name "${settings.name}"; the operator looks for it to say whose it is. If this lasts, set another spec.destination.name`,
      );
    }
    const problem = problemOf(error, object, context);
    if (error.mayHaveHappened && isRepeated) recordDestination(context, pending(context.stamp(), secretVersion));
    if (!error.mayHaveHappened && problem.severity === 'stalled') context.expire(since);
    if (!error.mayHaveHappened && problem.severity !== 'stalled')
      status.recorded = without(status.recorded, 'destination');
    return problem;
  }
  if (isCorrection) recordCorrected(context, correctedObject, `changed ${object}`, ['deleted']);
  else recordEvent(context, 'Normal', 'DestinationCreated', 'Create', `created ${object} in Konnect`);
  return undefined;
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

async function update(
  context: ReconcileContext,
  desired: DesiredState,
  own: OwnDestination,
  { differences: changed, foreign }: Extract<DestinationStep, { kind: 'update' }>,
): Promise<Problem | undefined> {
  const { status, konnect, signal } = context;
  const id = status.recorded.destination?.id;
  if (id === undefined) return undefined;
  const object = `destination ${id}`;
  const before = status.recorded.destination;
  const contested =
    foreign.length > 0 ? contestedProblem(context, correctedObject, object, effectOf(foreign)) : undefined;
  if (contested !== undefined || before === undefined) return contested;
  // Status may not be written after the request. The change must not look like one by another client then.
  recordDestination(context, { ...before, updating: foreign.length > 0 ? 'Correction' : 'Change' });
  await beforeWrite(context, `updating ${object} in Konnect`);
  try {
    const answer = await konnect.client.updateDestination(desired.api, id, own.settings, signal);
    recordDestination(context, applied(id, answer?.updatedAt, own));
  } catch (error) {
    if (!(error instanceof KonnectError)) throw error;
    if (error.kind === 'NotFound') {
      return waiting(reasons.creating, `${object} no longer exists in Konnect; the operator creates it again`);
    }
    if (error.kind === 'Conflict') {
      const message = `another destination in Konnect has the name "${own.settings.name}": set another spec.destination.name; the operator did not change ${object}`;
      return stalled(reasons.nameInUse, message);
    }
    return problemOf(error, object, context);
  }
  const ours = changed.filter((field) => !foreign.includes(field));
  if (foreign.length > 0) recordCorrected(context, correctedObject, `changed ${object}`, foreign);
  if (ours.length > 0)
    recordEvent(context, 'Normal', 'DestinationUpdated', 'Update', `applied the Secret and spec to ${object}`);
  return undefined;
}

/** Returns what the changes of another client do to the logs. */
function effectOf(foreign: readonly string[]): string {
  return foreign.includes('endpoint') || foreign.includes('authorization')
    ? 'the logs of its webhooks may go to another endpoint, or the SIEM may refuse them'
    : `Konnect still sends the logs of its webhooks, with another ${foreign.join(' and ')}`;
}

function applied(
  id: string,
  updatedAt: string | undefined,
  { settings, secretVersion, endpointDigest }: OwnDestination,
): DestinationStatus {
  return {
    id,
    name: settings.name,
    managed: true,
    logFormat: settings.logFormat,
    skipSSLVerification: settings.skipSSLVerification,
    endpointDigest,
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
