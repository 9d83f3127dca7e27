import type { AuditLogForwarding } from '../api/v1alpha1.ts';

/** Which forwardings name which Secrets, so that a change of a Secret reaches those at once. Keys are `namespace/name` on both sides. */
export class SecretReferences {
  readonly #bySecret = new Map<string, Set<string>>();
  readonly #byForwarding = new Map<string, readonly string[]>();

  /** In place of what was known of this forwarding. */
  set(key: string, { metadata, spec }: AuditLogForwarding): void {
    this.delete(key);
    const names = new Set([spec.konnect.tokenSecretRef.name, spec.destination.secretRef.name]);
    const secrets = [...names].map((name) => `${metadata.namespace}/${name}`);
    this.#byForwarding.set(key, secrets);
    for (const secret of secrets) {
      const forwardings = this.#bySecret.get(secret) ?? new Set();
      this.#bySecret.set(secret, forwardings.add(key));
    }
  }

  delete(key: string): void {
    for (const secret of this.#byForwarding.get(key) ?? []) {
      const forwardings = this.#bySecret.get(secret);
      forwardings?.delete(key);
      if (forwardings?.size === 0) this.#bySecret.delete(secret);
    }
    this.#byForwarding.delete(key);
  }

  forwardingsOf(secret: string): readonly string[] {
    return [...(this.#bySecret.get(secret) ?? [])];
  }
}
