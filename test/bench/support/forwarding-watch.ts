import type { KubeClient } from '../../../src/kube/kube-client.ts';
import type { KubeObject } from '../../../src/kube/objects.ts';
import { forwardingsPath } from '../../../src/resources/forwarding-resource.ts';

interface Forwarding extends KubeObject {
  readonly status?: {
    readonly observedGeneration?: number;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

/** The generation of each forwarding of a namespace, and whether it is Ready at this generation, as a watch shows it. */
export class ForwardingWatch {
  readonly #generations = new Map<string, { generation: number; isReady: boolean }>();
  readonly #stop = new AbortController();
  readonly #waiting = new Set<() => void>();
  #ended: Error | undefined;
  ready = 0;
  /** When the last event arrived, by `performance.now()`. */
  lastEventMs = performance.now();

  /** Begins to watch. The namespace must have no forwarding. */
  static async open(kube: KubeClient, namespace: string): Promise<ForwardingWatch> {
    const { metadata } = await kube.list(forwardingsPath(namespace), { limit: 1 });
    const watch = new ForwardingWatch();
    watch.#follow(kube, namespace, metadata.resourceVersion).catch((error: unknown) => watch.#end(error));
    return watch;
  }

  get size(): number {
    return this.#generations.size;
  }

  isReady(name: string, generation = 1): boolean {
    const known = this.#generations.get(name);
    return known !== undefined && known.isReady && known.generation >= generation;
  }

  /** Resolves with `performance.now()` at the event after which `isReached` returns true. Rejects after `timeoutMs`. */
  until(isReached: () => boolean, timeoutMs = 1_200_000): Promise<number> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(look);
        reject(
          new Error(
            `not reached within ${String(timeoutMs)} ms; ${String(this.ready)} of ${String(this.size)} are Ready`,
          ),
        );
      }, timeoutMs);
      const look = () => {
        if (this.#ended === undefined && !isReached()) return;
        clearTimeout(timer);
        this.#waiting.delete(look);
        if (this.#ended === undefined) resolve(performance.now());
        else reject(this.#ended);
      };
      this.#waiting.add(look);
      look();
    });
  }

  stop(): void {
    this.#stop.abort(new Error('the watch was stopped'));
  }

  async #follow(kube: KubeClient, namespace: string, first: string): Promise<void> {
    let resourceVersion = first;
    while (!this.#stop.signal.aborted) {
      const query = { resourceVersion, allowWatchBookmarks: true };
      const events = kube.watch<Forwarding>(forwardingsPath(namespace), query, { signal: this.#stop.signal });
      for await (const event of events) {
        ({ resourceVersion } = event.object.metadata);
        if (event.type !== 'BOOKMARK') this.#onEvent(event.type, event.object);
      }
    }
  }

  #onEvent(type: 'ADDED' | 'MODIFIED' | 'DELETED', { metadata, status }: Forwarding): void {
    const { name, generation = 0 } = metadata;
    const isReady =
      status?.observedGeneration === generation &&
      status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true;
    if (this.#generations.get(name)?.isReady === true) this.ready -= 1;
    if (type === 'DELETED') this.#generations.delete(name);
    else {
      this.#generations.set(name, { generation, isReady });
      if (isReady) this.ready += 1;
    }
    this.lastEventMs = performance.now();
    for (const look of this.#waiting) look();
  }

  #end(error: unknown): void {
    this.#ended = error instanceof Error ? error : new Error(String(error));
    for (const look of this.#waiting) look();
  }
}
