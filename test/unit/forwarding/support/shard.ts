import type { AuditLogForwarding } from '../../../../src/api/v1alpha1.ts';
import { destinationName } from '../../../../src/forwarding/desired/desired-state.ts';
import { ClaimIndex } from '../../../../src/forwarding/ownership/claim-index.ts';
import { Reconciler } from '../../../../src/forwarding/reconcile/reconciler.ts';
import { Konnect } from '../../../../src/konnect/session/konnect.ts';
import type { KonnectTransport } from '../../../../src/konnect/transport.ts';
import type { ReconcileResult } from '../../../../src/runtime/reconcile-result.ts';
import { inMemoryTransport, urlTemplate } from '../../../support/in-memory-konnect.ts';
import type { Harness } from './harness.ts';

/** An operator that watches only some forwardings of the cluster of a harness: those that were shown to it last. */
export class Shard {
  readonly #harness: Harness;
  readonly #seen = new Map<string, AuditLogForwarding>();
  readonly #claims = new ClaimIndex((forwarding) => destinationName(forwarding, ''));
  readonly #reconciler: Reconciler;

  constructor(harness: Harness) {
    this.#harness = harness;
    const transport = inMemoryTransport(harness.konnect);
    const http: KonnectTransport = {
      send: (request) => transport.send(request).finally(() => harness.onKonnectCall()),
    };
    const konnect = new Konnect({ http, urlTemplate, nowMs: () => harness.clock.ms });
    this.#reconciler = new Reconciler({
      cluster: harness.cluster,
      konnectFor: (token, priority, region) => konnect.forToken(token, priority, region),
      find: (key) => (this.#seen.has(key) ? structuredClone(harness.cluster.objects.get(key)) : undefined),
      contenders: (key, claims) =>
        this.#claims.sharing(key, claims).flatMap((other) => structuredClone(harness.cluster.objects.get(other)) ?? []),
      isElsewhere: async ({ metadata: { namespace, name, uid } }) =>
        harness.cluster.objects.get(`${namespace}/${name}`)?.metadata.uid === uid,
      enqueue: () => undefined,
      clusterName: '',
      pendingCreationTimeoutMs: 30_000,
      now: () => new Date(harness.clock.ms),
      nowMs: () => harness.clock.ms,
      random: () => 0,
    });
  }

  /** The watch shows the present state of the forwarding, and it is reconciled until nothing is due. */
  async take(key: string): Promise<void> {
    this.see(key);
    for (let count = 0; count < 12; count += 1) {
      const next = await this.reconcile(key);
      this.see(key);
      if (next.kind !== 'retry') return;
      this.#harness.clock.ms += Math.max(10_000, next.minDelayMs ?? 0);
    }
    throw new Error(`${key} is not settled: ${this.#harness.readinessOf(key)}`);
  }

  see(key: string): void {
    const object = this.#harness.cluster.objects.get(key);
    if (object === undefined) return;
    this.#seen.set(key, structuredClone(object));
    this.#claims.update(object);
  }

  /** The watch says DELETED, with the state before. So it does for a deletion, and for labels that the selector no longer matches. */
  lose(key: string, isSeen = true): void {
    const last = this.#seen.get(key);
    this.#seen.delete(key);
    this.#claims.delete(key);
    if (last !== undefined) this.#reconciler.onDeleted(last, isSeen);
  }

  reconcile(key: string): Promise<ReconcileResult> {
    return this.#reconciler.reconcile(key, new AbortController().signal);
  }
}
