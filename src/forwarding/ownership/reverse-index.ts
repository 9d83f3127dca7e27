/** Which forwardings mention which things (a Secret, a webhook, a name), found from both sides. Keys are `namespace/name`. */
export class ReverseIndex {
  readonly #byThing = new Map<string, Set<string>>();
  readonly #byKey = new Map<string, readonly string[]>();

  /** In place of what this forwarding mentioned before. */
  set(key: string, things: readonly string[]): void {
    this.delete(key);
    this.#byKey.set(key, things);
    for (const thing of things) {
      const keys = this.#byThing.get(thing) ?? new Set();
      this.#byThing.set(thing, keys.add(key));
    }
  }

  delete(key: string): void {
    for (const thing of this.#byKey.get(key) ?? []) {
      const keys = this.#byThing.get(thing);
      keys?.delete(key);
      if (keys?.size === 0) this.#byThing.delete(thing);
    }
    this.#byKey.delete(key);
  }

  /** Those that mention this thing. */
  of(thing: string): readonly string[] {
    return [...(this.#byThing.get(thing) ?? [])];
  }

  /** Others that mention something that this one mentions. */
  sharedWith(key: string): readonly string[] {
    const shared = new Set((this.#byKey.get(key) ?? []).flatMap((thing) => this.of(thing)));
    shared.delete(key);
    return [...shared];
  }
}
