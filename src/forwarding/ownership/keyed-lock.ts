/** Runs actions that share a key one after another, in the order of the calls, and all others in parallel. */
export class KeyedLock {
  readonly #last = new Map<string, Promise<void>>();

  /** Runs `action` after every earlier action that has one of these keys. Resolves or rejects as `action` does. */
  async runExclusive<T>(keys: readonly string[], action: () => Promise<T>): Promise<T> {
    const before = keys.flatMap((key) => this.#last.get(key) ?? []);
    const { promise, resolve } = Promise.withResolvers<void>();
    for (const key of keys) this.#last.set(key, promise);
    try {
      await Promise.all(before);
      return await action();
    } finally {
      for (const key of keys) if (this.#last.get(key) === promise) this.#last.delete(key);
      resolve();
    }
  }
}
