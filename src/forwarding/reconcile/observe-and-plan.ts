/** Observes and plans, in both modes. */
import { adoptionStateOf } from '../../status/adoptions.ts';
import { deliveryKeyOf, isSwitchOnDue, type SeenDelivery } from '../../status/delivery.ts';
import type { RecordedState } from '../../status/recorded-state.ts';
import type { DesiredState } from '../desired/desired-state.ts';
import { observe } from '../observed/observe.ts';
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
  readonly maxListAgeMs: number;
  /** How long a created destination may be missing in Konnect's lists. */
  readonly pendingCreationTimeoutMs: number;
  readonly ownership: Ownership;
}

export interface DeliveryPlan extends Plan {
  /** By key of `status.delivery`, what Konnect says about the webhooks that the operator looked at. Undefined: it could not be read. */
  readonly deliveries: ReadonlyMap<string, SeenDelivery | undefined>;
}

/** Returns the plan for what Konnect has now. `mayWrite`: false with `mode: Observe`, in which the operator switches no webhook on. */
export async function observeAndPlan(
  context: ReconcileContext,
  desired: DesiredState,
  recorded: RecordedState,
  { mayWrite, ...options }: PlanOptions & Pick<PlanContext, 'hasLeftInline'> & { readonly mayWrite: boolean },
): Promise<DeliveryPlan> {
  const observed = await observe(context, desired, recorded, options.maxListAgeMs);
  const planContext: PlanContext = {
    ...options,
    ageMs: context.ageMs,
    adoptionStateOf: (id) => adoptionStateOf(recorded, id, context.now()),
  };
  const steps = plan(desired, recorded, observed, planContext);
  const wantedOn: readonly (string | undefined)[] = [
    ...desired.portals.filter(({ enabled }) => enabled).map(({ id }) => id),
    ...(desired.organization?.enabled === true ? [undefined] : []),
  ];
  const isRecovering = (key: string) => (recorded.delivery ?? []).some((one) => one.key === key);
  const read = await Promise.all(
    wantedOn.map(async (portalID): Promise<readonly (readonly [string, ObservedDelivery])[]> => {
      const key = deliveryKeyOf(portalID);
      const step = portalID === undefined ? steps.organization : steps.portals.get(portalID);
      const because = step?.kind === 'attach' ? step.because : step?.kind;
      const isOff = because === 'enabled';
      const isOn = isRecovering(key) && (because === 'keep' || because === 'settings');
      return isOff || isOn ? [[key, await observeDelivery(context, desired, portalID, isOn)]] : [];
    }),
  );
  const deliveries = new Map(read.flat());
  const isUrgent = mayWrite && (!context.wasApplied || context.isRequested);
  const adopter = adopterOf(desired, planContext);
  const adjusted = (step: WebhookStep, key: string, seen: SeenWebhook | undefined) => {
    const next = planSwitchOn(step, deliveries.get(key), {
      isDue: isUrgent || (mayWrite && isSwitchOnDue(recorded, key, context.now())),
      isRecovering: isRecovering(key),
    });
    return givingWay(next, adopter, seen);
  };
  return {
    ...steps,
    portals: new Map([...steps.portals].map(([id, step]) => [id, adjusted(step, id, observed.portals.get(id))])),
    organization: steps.organization && adjusted(steps.organization, deliveryKeyOf(undefined), observed.organization),
    deliveries: new Map([...deliveries].map(([key, seen]) => [key, stateOf(seen)])),
  };
}

function stateOf(seen: ObservedDelivery): SeenDelivery | undefined {
  return typeof seen === 'object' || seen === 'unreadable' ? undefined : seen;
}
