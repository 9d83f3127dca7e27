/** Updates the destination. */
import { KonnectError } from '../../konnect/errors.ts';
import type { DesiredState, OwnDestination } from '../desired/desired-state.ts';
import type { DestinationStep } from '../plan/steps.ts';
import { type Problem, problemOf, reasons, stalled, waiting } from '../problems.ts';
import { beforeWrite, type ReconcileContext, recordEvent } from '../reconcile-context.ts';
import { applied, correctedObject, recordDestination } from './destination-record.ts';
import { contestedProblem, recordCorrected } from './drift-correction.ts';

/** Sends one PATCH with everything that spec and the Secret want. Returns the problem, or undefined if Konnect has it now. */
export async function updateDestination(
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
    return failedUpdate(context, own, object, error);
  }
  const ours = changed.filter((field) => !foreign.includes(field));
  if (foreign.length > 0) recordCorrected(context, correctedObject, `changed ${object}`, foreign);
  if (ours.length > 0)
    recordEvent(context, 'Normal', 'DestinationUpdated', 'Update', `applied the Secret and spec to ${object}`);
  return undefined;
}

function failedUpdate(
  context: ReconcileContext,
  { settings }: OwnDestination,
  object: string,
  error: KonnectError,
): Problem {
  if (error.kind === 'NotFound')
    return waiting(reasons.creating, `${object} no longer exists in Konnect; the operator creates it again`);
  if (error.kind !== 'Conflict') return problemOf(error, object, context);
  const message = `another destination in Konnect has the name "${settings.name}": set another spec.destination.name; the operator did not change ${object}`;
  return stalled(reasons.nameInUse, message);
}

/** Returns what the changes of another client do to the logs. */
function effectOf(foreign: readonly string[]): string {
  return foreign.includes('endpoint') || foreign.includes('authorization')
    ? 'the logs of its webhooks may go to another endpoint, or the SIEM may refuse them'
    : `Konnect still sends the logs of its webhooks, with another ${foreign.join(' and ')}`;
}
