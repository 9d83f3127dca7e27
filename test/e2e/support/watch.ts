import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { cluster } from '../../support/cluster.ts';
import type { ForwardingObject } from './forwarding-object.ts';

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: ForwardingObject;
}

/** Every state of every forwarding of a namespace, in the order of `kubectl get --watch`. */
export interface ForwardingWatch {
  readonly events: readonly WatchEvent[];
  /** Resolves at the next event, or when `signal` is aborted. Rejects if kubectl has ended. */
  next(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

export function watchForwardings(namespace: string): ForwardingWatch {
  const { kubectlPath, adminKubeconfig, folder } = cluster();
  const args = ['get', 'auditlogforwardings', '-n', namespace, '--watch', '--output-watch-events', '-o', 'json'];
  const child = spawn(kubectlPath, args, {
    env: { ...process.env, KUBECONFIG: adminKubeconfig, KUBECACHEDIR: join(folder, 'kubectl-cache') },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const events: WatchEvent[] = [];
  const wakers = new Set<() => void>();
  let over = false;
  child.once('exit', () => {
    over = true;
    for (const wake of wakers) wake();
  });
  createInterface(child.stdout).on('line', (line) => {
    events.push(JSON.parse(line));
    for (const wake of wakers) wake();
  });

  return {
    events,
    async next(signal) {
      if (over) throw new Error('kubectl get --watch has ended');
      await new Promise<void>((resolve) => {
        const wake = () => {
          wakers.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        wakers.add(wake);
        signal.addEventListener('abort', wake, { once: true });
        if (signal.aborted) wake();
      });
    },
    async stop() {
      if (over) return;
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    },
  };
}

/**
 * Resolves with the first state of an object, from `first` on, for which `predicate` is true. Rejects with the last status after `timeoutMs`, or
 * when the object is deleted.
 */
export async function firstState(
  watch: ForwardingWatch,
  first: ForwardingObject,
  predicate: (object: ForwardingObject) => boolean,
  timeoutMs: number,
): Promise<ForwardingObject> {
  const signal = AbortSignal.timeout(timeoutMs);
  const { name, namespace } = first.metadata;
  let last = first;
  if (predicate(last)) return last;
  for (let seen = 0; ; ) {
    for (const { type, object } of watch.events.slice(seen)) {
      seen += 1;
      // The watch may show states that are older than `first`.
      if (object.metadata.name !== name || versionOf(object) <= versionOf(last)) continue;
      last = object;
      if (type === 'DELETED')
        throw new Error(`${namespace}/${name} was deleted; its last status was ${statusOf(last)}`);
      if (predicate(object)) return object;
    }
    if (signal.aborted) {
      throw new Error(`${namespace}/${name} is not as expected; its status is ${statusOf(last)}`);
    }
    await watch.next(signal);
  }
}

function versionOf({ metadata }: ForwardingObject): number {
  return Number(metadata.resourceVersion);
}

function statusOf({ status }: ForwardingObject): string {
  return JSON.stringify(status, undefined, 2);
}
