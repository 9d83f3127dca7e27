/** The average time between two early resyncs of one organization: 30 in 5 minutes. */
const spacingMs = 10_000;
/** More than one, so that a recovery reaches all others. Few, so that a forwarding that recovers again and again causes few requests. */
const maxEnqueued = 3;

/**
 * The forwardings with a problem that only a change in Konnect ends, such as a revoked token or a missing role. Konnect does not announce
 * such a change, so each of them is resynced before its interval has passed. They share this time, because one cause may affect a
 * thousand forwardings of an organization.
 */
export class RefusedForwardings {
  /** The keys of each group. The key that has waited longest is the first one. */
  readonly #keys = new Map<string, Set<string>>();
  readonly #groups = new Map<string, string>();

  /** Adds a key, or puts it behind the others of its group. Returns after how many milliseconds it may be resynced early. */
  add(key: string, group: string): number {
    this.remove(key);
    const keys = this.#keys.get(group) ?? new Set();
    this.#keys.set(group, keys.add(key));
    this.#groups.set(key, group);
    return keys.size * spacingMs;
  }

  /** Removes a key. Returns other keys of its group, which may have recovered as well. */
  remove(key: string): readonly string[] {
    const group = this.#groups.get(key);
    if (group === undefined) return [];
    const keys = this.#keys.get(group);
    this.#groups.delete(key);
    keys?.delete(key);
    if (keys?.size === 0) this.#keys.delete(group);
    return [...(keys ?? [])].slice(0, maxEnqueued);
  }
}
