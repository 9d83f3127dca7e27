/** The events of webhooks that the operator has written. */
import { nameOther } from '../plan/adoption.ts';
import type { WebhookStep } from '../plan/steps.ts';
import { type ReconcileContext, recordEvent } from '../reconcile-context.ts';
import type { Attachment } from './attachment.ts';
import { recordCorrected } from './drift-correction.ts';

type Attach = Extract<WebhookStep, { kind: 'attach' }>;

/** A write that succeeded. */
export interface WrittenWebhook {
  readonly one: Attachment;
  /** What the webhook forwards to now, for messages. */
  readonly target: string;
}

/** More names would not fit into an event. */
const maxNamed = 10;

/** Records the events of what a reconciliation has written. Webhooks that were simply attached share one event for each target. */
export function recordOutcomes(context: ReconcileContext, written: readonly WrittenWebhook[]): void {
  const attached = written.filter(({ one, target }) => !recordOutcome(context, one, target));
  const groups = Map.groupBy(attached, ({ one: { enabled }, target }) => `${String(enabled)} ${target}`);
  for (const [first, ...others] of groups.values()) {
    if (first === undefined) continue;
    const objects = [first, ...others].map(({ one }) => one.object);
    const isOne = others.length === 0;
    const on = isOne ? 'forwards to' : 'forward to';
    const off = `${isOne ? 'is' : 'are'} switched off and attached to`;
    const note = `${inWords(objects)} ${first.one.enabled ? on : off} ${first.target}`;
    recordEvent(context, 'Normal', 'WebhookAttached', 'Attach', note);
  }
}

function inWords(objects: readonly string[]): string {
  const more = objects.length - maxNamed;
  const named = more > 1 ? [...objects.slice(0, maxNamed), `${String(more)} more webhooks`] : objects;
  return [named.slice(0, -1).join(', '), named.at(-1) ?? ''].filter((part) => part !== '').join(' and ');
}

/** Records the event of a write. Returns false for a webhook that was simply attached, which has none of its own. */
function recordOutcome(context: ReconcileContext, one: Attachment, target: string): boolean {
  const { step, object } = one;
  if (step.kind !== 'attach') return true;
  switch (step.because) {
    case 'adopted':
    case 'handed over': {
      const note = `${object} now forwards to ${target} instead of ${nameOther(step.otherID)}, which the operator left unchanged`;
      const isAdopted = step.because === 'adopted';
      recordEvent(context, 'Normal', isAdopted ? 'WebhookAdopted' : 'WebhookTakenOver', 'Attach', note);
      return true;
    }
    case 'switched off': {
      const note = `Konnect had switched off ${object} after failed deliveries; the operator switched it on again. If this repeats, see the condition Delivering`;
      recordEvent(context, 'Warning', 'WebhookSwitchedOn', 'Attach', note);
      return true;
    }
    case 'inactive': {
      const note = `Konnect calls ${object} inactive after a failed attempt; the operator set it again, because Konnect may have switched it off`;
      recordEvent(context, 'Normal', 'WebhookSwitchedOn', 'Attach', note);
      return true;
    }
    case 'unconfigured':
    case 'enabled':
    case 'settings':
    case 'pointed elsewhere':
    case 'destination gone':
      return recordChange(context, one, step);
  }
}

/** Records the event of a change: a correction, or one of spec that stops the logs. Returns false for a webhook that was simply attached. */
function recordChange(context: ReconcileContext, one: Attachment, step: Attach): boolean {
  if (step.isForeign === true) {
    recordCorrected(context, one.key, changeOf(one, step));
    return true;
  }
  if (step.because !== 'enabled' || one.enabled) return false;
  const note = `switched off ${one.object}, as spec says; Konnect no longer sends its audit logs`;
  recordEvent(context, 'Warning', 'WebhookSwitchedOff', 'Attach', note);
  return true;
}

/** Returns what another client did to the webhook, for messages. */
function changeOf({ object }: Attachment, { because, otherID }: Attach): string {
  if (because === 'unconfigured') return `detached ${object}`;
  if (because === 'enabled') return `switched ${object} on or off`;
  return because === 'pointed elsewhere' ? `pointed ${object} at ${nameOther(otherID)}` : `changed ${object}`;
}
