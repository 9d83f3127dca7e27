import type { Difference } from '../observed/destination-diff.ts';
import type { Ownership } from '../ownership/ownership.ts';
import type { Problem } from '../problems.ts';

export type DestinationStep =
  /** Nothing to do; `updatedAt` is to be remembered where our own write did not tell it. */
  | { readonly kind: 'keep'; readonly updatedAt: string | undefined }
  | { readonly kind: 'none' }
  | { readonly kind: 'create' }
  /** Ours from now on: found by the intent on record, or adopted. */
  | {
      readonly kind: 'claim';
      readonly because: 'intent' | 'adopted';
      readonly id: string;
      readonly name: string;
      readonly duplicates: readonly string[];
      readonly next: DestinationStep;
    }
  | { readonly kind: 'update'; readonly differences: readonly Difference[] }
  /** Somebody else's, which spec names. */
  | { readonly kind: 'use'; readonly id: string }
  /** The destination that spec names is not there, or there are several. */
  | { readonly kind: 'unresolved'; readonly ids: readonly string[] }
  /** A creation may still come to light in Konnect's lists. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'refuse'; readonly name: string; readonly ids: readonly string[] }
  /** Another forwarding has it, or comes first. */
  | { readonly kind: 'lost'; readonly to: string }
  | { readonly kind: 'unknown'; readonly problem: Problem };
export type WebhookStep =
  | { readonly kind: 'keep'; readonly updatedAt?: string | undefined }
  | { readonly kind: 'attach'; readonly because: AttachReason; readonly otherID?: string | undefined }
  | { readonly kind: 'refuse'; readonly otherID: string | undefined }
  | { readonly kind: 'lost'; readonly to: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unknown'; readonly problem: Problem };
/** `enabled`, `settings` and `pointed elsewhere`: what was ours differs from what is wanted. */
export type AttachReason =
  | 'unconfigured'
  | 'destination gone'
  | 'adopted'
  | 'handed over'
  | 'enabled'
  | 'pointed elsewhere'
  | 'settings';
export interface Plan {
  readonly destination: DestinationStep;
  readonly organization: WebhookStep | undefined;
  /** By portal ID, in the order of spec. */
  readonly portals: ReadonlyMap<string, WebhookStep>;
}

export interface PlanContext {
  /** For how long a time on record has been known, in milliseconds. */
  readonly ageMs: (time: string) => number;
  /** How long after an intent a destination may be missing in lists although its POST was carried out. */
  readonly pendingCreationTimeoutMs: number;
  readonly ownership: Ownership;
}
