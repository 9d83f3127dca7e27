/** The steps that a plan consists of. */

import type { AdoptionState } from '../../status/adoptions.ts';
import type { Difference } from '../observed/destination-diff.ts';
import type { Ownership } from '../ownership/ownership.ts';
import type { Problem } from '../problems.ts';

export type DestinationStep =
  /** The destination matches. `updatedAt` is recorded, since the answer to the operator's own write may not have shown it. */
  | { readonly kind: 'keep'; readonly updatedAt: string | undefined }
  | { readonly kind: 'none' }
  | { readonly kind: 'create' }
  /** Found by the pending creation, or adopted. The operator owns it from now on. */
  | {
      readonly kind: 'claim';
      readonly because: 'pending creation' | 'adopted';
      readonly id: string;
      readonly name: string;
      readonly duplicates: readonly string[];
      readonly next: DestinationStep;
    }
  /** `foreign`: what another client has changed since the operator last applied it. */
  | { readonly kind: 'update'; readonly differences: readonly Difference[]; readonly foreign: readonly Difference[] }
  /** The destination that `destinationRef` matches. `isSuspicious`: Konnect cannot deliver to its endpoint. */
  | { readonly kind: 'use'; readonly id: string; readonly isSuspicious: boolean }
  /** `destinationRef` matches no destination, or several. */
  | { readonly kind: 'unresolved'; readonly ids: readonly string[] }
  /** A pending creation may still show up in Konnect's lists. */
  | { readonly kind: 'wait' }
  /** Another destination has the name, and may not be adopted. */
  | { readonly kind: 'refuse'; readonly name: string; readonly ids: readonly string[]; readonly why: Refusal }
  /** Another forwarding owns the name. */
  | { readonly kind: 'lost'; readonly to: string }
  | { readonly kind: 'unknown'; readonly problem: Problem };

export type WebhookStep =
  | { readonly kind: 'keep'; readonly updatedAt?: string | undefined }
  | {
      readonly kind: 'attach';
      readonly because: AttachReason;
      readonly otherID?: string | undefined;
      /** Another client has changed the webhook since the operator last applied it. */
      readonly isForeign?: boolean;
    }
  | { readonly kind: 'refuse'; readonly otherID: string | undefined; readonly why: Refusal }
  | { readonly kind: 'lost'; readonly to: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unknown'; readonly problem: Problem };

/**
 * Why the operator does not adopt an object of another client. `shared endpoint`: an equal endpoint without a secret in it. `other
 * cluster`: it has the name that another operator gives. `taken back`: this forwarding had adopted it. For destinations only, `several`:
 * more than one has the name, and `renamed`: the forwarding has another destination already.
 */
export type Refusal =
  | 'policy'
  | 'other endpoint'
  | 'shared endpoint'
  | 'other cluster'
  | 'taken back'
  | 'several'
  | 'renamed';

/**
 * `enabled`, `switched off` (by Konnect itself), `settings` and `pointed elsewhere`: a webhook that the operator owns differs from what spec
 * wants. `inactive`: it matches, but Konnect sends nothing from it after a failed attempt.
 */
export type AttachReason =
  | 'unconfigured'
  | 'destination gone'
  | 'adopted'
  | 'handed over'
  | 'enabled'
  | 'switched off'
  | 'inactive'
  | 'pointed elsewhere'
  | 'settings';

export interface Plan {
  readonly destination: DestinationStep;
  readonly organization: WebhookStep | undefined;
  /** By portal ID, in the order of spec. */
  readonly portals: ReadonlyMap<string, WebhookStep>;
}

export interface PlanContext {
  /** Returns for how many milliseconds this process has known a time that is recorded in status. */
  readonly ageMs: (time: string) => number;
  /** How long a created destination may be missing in Konnect's lists. */
  readonly pendingCreationTimeoutMs: number;
  readonly ownership: Ownership;
  /** True if this reconciliation has just switched off the organization's webhook in v2. */
  readonly hasLeftInline?: boolean;
  /** Returns what status says about an adoption of this destination. Undefined stands for the organization's inline webhook. */
  readonly adoptionStateOf?: (destinationID: string | undefined) => AdoptionState;
}
