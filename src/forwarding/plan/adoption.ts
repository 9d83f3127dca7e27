/** Decides whether the operator adopts an object of another client, and says why not. Pure. */
import type { AdoptionChanges, AdoptionState } from '../../status/adoptions.ts';
import type { DesiredState } from '../desired/desired-state.ts';
import type { Difference } from '../observed/destination-diff.ts';
import type { SeenDestination, SeenWebhook } from '../observed/observed-state.ts';
import { type Problem, reasons, stalled } from '../problems.ts';
import type { DestinationStep, Plan, PlanContext, Refusal, WebhookStep } from './steps.ts';

/** What a forwarding needs to adopt an object. */
export interface Adopter {
  readonly policy: DesiredState['adoptionPolicy'];
  /** The digest of the endpoint that the forwarding sends to. */
  readonly endpointDigest: string | undefined;
  /** True if the endpoint holds a secret. Only then an equal endpoint is a proof of ownership. */
  readonly endpointHoldsSecret: boolean;
  /** The name of the forwarding's own destination. */
  readonly destinationName: string | undefined;
  /** `namespace/name` of the forwarding. */
  readonly forwardingName: string;
  readonly adoptionStateOf: NonNullable<PlanContext['adoptionStateOf']>;
}

/** A destination of another client, or the organization's inline webhook, which has neither ID nor name. */
export type Found = Pick<Partial<SeenDestination>, 'id' | 'name' | 'endpointDigest'>;

/** Returns what the forwarding needs. `referenced`: the destination that spec refers to. */
export function adopterOf(
  { adoptionPolicy, own, forwardingName }: DesiredState,
  { adoptionStateOf = () => undefined }: PlanContext,
  referenced?: SeenDestination,
): Adopter {
  return {
    policy: adoptionPolicy,
    endpointDigest: (own ?? referenced)?.endpointDigest,
    endpointHoldsSecret: (own ?? referenced)?.endpointHoldsSecret ?? false,
    destinationName: own?.settings.name,
    forwardingName,
    adoptionStateOf,
  };
}

/** Returns why the operator may not adopt an object of another client, or undefined if it may. */
export function refusalOf(adopter: Adopter, found: Found): Refusal | undefined {
  switch (adopter.policy) {
    case 'Always':
      return undefined;
    case 'Never':
      return 'policy';
    case 'IfMatching':
      if (found.endpointDigest === undefined || found.endpointDigest !== adopter.endpointDigest)
        return 'other endpoint';
      if (!adopter.endpointHoldsSecret) return 'shared endpoint';
      if (isOfOtherCluster(adopter, found)) return 'other cluster';
      return adopter.adoptionStateOf(found.id) === 'taken back' ? 'taken back' : undefined;
  }
}

/** Returns true for the name that the operator of another cluster gives to the destination of a forwarding with this name. */
function isOfOtherCluster({ destinationName, forwardingName }: Adopter, { name }: Found): boolean {
  return name !== destinationName && (name === forwardingName || name?.endsWith(`/${forwardingName}`) === true);
}

/**
 * Returns true if another client has changed a destination back that this forwarding had adopted. That client may be the operator of
 * another cluster, and two operators must not overwrite each other. What only Konnect's time shows counts at the second time: an earlier
 * process of this operator may have written it.
 */
export function isTakenBack(adopter: Adopter, id: string, foreign: readonly Difference[]): boolean {
  const state = stateOf(adopter, id);
  const isSure = foreign.some((field) => field !== 'authorization') || state !== 'recent';
  return foreign.length > 0 && isSure && state !== undefined;
}

/**
 * Returns the step, or a refusal if another client has taken the webhook back. A webhook that is only switched off, by Konnect or by
 * another client, was not taken back.
 */
export function givingWay(step: WebhookStep, adopter: Adopter, seen: SeenWebhook | undefined): WebhookStep {
  if (step.kind !== 'attach' || step.isForeign !== true || step.because === 'enabled') return step;
  if (seen?.kind !== 'attached' && seen?.kind !== 'inline') return step;
  const otherID = seen.kind === 'attached' ? seen.destinationID : undefined;
  const state = stateOf(adopter, otherID);
  const isSure = step.because !== 'settings' || state !== 'recent';
  return isSure && state !== undefined ? { kind: 'refuse', otherID, why: 'taken back' } : step;
}

function stateOf({ policy, adoptionStateOf }: Adopter, id: string | undefined): AdoptionState {
  return policy === 'IfMatching' ? adoptionStateOf(id) : undefined;
}

/** Returns what the plan adopts, and what it leaves to an owner that took it back. */
export function adoptionChanges(
  { destination, organization, portals }: Plan,
  { adoptionPolicy }: DesiredState,
): AdoptionChanges {
  const webhooks = [...portals.values(), ...(organization === undefined ? [] : [organization])];
  const claimed = destination.kind === 'claim' && destination.because === 'adopted' ? [destination.id] : [];
  const adopted = webhooks.flatMap((step) =>
    step.kind === 'attach' && step.because === 'adopted' ? [step.otherID] : [],
  );
  const lost = destination.kind === 'refuse' && destination.why === 'taken back' ? destination.ids : [];
  const takenBack = webhooks.flatMap((step) =>
    step.kind === 'refuse' && step.why === 'taken back' ? [step.otherID] : [],
  );
  return {
    adopted: new Set(adoptionPolicy === 'IfMatching' ? [...claimed, ...adopted] : []),
    takenBack: new Set([...lost, ...takenBack]),
    isComplete: [destination, ...webhooks].every((step) => step.kind !== 'unknown'),
  };
}

const causes: Readonly<Record<Refusal, string>> = {
  policy: 'spec.adoptionPolicy is Never',
  'other endpoint': 'it has another endpoint',
  'shared endpoint': 'it has the same endpoint, but this endpoint contains no secret, so it does not show whose it is',
  'other cluster': 'its name is that of this forwarding in another cluster',
  'taken back':
    'this forwarding had adopted it, and another client took it back, perhaps the operator of another cluster',
  several: 'the operator cannot tell which one to adopt',
  renamed: 'this forwarding already has a destination',
};

/** Returns the problem of a destination whose name another one has. */
export function nameInUse({ name, ids, why }: Extract<DestinationStep, { kind: 'refuse' }>): Problem {
  const which = ids.length === 1 ? `destination ${ids.join('')}` : `destinations ${ids.slice(0, 5).join(', ')}`;
  const wayOut =
    why === 'several' || why === 'renamed'
      ? 'delete what has this name in Konnect, or set another spec.destination.name'
      : 'delete that destination in Konnect, set another spec.destination.name, or adopt it with spec.adoptionPolicy: Always';
  return stalled(
    reasons.nameInUse,
    `the name "${name}" is used in Konnect by ${which}, which this forwarding did not create (${causes[why]}): ${wayOut}; the operator changed nothing`,
  );
}

/** Returns the name of what a webhook points at, for messages. */
export function nameOther(otherID: string | undefined): string {
  return otherID === undefined ? 'another endpoint' : `destination ${otherID}`;
}

/** Returns the problem of a webhook that another client uses. `object` is its name in messages, and `field` names it in spec. */
export function webhookInUse(
  { otherID, why }: Extract<WebhookStep, { kind: 'refuse' }>,
  object: string,
  field: string,
): Problem {
  return stalled(
    reasons.webhookInUse,
    `${object} already forwards to ${nameOther(otherID)}, which this forwarding did not set (${causes[why]}): detach the webhook in Konnect, remove ${field}, or adopt the webhook with spec.adoptionPolicy: Always; the operator changed nothing`,
  );
}
