/** Observes and plans, in both modes. */
import type { DeliveryStatus } from '../../api/v1alpha1.ts';
import { adoptionStateOf } from '../../status/adoptions.ts';
import { deliveryKeyOf, deliveryOf, isAtRest, isStopped, isSwitchOnDue } from '../../status/delivery.ts';
import type { RecordedState } from '../../status/recorded-state.ts';
import type { DesiredState } from '../desired/desired-state.ts';
import { observe, type SharedLists } from '../observed/observe.ts';
import { type ObservedDelivery, observeDelivery } from '../observed/observe-delivery.ts';
import type { SeenWebhook } from '../observed/observed-state.ts';
import type { Ownership } from '../ownership/ownership.ts';
import { adopterOf, givingWay } from '../plan/adoption.ts';
import { plan } from '../plan/plan.ts';
import { planSwitchOn } from '../plan/plan-switch-on.ts';
import type { Plan, PlanContext, WebhookStep } from '../plan/steps.ts';
import type { ReconcileContext } from '../reconcile-context.ts';

export interface PlanOptions {
  readonly organizationID: string;
  readonly lists: SharedLists;
  /** How long a created destination may be missing in Konnect's lists. */
  readonly pendingCreationTimeoutMs: number;
  readonly ownership: Ownership;
}

export interface DeliveryPlan extends Plan {
  /** By key of `status.delivery`, what Konnect says about the webhooks that are in place and should be on. */
  readonly deliveries: ReadonlyMap<string, ObservedDelivery>;
}

/** Returns the plan for what Konnect has now. `mayWrite`: false with `mode: Observe`, in which the operator switches no webhook on. */
export async function observeAndPlan(
  context: ReconcileContext,
  desired: DesiredState,
  recorded: RecordedState,
  { mayWrite, ...options }: PlanOptions & Pick<PlanContext, 'hasLeftInline'> & { readonly mayWrite: boolean },
): Promise<DeliveryPlan> {
  const observed = await observe(context, desired, recorded, options.lists);
  const planContext: PlanContext = {
    ...options,
    ageMs: context.ageMs,
    adoptionStateOf: (id) => adoptionStateOf(recorded, id, context.now()),
  };
  const steps = plan(desired, recorded, observed, planContext);
  const deliveries = await observeDeliveries(context, desired, steps, recorded);
  const adopter = adopterOf(desired, planContext);
  const adjusted = (step: WebhookStep, key: string, seen: SeenWebhook | undefined) => {
    const known = deliveryOf(recorded, key);
    const look = deliveries.get(key);
    const isDue = mayWrite && shouldSwitchOn(context, known, look);
    return givingWay(planSwitchOn(step, look, { isDue, isRecovering: known?.switchOn !== undefined }), adopter, seen);
  };
  return {
    ...steps,
    portals: new Map([...steps.portals].map(([id, step]) => [id, adjusted(step, id, observed.portals.get(id))])),
    organization: steps.organization && adjusted(steps.organization, deliveryKeyOf(undefined), observed.organization),
    deliveries,
  };
}

/** Returns true if Konnect sends nothing from the webhook any more, and the operator need not wait before it switches the webhook on. */
function shouldSwitchOn(
  { wasApplied, isRequested, now }: ReconcileContext,
  known: DeliveryStatus | undefined,
  look: ObservedDelivery | undefined,
): boolean {
  // The endpoint is another one than that of the last attempt, so there is no reason to wait for the next one.
  const mayBeOff = !wasApplied && look?.kind === 'seen' && look.isInactive === true;
  const isOff = mayBeOff || isStopped(known, look);
  return isOff && (!wasApplied || isRequested || isSwitchOnDue(known, now()));
}

/**
 * Reads the status of each webhook that points where spec wants, and that spec wants to be on. One that delivers can wait until the next look is due, unless
 * the destination is about to change: this ends what shows a gap.
 */
async function observeDeliveries(
  context: ReconcileContext,
  desired: DesiredState,
  steps: Plan,
  recorded: RecordedState,
): Promise<ReadonlyMap<string, ObservedDelivery>> {
  const wanted = [
    ...desired.portals.map(({ id, enabled }) => ({ portalID: id, enabled, step: steps.portals.get(id) })),
    { portalID: undefined, enabled: desired.organization?.enabled === true, step: steps.organization },
  ];
  const { kind } = steps.destination;
  const isDue = context.areLooksDue || (kind !== 'keep' && kind !== 'use' && kind !== 'none');
  const read = await Promise.all(
    wanted.map(async ({ portalID, enabled, step }) => {
      const because = step?.kind === 'attach' ? step.because : step?.kind;
      const isInPlace = because === 'keep' || because === 'enabled' || because === 'settings';
      if (!enabled || !isInPlace) return [];
      const key = deliveryKeyOf(portalID);
      if (because === 'keep' && !isDue && isAtRest(deliveryOf(recorded, key)))
        return [[key, { kind: 'later' } as const] as const];
      const isOn = because !== 'enabled';
      return [[key, await observeDelivery(context, desired, portalID, isOn)] as const];
    }),
  );
  return new Map(read.flat());
}
