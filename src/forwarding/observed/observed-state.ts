/** A destination, with its endpoint as a digest: nothing that plans or remembers needs more. */

import type { Destination, InlineWebhook } from '../../konnect/schema.ts';
import { endpointDigest } from '../desired/desired-state.ts';
import type { Problem } from '../problems.ts';

export interface SeenDestination {
  readonly id: string;
  readonly name: string | undefined;
  readonly endpointDigest: string | undefined;
  readonly logFormat: string | undefined;
  readonly skipSSLVerification: boolean | undefined;
  readonly updatedAt: string | undefined;
}

export type ObservedDestination =
  | { readonly kind: 'unneeded' }
  | { readonly kind: 'unknown'; readonly problem: Problem }
  | {
      readonly kind: 'known';
      /** The one that status names by its ID. */
      readonly ours: SeenDestination | undefined;
      /** Others that bear the wanted name. */
      readonly named: readonly SeenDestination[];
      /** Others that bear the name of the intent on record, the oldest first. */
      readonly intended: readonly SeenDestination[];
    }
  /** Somebody else's, which spec names: one, where all is well. */
  | { readonly kind: 'referenced'; readonly found: readonly SeenDestination[] };
export type SeenWebhook =
  | { readonly kind: 'unknown'; readonly problem: Problem }
  /** There is no such portal, or the token may not see it. */
  | { readonly kind: 'missing' }
  | { readonly kind: 'unconfigured' }
  | {
      readonly kind: 'attached';
      readonly destinationID: string;
      readonly enabled: boolean;
      /** Asked, after the webhook was read, only where the destination is not ours; else true. */
      readonly destinationExists: boolean;
      /** Of the endpoint of a destination that is not ours. */
      readonly otherDigest?: string | undefined;
    }
  /** The organization's webhook with an endpoint of its own, as v2 shows it. */
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

export function seenDestination(uid: string, destination: Destination): SeenDestination {
  return {
    id: destination.id,
    name: destination.name,
    endpointDigest: destination.endpoint === undefined ? undefined : endpointDigest(uid, destination.endpoint),
    logFormat: destination.logFormat,
    skipSSLVerification: destination.skipSSLVerification,
    updatedAt: destination.updatedAt,
  };
}

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
