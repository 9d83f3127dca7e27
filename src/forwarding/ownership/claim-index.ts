/** Finds the forwardings that share a claim, and those to enqueue when one of them changes. */
import type { AuditLogForwarding } from '../../api/v1alpha1.ts';
import { claimsOf, nameOf, ownershipFingerprint } from './claims.ts';
import { ReverseIndex } from './reverse-index.ts';

/** Holds the claims of every forwarding, as the cache last showed it. Keys are `namespace/name`. */
export class ClaimIndex {
  readonly #destinationName: (forwarding: AuditLogForwarding) => string | undefined;
  readonly #claims = new ReverseIndex();
  readonly #fingerprints = new Map<string, string>();

  /** `destinationName` returns the name of the destination that the operator creates for a forwarding. */
  constructor(destinationName: (forwarding: AuditLogForwarding) => string | undefined) {
    this.#destinationName = destinationName;
  }

  /** Returns the keys to enqueue: the forwardings that share or shared a claim with this one, if it changed in what they depend on. */
  update(forwarding: AuditLogForwarding): readonly string[] {
    const key = nameOf(forwarding);
    const fingerprint = ownershipFingerprint(forwarding);
    if (this.#fingerprints.get(key) === fingerprint) return [];
    this.#fingerprints.set(key, fingerprint);
    const before = this.#claims.sharedWith(key);
    this.#claims.set(key, claimsOf(forwarding, this.#destinationName(forwarding)));
    return [...new Set([...before, ...this.#claims.sharedWith(key)])];
  }

  /** Forgets a deleted forwarding. Returns the keys to enqueue: those that shared a claim with it. */
  delete(key: string): readonly string[] {
    const before = this.#claims.sharedWith(key);
    this.#claims.delete(key);
    this.#fingerprints.delete(key);
    return before;
  }

  /** Returns the other forwardings that have one of these claims. */
  sharing(key: string, claims: readonly string[]): readonly string[] {
    const found = new Set(claims.flatMap((claim) => this.#claims.of(claim)));
    found.delete(key);
    return [...found];
  }
}
