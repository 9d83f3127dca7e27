/** Plans what to do with a webhook that Konnect itself switched off after failed deliveries. Pure. */
import { deliveryKeyOf } from '../../status/delivery.ts';
import type { ObservedDelivery } from '../observed/observe-delivery.ts';
import type { Plan, WebhookStep } from './steps.ts';

export interface SwitchOnContext {
  /** True if Konnect sends nothing from the webhook any more, and the operator may switch it on. */
  readonly isDue: boolean;
  /** True if no delivery has succeeded since Konnect may have switched the webhook off. */
  readonly isRecovering: boolean;
}

/**
 * Returns the step for a webhook of which `delivery` is known. What Konnect switched off is no change of another client: the operator
 * switches it on again when that is due, and leaves it as it is until then.
 */
export function planSwitchOn(
  step: WebhookStep,
  delivery: ObservedDelivery | undefined,
  { isDue, isRecovering }: SwitchOnContext,
): WebhookStep {
  if (step.kind !== 'keep' && step.kind !== 'attach') return step;
  const isSwitchedOff = delivery?.kind === 'seen' && delivery.state === 'SwitchedOff';
  if (isDue) return { kind: 'attach', because: isSwitchedOff ? 'switched off' : 'inactive' };
  if (step.kind === 'keep') return step;
  if (step.because === 'settings' && isRecovering) return { ...step, isForeign: false };
  if (step.because !== 'enabled') return step;
  if (isSwitchedOff) return { kind: 'keep' };
  // Nobody knows who switched it off. The next reconciliation asks again.
  const problem = delivery?.kind === 'unknown' ? delivery.problem : undefined;
  return problem === undefined || problem.severity === 'stalled' ? step : { kind: 'unknown', problem };
}

/** Returns the keys in `status.delivery` of the webhooks that the plan switches on again. */
export function switchedOnBy({ portals, organization }: Plan): ReadonlySet<string> {
  const isSwitchedOn = (step: WebhookStep | undefined) =>
    step?.kind === 'attach' && (step.because === 'switched off' || step.because === 'inactive');
  const ids = [...portals].filter(([, step]) => isSwitchedOn(step)).map(([id]) => id);
  return new Set([...ids, ...(isSwitchedOn(organization) ? [undefined] : [])].map(deliveryKeyOf));
}
