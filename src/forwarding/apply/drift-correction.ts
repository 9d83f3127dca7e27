/** Counts the corrections of an object, and stops them if they do not last. */
import { reconcileAnnotation } from '../../api/v1alpha1.ts';
import { withCorrectedAdoption } from '../../status/adoptions.ts';
import { isContested, withCorrection } from '../../status/corrections.ts';
import { type Problem, reasons, stalled } from '../problems.ts';
import { type ReconcileContext, recordEvent } from '../reconcile-context.ts';

/**
 * Returns a problem if other clients have changed `object`, which messages call `name`, too often. Then the caller must not write.
 * `effect` says what the last change does to the logs.
 */
export function contestedProblem(
  { status, now }: ReconcileContext,
  object: string,
  name: string,
  effect: string,
): Problem | undefined {
  if (!isContested(status.recorded, object, now().getTime())) return undefined;
  return stalled(
    reasons.contested,
    `another client keeps changing ${name} in Konnect; the operator corrected it three times within 24 hours and now leaves it unchanged; ${effect}: stop that client, ` +
      `then change spec or the Secret, or set the annotation ${reconcileAnnotation} to a new value`,
  );
}

/**
 * Counts a correction of `object` that has succeeded, and records an event. `what` says what another client did. `fields` are those of the
 * destination that it changed.
 */
export function recordCorrected(
  context: ReconcileContext,
  object: string,
  what: string,
  fields?: readonly string[],
): void {
  const { status, now } = context;
  const isDestination = fields !== undefined;
  const recorded = withCorrection(status.recorded, object, now());
  const adoptedID = isDestination ? recorded.destination?.id : undefined;
  status.recorded = object.startsWith('portal/') ? recorded : withCorrectedAdoption(recorded, adoptedID);
  const note = isDestination
    ? `another client ${what} in Konnect (${fields.join(', ')}); the operator corrected it`
    : `another client ${what} in Konnect; the operator corrected it`;
  recordEvent(context, 'Warning', isDestination ? 'DestinationCorrected' : 'WebhookCorrected', 'Correct', note);
}
