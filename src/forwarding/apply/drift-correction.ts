/** Counts the corrections of an object, and stops them if they do not last. */
import { reconcileAnnotation } from '../../api/v1alpha1.ts';
import { isContested, withCorrection } from '../../status/corrections.ts';
import { type Problem, reasons, stalled } from '../problems.ts';
import type { ReconcileContext } from '../reconcile-context.ts';

/**
 * Counts one correction of `object`, which messages call `name`. Returns a problem instead if there were too many; then the caller must
 * not write. `otherID` is the destination that another client has pointed the webhook at.
 */
export function countCorrection(
  context: ReconcileContext,
  object: string,
  name: string,
  otherID?: string,
): Problem | undefined {
  const { status } = context;
  const now = context.now();
  if (isContested(status.recorded, object, now.getTime())) {
    const other = otherID === undefined ? '' : `, last to destination ${otherID},`;
    return stalled(
      reasons.contested,
      `${name} was changed in Konnect by somebody else${other} three times within 24 hours after it had been put right, and is left alone: find out who does it; ` +
        `then change spec or the Secret, or set the annotation ${reconcileAnnotation} to a new value`,
    );
  }
  status.recorded = withCorrection(status.recorded, object, now);
  return undefined;
}
