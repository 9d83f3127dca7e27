/** Passes that share a claim come one after another, so that each sees what the other has decided; all others run side by side. */
export class KeyedLock {
  readonly #last = new Map<string, Promise<void>>();

  /** Begins once every deed that was given one of these things before has ended; answers, or rejects with, what the deed does. */
  async runExclusive<T>(things: readonly string[], deed: () => Promise<T>): Promise<T> {
    const before = things.flatMap((thing) => this.#last.get(thing) ?? []);
    const { promise, resolve } = Promise.withResolvers<void>();
    for (const thing of things) this.#last.set(thing, promise);
    try {
      await Promise.all(before);
      return await deed();
    } finally {
      for (const thing of things) if (this.#last.get(thing) === promise) this.#last.delete(thing);
      resolve();
    }
  }
}
