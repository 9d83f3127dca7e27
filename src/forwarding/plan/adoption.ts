/** Decides whether the operator adopts an object of another client, and says why not. Pure. */
import type { DesiredState } from '../desired/desired-state.ts';
import { type Problem, reasons, stalled } from '../problems.ts';
import type { DestinationStep, Refusal, WebhookStep } from './steps.ts';

/** What a forwarding needs to adopt an object. */
export interface Adopter {
  readonly policy: DesiredState['adoptionPolicy'];
  /** The digest of the endpoint that the forwarding sends to. */
  readonly endpointDigest: string | undefined;
  /** True if the endpoint holds a secret. Only then an equal endpoint is a proof of ownership. */
  readonly endpointHoldsSecret: boolean;
}

/** Returns why the operator may not adopt an object of another client, or undefined if it may. `theirs`: the digest of its endpoint. */
export function refusalOf(
  { policy, endpointDigest, endpointHoldsSecret }: Adopter,
  theirs: string | undefined,
): Refusal | undefined {
  switch (policy) {
    case 'Always':
      return undefined;
    case 'Never':
      return 'policy';
    case 'IfMatching':
      if (theirs === undefined || theirs !== endpointDigest) return 'other endpoint';
      return endpointHoldsSecret ? undefined : 'shared endpoint';
  }
}

const causes: Readonly<Record<Refusal, string>> = {
  policy: 'spec.adoptionPolicy is Never',
  'other endpoint': 'it has another endpoint',
  'shared endpoint': 'it has the same endpoint, but this endpoint contains no secret, so it does not show whose it is',
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
