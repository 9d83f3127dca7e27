/** An index from forwardings to what they refer to (Secrets, claims), and back. Keys are `namespace/name`. */
export class ReverseIndex {
  readonly #keysOf = new Map<string, Set<string>>();
  readonly #valuesOf = new Map<string, readonly string[]>();

  /** Sets what a forwarding refers to. Replaces its previous values. */
  set(key: string, values: readonly string[]): void {
    this.delete(key);
    this.#valuesOf.set(key, values);
    for (const value of values) {
      const keys = this.#keysOf.get(value) ?? new Set();
      this.#keysOf.set(value, keys.add(key));
    }
  }

  /** Removes a forwarding. */
  delete(key: string): void {
    for (const value of this.#valuesOf.get(key) ?? []) {
      const keys = this.#keysOf.get(value);
      keys?.delete(key);
      if (keys?.size === 0) this.#keysOf.delete(value);
    }
    this.#valuesOf.delete(key);
  }

  /** Returns the forwardings that refer to this value. */
  of(value: string): readonly string[] {
    return [...(this.#keysOf.get(value) ?? [])];
  }

  /** Returns the other forwardings that refer to a value of this one. */
  sharedWith(key: string): readonly string[] {
    const shared = new Set((this.#valuesOf.get(key) ?? []).flatMap((value) => this.of(value)));
    shared.delete(key);
    return [...shared];
  }
}
