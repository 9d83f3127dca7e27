import { type Clock, systemClock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { sleep } from '../runtime/timeout.ts';
import { isKubeError } from './errors.ts';
import type { ReadOptions } from './kube-client.ts';

export interface NamespaceCheckOptions {
  readonly client: { get(path: string, options: ReadOptions): Promise<unknown> };
  readonly namespaces: readonly string[];
  readonly log: Log;
  readonly clock?: Clock;
}

const intervalMs = 60_000;

/**
 * Finds watched namespaces that do not exist. With rights for the whole cluster, the list of objects in such a namespace is empty, so that nothing else
 * shows a misspelled name.
 */
export class NamespaceCheck {
  readonly #options: NamespaceCheckOptions;
  readonly #missing = new Set<string>();

  constructor(options: NamespaceCheckOptions) {
    this.#options = options;
  }

  /** The namespaces that did not exist when the API server last answered. */
  get missing(): readonly string[] {
    return [...this.#missing].toSorted();
  }

  /** Requests each namespace, at once and then every minute, until `signal` is aborted. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { namespaces, clock = systemClock } = this.#options;
    while (namespaces.length > 0 && !signal.aborted) {
      await Promise.all(namespaces.map((namespace) => this.#check(namespace, signal)));
      await sleep(intervalMs, signal, clock);
    }
  }

  async #check(namespace: string, signal: AbortSignal): Promise<void> {
    const { client, log } = this.#options;
    try {
      await client.get(`/api/v1/namespaces/${namespace}`, { isMetadataOnly: true, signal });
      if (this.#missing.delete(namespace)) log.info({ namespace }, 'a namespace of --watch-namespaces exists now');
    } catch (error) {
      // Without an answer, or without the right to get the namespace, it counts as before.
      if (!isKubeError(error, 'NotFound') || this.#missing.has(namespace)) return;
      this.#missing.add(namespace);
      log.warn({ namespace }, 'a namespace of --watch-namespaces does not exist: create it, or correct the flag');
    }
  }
}
