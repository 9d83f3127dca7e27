/** Which forwardings want or hold the same things in one organization, and who has to look again when one of them changes. */
import type { AuditLogForwarding } from '../../api/v1alpha1.ts';
import { claimsOf, nameOf, ownershipFingerprint } from './claims.ts';
import { ReverseIndex } from './reverse-index.ts';

/** Fed with every forwarding as it was last seen. Keys are `namespace/name`. */
export class ClaimIndex {
  readonly #destinationName: (forwarding: AuditLogForwarding) => string | undefined;
  readonly #mentions = new ReverseIndex();
  readonly #standing = new Map<string, string>();

  /** `destinationName`: the name that a forwarding's own destination has in Konnect. */
  constructor(destinationName: (forwarding: AuditLogForwarding) => string | undefined) {
    this.#destinationName = destinationName;
  }

  /** Answers who has to look again: those that share, or shared, a claim with this forwarding, where it changed in what matters to them. */
  update(forwarding: AuditLogForwarding): readonly string[] {
    const key = nameOf(forwarding);
    const news = ownershipFingerprint(forwarding);
    if (this.#standing.get(key) === news) return [];
    this.#standing.set(key, news);
    const before = this.#mentions.sharedWith(key);
    this.#mentions.set(key, claimsOf(forwarding, this.#destinationName(forwarding)));
    return [...new Set([...before, ...this.#mentions.sharedWith(key)])];
  }

  /** Answers who has to look again now that it is gone. */
  delete(key: string): readonly string[] {
    const before = this.#mentions.sharedWith(key);
    this.#mentions.delete(key);
    this.#standing.delete(key);
    return before;
  }

  /** Others with one of these claims. */
  sharing(key: string, claims: readonly string[]): readonly string[] {
    const found = new Set(claims.flatMap((claim) => this.#mentions.of(claim)));
    found.delete(key);
    return [...found];
  }
}
