/**
 * What has to be done in Konnect, from what is wanted, what status remembers and what was seen. Pure: the same three give the same
 * plan, and carrying a plan out makes the next one empty.
 */
import type { Status } from '../../api/v1alpha1.ts';
import type { Desired } from '../desired/desired-state.ts';
import type { Observed } from '../observed/observed-state.ts';
import { planDestination } from './plan-destination.ts';
import { contend, planOrganization, planWebhook, type Target } from './plan-webhook.ts';
import type { DestinationStep, Plan, PlanContext } from './steps.ts';

export function plan(desired: Desired, memory: Status, observed: Observed, context: PlanContext): Plan {
  const { rivals } = context;
  const candidate = planDestination(desired, memory.destination, observed, context);
  const target = targetOf(desired, candidate, memory, observed);
  const portals = new Map(
    desired.portals.map(({ id, enabled }) => {
      const remembered = memory.portals?.find((portal) => portal.id === id);
      const seen = observed.portals.get(id);
      const step = planWebhook(target, enabled, remembered, seen);
      return [id, contend(step, rivals.webhook({ kind: 'portal', id }, seen), desired)];
    }),
  );
  const organization =
    desired.organization === undefined
      ? undefined
      : contend(
          planOrganization(desired, target, memory.organization, observed.organization),
          rivals.webhook({ kind: 'organization' }, observed.organization),
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

function targetOf(desired: Desired, step: DestinationStep, { destination }: Status, observed: Observed): Target {
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
