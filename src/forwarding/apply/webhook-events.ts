/** The events of webhooks that the operator has written. */
import { nameOther } from '../plan/adoption.ts';
import type { WebhookStep } from '../plan/steps.ts';
import { type ReconcileContext, recordEvent } from '../reconcile-context.ts';
import type { Attachment } from './attachment.ts';
import { recordCorrected } from './drift-correction.ts';

type Attach = Extract<WebhookStep, { kind: 'attach' }>;

/** Records the event of a write that succeeded. `target`: what the webhook forwards to now, for messages. */
export function recordOutcome(context: ReconcileContext, one: Attachment, target: string): void {
  const { step, object } = one;
  if (step.kind !== 'attach') return;
  switch (step.because) {
    case 'adopted':
    case 'handed over': {
      const note = `${object} now forwards to ${target} instead of ${nameOther(step.otherID)}, which the operator left unchanged`;
      const isAdopted = step.because === 'adopted';
      recordEvent(context, 'Normal', isAdopted ? 'WebhookAdopted' : 'WebhookTakenOver', 'Attach', note);
      return;
    }
    case 'switched off': {
      const note = `Konnect had switched off ${object} after failed deliveries; the operator switched it on again. If this repeats, see the condition Delivering`;
      recordEvent(context, 'Warning', 'WebhookSwitchedOn', 'Attach', note);
      return;
    }
    case 'inactive': {
      const note = `Konnect calls ${object} inactive after a failed attempt; the operator set it again, because Konnect may have switched it off`;
      recordEvent(context, 'Normal', 'WebhookSwitchedOn', 'Attach', note);
      return;
    }
    case 'unconfigured':
    case 'enabled':
    case 'settings':
    case 'pointed elsewhere':
    case 'destination gone':
      if (step.isForeign === true) recordCorrected(context, one.key, changeOf(one, step));
      else recordOwnChange(context, one, step, target);
  }
}

function recordOwnChange(
  context: ReconcileContext,
  { object, enabled }: Attachment,
  { because }: Attach,
  target: string,
): void {
  if (because === 'enabled' && !enabled) {
    const note = `switched off ${object}, as spec says; Konnect no longer sends its audit logs`;
    recordEvent(context, 'Warning', 'WebhookSwitchedOff', 'Attach', note);
    return;
  }
  const note = `${object} ${enabled ? 'forwards to' : 'is switched off and attached to'} ${target}`;
  recordEvent(context, 'Normal', 'WebhookAttached', 'Attach', note);
}

/** Returns what another client did to the webhook, for messages. */
function changeOf({ object }: Attachment, { because, otherID }: Attach): string {
  if (because === 'unconfigured') return `detached ${object}`;
  if (because === 'enabled') return `switched ${object} on or off`;
  return because === 'pointed elsewhere' ? `pointed ${object} at ${nameOther(otherID)}` : `changed ${object}`;
}
