/** Plans what to do with a webhook that Konnect itself switched off after failed deliveries. Pure. */

import { deliveryKeyOf } from '../../status/delivery.ts';
import type { ObservedDelivery } from '../observed/observe-delivery.ts';
import type { Plan, WebhookStep } from './steps.ts';

/**
 * Returns the step for a webhook of which `delivery` is known. What Konnect switched off is no change of another client: the operator
 * switches it on again when that is due, and leaves it as it is until then. `isRecovering`: no delivery has succeeded since Konnect
 * switched the webhook off.
 */
export function planSwitchOn(
  step: WebhookStep,
  delivery: ObservedDelivery | undefined,
  { isDue, isRecovering }: { isDue: boolean; isRecovering: boolean },
): WebhookStep {
  if (step.kind !== 'keep' && step.kind !== 'attach') return step;
  if (delivery === 'SwitchedOff' && isDue) return { kind: 'attach', because: 'switched off' };
  if (step.kind === 'keep') return step;
  if (step.because === 'settings' && isRecovering) return { ...step, isForeign: false };
  if (step.because !== 'enabled') return step;
  if (delivery === 'SwitchedOff') return { kind: 'keep' };
  // Nobody knows who switched it off. The next reconciliation asks again.
  const problem = typeof delivery === 'object' ? delivery.problem : undefined;
  return problem === undefined || problem.severity === 'stalled' ? step : { kind: 'unknown', problem };
}

/** Returns the keys in `status.delivery` of the webhooks that the plan switches on again. */
export function switchedOnBy({ portals, organization }: Plan): ReadonlySet<string> {
  const isSwitchedOn = (step: WebhookStep | undefined) => step?.kind === 'attach' && step.because === 'switched off';
  const ids = [...portals].filter(([, step]) => isSwitchedOn(step)).map(([id]) => id);
  return new Set([...ids, ...(isSwitchedOn(organization) ? [undefined] : [])].map(deliveryKeyOf));
}
