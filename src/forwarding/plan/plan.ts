/**
 * What has to be done in Konnect, from what is wanted, what status remembers and what was seen. Pure: the same three give the same
 * plan, and carrying a plan out makes the next one empty.
 */

import type { RecordedState } from '../../status/recorded-state.ts';
import type { DesiredState } from '../desired/desired-state.ts';
import type { Observed } from '../observed/observed-state.ts';
import { planDestination } from './plan-destination.ts';
import { planOrganization, planWebhook, type Target, yieldToOwner } from './plan-webhook.ts';
import type { DestinationStep, Plan, PlanContext } from './steps.ts';

export function plan(desired: DesiredState, recorded: RecordedState, observed: Observed, context: PlanContext): Plan {
  const { ownership } = context;
  const candidate = planDestination(desired, recorded.destination, observed, context);
  const target = targetOf(desired, candidate, recorded, observed);
  const portals = new Map(
    desired.portals.map(({ id, enabled }) => {
      const remembered = recorded.portals?.find((portal) => portal.id === id);
      const seen = observed.portals.get(id);
      const step = planWebhook(target, enabled, remembered, seen);
      return [id, yieldToOwner(step, ownership.webhook({ kind: 'portal', id }, seen), desired)];
    }),
  );
  const organization =
    desired.organization === undefined
      ? undefined
      : yieldToOwner(
          planOrganization(desired, target, recorded.organization, observed.organization),
          ownership.webhook({ kind: 'organization' }, observed.organization),
          desired,
        );
  const attached = [...portals.values(), ...(desired.api === 'v3' ? [organization] : [])];
  const isUseful = attached.some((step) => step?.kind === 'attach' || step?.kind === 'keep');
  const destination: DestinationStep = isNew(candidate) && !isUseful ? { kind: 'none' } : candidate;
  return { destination, organization, portals };
}

/** True where nothing is left to be done. */
export function isEmpty({ destination, organization, portals }: Plan): boolean {
  const writes: ReadonlySet<DestinationStep['kind']> = new Set(['create', 'claim', 'update', 'wait', 'unknown']);
  return !writes.has(destination.kind) && [organization, ...portals.values()].every((step) => step?.kind !== 'attach');
}

/** Made or taken only once there is something to attach it to. */
function isNew(step: DestinationStep): boolean {
  return step.kind === 'create' || (step.kind === 'claim' && step.because === 'adopted');
}

function targetOf(
  desired: DesiredState,
  step: DestinationStep,
  { destination }: RecordedState,
  observed: Observed,
): Target {
  const seen = observed.destination;
  const [referenced] = seen.kind === 'referenced' ? seen.found : [];
  const standing = seen.kind === 'known' ? seen.ours?.id : seen.kind === 'referenced' ? undefined : destination?.id;
  return {
    policy: desired.adoptionPolicy,
    destinationID: step.kind === 'claim' || step.kind === 'use' ? step.id : standing,
    formerID: destination?.managed === false ? undefined : destination?.id,
    endpointDigest: desired.own?.endpointDigest ?? referenced?.endpointDigest,
  };
}
