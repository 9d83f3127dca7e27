/** What the operator has read from Konnect. Endpoints are digests, since no later step needs the endpoint itself. */

import type { Destination, InlineWebhook } from '../../konnect/schema.ts';
import { endpointDigest } from '../desired/desired-state.ts';
import { holdsSecret, lacksCode } from '../desired/endpoint-secret.ts';
import type { Problem } from '../problems.ts';

export interface SeenDestination {
  readonly id: string;
  readonly name: string | undefined;
  readonly endpointDigest: string | undefined;
  readonly endpointHoldsSecret: boolean;
  /** True for the URL of a SumoLogic source that wants a header which Konnect cannot send. */
  readonly isSuspicious: boolean;
  readonly logFormat: string | undefined;
  readonly skipSSLVerification: boolean | undefined;
  readonly updatedAt: string | undefined;
}

/** What can differ from what spec wants. */
export type SeenSettings = Omit<SeenDestination, 'id' | 'endpointHoldsSecret' | 'isSuspicious'>;

export type ObservedDestination =
  | { readonly kind: 'unneeded' }
  | { readonly kind: 'unknown'; readonly problem: Problem }
  | {
      readonly kind: 'known';
      /** The destination whose ID is recorded in status. */
      readonly ours: SeenDestination | undefined;
      /** Other destinations that have the name that spec wants. */
      readonly named: readonly SeenDestination[];
      /** Other destinations that have the name of the pending creation, the oldest first. */
      readonly sameNameAsPending: readonly SeenDestination[];
    }
  /** The destinations that `destinationRef` matches: exactly one if there is no problem. */
  | { readonly kind: 'referenced'; readonly found: readonly SeenDestination[] };

export type SeenWebhook =
  | { readonly kind: 'unknown'; readonly problem: Problem }
  /** The portal does not exist, or the token may not see it. */
  | { readonly kind: 'missing' }
  | { readonly kind: 'unconfigured' }
  | {
      readonly kind: 'attached';
      readonly destinationID: string;
      readonly enabled: boolean;
      /** Read after the webhook if the operator does not know the destination, else true. */
      readonly destinationExists: boolean;
      /** The name and the endpoint digest of a destination that the operator does not know. */
      readonly otherName?: string | undefined;
      readonly otherDigest?: string | undefined;
    }
  /** The organization's webhook as v2 shows it, with its own endpoint. */
  | {
      readonly kind: 'inline';
      readonly endpointDigest: string;
      readonly enabled: boolean;
      readonly logFormat: string | undefined;
      readonly skipSSLVerification: boolean | undefined;
      readonly updatedAt: string | undefined;
    };

export interface Observed {
  readonly destination: ObservedDestination;
  readonly organization: SeenWebhook | undefined;
  readonly portals: ReadonlyMap<string, SeenWebhook>;
}

/** Returns a destination with its endpoint as a digest. */
export function seenDestination(uid: string, destination: Destination): SeenDestination {
  const { endpoint } = destination;
  return {
    id: destination.id,
    name: destination.name,
    endpointDigest: endpoint === undefined ? undefined : endpointDigest(uid, endpoint),
    endpointHoldsSecret: endpoint !== undefined && holdsSecret(endpoint),
    isSuspicious: endpoint !== undefined && lacksCode(endpoint),
    logFormat: destination.logFormat,
    skipSSLVerification: destination.skipSSLVerification,
    updatedAt: destination.updatedAt,
  };
}

/** Returns the organization's webhook of v2 with its endpoint as a digest. */
export function seenInline(uid: string, webhook: InlineWebhook | undefined): SeenWebhook {
  if (webhook?.endpoint === undefined) return { kind: 'unconfigured' };
  return {
    kind: 'inline',
    endpointDigest: endpointDigest(uid, webhook.endpoint),
    enabled: webhook.enabled,
    logFormat: webhook.logFormat,
    skipSSLVerification: webhook.skipSSLVerification,
    updatedAt: webhook.updatedAt,
  };
}

/** Orders destinations by their time of creation. */
export function oldestFirst(a: Destination, b: Destination): number {
  const difference = Date.parse(a.createdAt ?? '') - Date.parse(b.createdAt ?? '');
  return difference || (a.id < b.id ? -1 : 1);
}
