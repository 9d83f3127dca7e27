import { reconcileAnnotation } from '../../api/v1alpha1.ts';
import { isContested, withCorrection } from '../../status/corrections.ts';
import { type Problem, reasons, stalled } from '../problems.ts';
import type { ReconcileContext } from '../reconcile-context.ts';

/**
 * Counts a change of somebody else's that is about to be put right. Answers a problem instead where it happened too often; then nothing is
 * to be written.
 */
export function countCorrection(
  context: ReconcileContext,
  object: string,
  inWords: string,
  otherID?: string,
): Problem | undefined {
  const { status } = context;
  const now = context.now();
  if (isContested(status.recorded, object, now.getTime())) {
    const other = otherID === undefined ? '' : `, last to destination ${otherID},`;
    return stalled(
      reasons.contested,
      `${inWords} was changed in Konnect by somebody else${other} three times within 24 hours after it had been put right, and is left alone: find out who does it; ` +
        `then change spec or the Secret, or set the annotation ${reconcileAnnotation} to a new value`,
    );
  }
  status.recorded = withCorrection(status.recorded, object, now);
  return undefined;
}
