/**
 * Plans what to do in Konnect, from what spec wants, what status records and what Konnect has. Pure. The same input gives the same plan,
 * and after a plan is applied the next one is empty.
 */

import type { RecordedState } from '../../status/recorded-state.ts';
import type { DesiredState } from '../desired/desired-state.ts';
import type { Observed } from '../observed/observed-state.ts';
import { adopterOf } from './adoption.ts';
import { planDestination } from './plan-destination.ts';
import { classified, planOrganization, planWebhook, type Target, yieldToOwner } from './plan-webhook.ts';
import type { DestinationStep, Plan, PlanContext } from './steps.ts';

/** Returns the plan of a reconciliation. */
export function plan(desired: DesiredState, recorded: RecordedState, observed: Observed, context: PlanContext): Plan {
  const { ownership } = context;
  const candidate = planDestination(desired, recorded.destination, observed, context);
  const target = targetOf(desired, candidate, recorded, observed, context);
  const portals = new Map(
    desired.portals.map(({ id, enabled }) => {
      const record = recorded.portals?.find((portal) => portal.id === id);
      const seen = observed.portals.get(id);
      const step = classified(planWebhook(target, enabled, record, seen), record, seen);
      return [id, yieldToOwner(step, ownership.webhook({ kind: 'portal', id }, seen), desired)];
    }),
  );
  const organization =
    desired.organization === undefined
      ? undefined
      : yieldToOwner(
          classified(
            planOrganization(desired, target, recorded.organization, observed.organization, context),
            recorded.organization?.api === desired.api ? recorded.organization : undefined,
            observed.organization,
            desired.own?.endpointDigest,
          ),
          ownership.webhook({ kind: 'organization' }, observed.organization),
          desired,
        );
  const attached = [...portals.values(), ...(desired.api === 'v3' ? [organization] : [])];
  const isUseful = attached.some((step) => step?.kind === 'attach' || step?.kind === 'keep');
  const destination: DestinationStep = isNew(candidate) && !isUseful ? { kind: 'none' } : candidate;
  return { destination, organization, portals };
}

/** Returns true for a destination that is created or adopted only if a webhook can be attached to it. */
function isNew(step: DestinationStep): boolean {
  return step.kind === 'create' || (step.kind === 'claim' && step.because === 'adopted');
}

function targetOf(
  desired: DesiredState,
  step: DestinationStep,
  { destination }: RecordedState,
  observed: Observed,
  context: PlanContext,
): Target {
  const takenBackID = step.kind === 'refuse' && step.why === 'taken back' ? step.ids[0] : undefined;
  const seen = observed.destination;
  const [referenced] = seen.kind === 'referenced' ? seen.found : [];
  const currentID = seen.kind === 'known' ? seen.ours?.id : seen.kind === 'referenced' ? undefined : destination?.id;
  const isOurs = takenBackID === undefined;
  return {
    ...adopterOf(desired, context, referenced),
    destinationID: step.kind === 'claim' || step.kind === 'use' ? step.id : isOurs ? currentID : undefined,
    formerID: isOurs && destination?.managed !== false ? destination?.id : undefined,
    takenBackID,
  };
}
