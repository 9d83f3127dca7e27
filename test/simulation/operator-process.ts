import { AsyncLocalStorage } from 'node:async_hooks';
import type { AuditLogForwarding } from '../../src/api/v1alpha1.ts';
import { BackOff, delayAfter } from '../../src/controller/back-off.ts';
import { secretsOf } from '../../src/forwarding/desired/credentials.ts';
import { destinationName } from '../../src/forwarding/desired/desired-state.ts';
import { ClaimIndex } from '../../src/forwarding/ownership/claim-index.ts';
import type { Cluster } from '../../src/forwarding/ports.ts';
import { Reconciler } from '../../src/forwarding/reconcile/reconciler.ts';
import { Konnect } from '../../src/konnect/session/konnect.ts';
import type { KonnectTransport } from '../../src/konnect/transport.ts';
import { isKubeError } from '../../src/kube/errors.ts';
import { type Change, ObjectStore } from '../../src/kube/store.ts';
import { isRequested, shouldReconcile } from '../../src/resources/predicates.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { SearchClient, type SearchClientOptions } from '../../src/sumologic/search-client.ts';
import { Verifier } from '../../src/verification/verifier.ts';
import { urlTemplate } from '../support/in-memory-konnect.ts';
import type { WatchEvent } from './kubernetes.ts';
import { Verifications } from './verifications.ts';

export const intentPatienceMs = 45_000;
const verificationDelayMs = 600_000;

export interface ProcessOptions {
  readonly cluster: Cluster;
  readonly transport: KonnectTransport;
  /** Sends requests to SumoLogic. */
  readonly search: SearchClientOptions['connections'];
  /** For the waits of a search. */
  readonly clock: Clock;
  readonly nowMs: () => number;
  readonly random: () => number;
  readonly clusterName: string;
  /** Content of its caches at the start. */
  readonly objects: readonly AuditLogForwarding[];
}

/** When a key is due again: for a retry, or for a resync. */
interface Due {
  readonly atMs: number;
  readonly resync: boolean;
}

/**
 * One process of the operator with all its memory: caches, queue, back-off, tokens. `work` runs the reconciliations. After a crash it gets no more
 * answers, so that none of its reconciliations continues.
 */
export class OperatorProcess {
  readonly crashed: Promise<void>;
  hasCrashed = false;
  /** The first error that is not an error of Kubernetes. */
  unexpectedError: Error | undefined;
  readonly store = new ObjectStore<AuditLogForwarding>();
  readonly #options: ProcessOptions;
  readonly #claims: ClaimIndex;
  readonly #reconciler: Reconciler;
  readonly #verifications: Verifications;
  readonly #backOff: BackOff;
  readonly #ready = new Set<string>();
  readonly #due = new Map<string, Due>();
  readonly #resolveCrashed: () => void;
  readonly #reconciling = new AsyncLocalStorage<string>();

  constructor(options: ProcessOptions) {
    this.#options = options;
    const { clusterName } = options;
    this.#claims = new ClaimIndex((forwarding) => destinationName(forwarding, clusterName));
    const { promise, resolve } = Promise.withResolvers<void>();
    this.crashed = promise;
    this.#resolveCrashed = resolve;
    this.#backOff = new BackOff({ baseMs: 1_000, maxMs: 300_000, jitter: 'equal', random: options.random });
    const konnect = new Konnect({ http: options.transport, urlTemplate, nowMs: options.nowMs });
    const cluster = this.#watched(options.cluster);
    this.#reconciler = new Reconciler({
      cluster,
      konnectFor: (token, priority, region) => konnect.forToken(token, priority, region),
      find: (key) => this.store.get(key),
      contenders: (key, claims) => this.#claims.sharing(key, claims).flatMap((other) => this.store.get(other) ?? []),
      enqueue: (key) => this.#ready.add(key),
      clusterName,
      pendingCreationTimeoutMs: intentPatienceMs,
      now: () => new Date(options.nowMs()),
      random: options.random,
    });
    const { search: connections, clock, nowMs, random } = options;
    const verifier = new Verifier({
      cluster,
      find: (key) => this.store.get(key),
      ledgerFor: (token) => konnect.ledger(token, 'resync'),
      search: new SearchClient({ connections, urlTemplate: 'http://127.0.0.1', clock, nowMs }),
      onGap: (key) => this.#ready.add(key),
      // No reconciliation runs during a verification.
      exclusively: (_key, action) => action(),
      delayMs: verificationDelayMs,
      now: () => new Date(nowMs()),
      random,
    });
    this.#verifications = new Verifications({
      verify: (key) => this.#reconciling.run(key, () => verifier.verify(key, new AbortController().signal)),
      nowMs,
      random,
    });
    for (const object of options.objects) this.#applyChanges(this.store.put(object, 'list'));
  }

  crash(): void {
    this.hasCrashed = true;
    this.#resolveCrashed();
  }

  /** Applies an event of the watch. */
  handleEvent({ object, isDeleted }: WatchEvent): void {
    this.#applyChanges(isDeleted ? this.store.drop(object) : this.store.put(object));
  }

  /** Enqueues the forwardings that use a changed Secret. */
  handleSecretChange(key: string): void {
    for (const object of this.store.list()) {
      if (secretsOf(object).includes(key)) this.#ready.add(keyOf(object));
    }
  }

  /** The forwarding whose reconciliation asks. */
  get reconciling(): string | undefined {
    return this.#reconciling.getStore();
  }

  /** Whether a reconciliation is due. */
  get isBusy(): boolean {
    const nowMs = this.#options.nowMs();
    const isDue = this.#ready.size > 0 || [...this.#due.values()].some(({ atMs }) => atMs <= nowMs);
    return isDue || this.#verifications.isBusy;
  }

  /** Time of the next retry. */
  get nextRetryMs(): number | undefined {
    const retries = [...this.#due.values()].filter(({ resync }) => !resync).map(({ atMs }) => atMs);
    const all = [...retries, ...this.#verifications.retriesMs];
    return all.length === 0 ? undefined : Math.min(...all);
  }

  /** Time at which every forwarding has been resynced. */
  get lastResyncMs(): number {
    const ofReconciliations = [...this.#due.values()].map(({ atMs, resync }) => (resync ? atMs : 0));
    return Math.max(0, ...ofReconciliations, ...this.#verifications.resyncsMs);
  }

  /**
   * Runs all due reconciliations, concurrently or one after another, and then the verifications that are due, until they end or the process
   * crashes. Resolves with the number of reconciliations.
   */
  async work(isSequential: boolean): Promise<number> {
    const nowMs = this.#options.nowMs();
    const keys = new Set([
      ...this.#ready,
      ...[...this.#due].filter(([, { atMs }]) => atMs <= nowMs).map(([key]) => key),
    ]);
    this.#ready.clear();
    for (const key of keys) this.#due.delete(key);
    const groups = isSequential ? [...keys].map((key) => [key]) : [[...keys]];
    for (const group of groups) {
      const reconciliations = group.map((key) => this.#reconciling.run(key, () => this.#reconcile(key)));
      await Promise.race([Promise.all(reconciliations), this.crashed]);
      if (this.hasCrashed) break;
    }
    if (!this.hasCrashed) await Promise.race([this.#verifications.work(), this.crashed]);
    this.unexpectedError ??= this.#verifications.unexpectedError;
    return keys.size;
  }

  async #reconcile(key: string): Promise<void> {
    const { nowMs } = this.#options;
    const plan = (afterMs: number, resync: boolean) => {
      this.#due.set(key, { atMs: nowMs() + afterMs, resync });
    };
    try {
      const next = await this.#reconciler.reconcile(key, new AbortController().signal);
      const delayMs = delayAfter(key, next, this.#backOff);
      if (delayMs !== undefined) plan(delayMs, next.kind === 'requeue');
    } catch (error) {
      if (!isKubeError(error))
        this.unexpectedError ??= error instanceof Error ? error : new Error('the thrown value is not an error');
      plan(this.#backOff.next(key), false);
    }
  }

  /** Puts own writes into the cache at once. */
  #watched(cluster: Cluster): Cluster {
    const upsert = (written: AuditLogForwarding) => {
      this.#applyChanges(this.store.upsert(written));
      return written;
    };
    return {
      readSecret: (namespace, name, signal) => cluster.readSecret(namespace, name, signal),
      readPortal: (namespace, name, signal) => cluster.readPortal(namespace, name, signal),
      readAuthConfiguration: (namespace, name, signal) => cluster.readAuthConfiguration(namespace, name, signal),
      addFinalizer: async (forwarding, signal) => upsert(await cluster.addFinalizer(forwarding, signal)),
      removeFinalizer: (forwarding, signal) => cluster.removeFinalizer(forwarding, signal),
      writeStatus: async (forwarding, status, signal) => upsert(await cluster.writeStatus(forwarding, status, signal)),
      recordEvent: (forwarding, announcement) => cluster.recordEvent(forwarding, announcement),
    };
  }

  #applyChanges(changes: readonly Change<AuditLogForwarding>[]): void {
    for (const change of changes) {
      const { key, object } = change;
      if (change.kind === 'deleted') {
        this.#reconciler.onDeleted(object, change.source !== 'list');
        for (const contender of this.#claims.delete(key)) this.#ready.add(contender);
        this.#ready.add(key);
        continue;
      }
      const contenders = this.#claims.update(object);
      if (change.kind === 'updated' || change.source !== 'list') {
        for (const contender of contenders) this.#ready.add(contender);
      }
      if (change.kind === 'added' || shouldReconcile(change.previous, object)) this.#ready.add(key);
      if (object.spec.verification === undefined) continue;
      const isSame = change.kind === 'updated' && change.previous.metadata.generation === object.metadata.generation;
      if (!isSame || isRequested(change.previous, object)) this.#verifications.add(key);
    }
  }
}

function keyOf({ metadata }: AuditLogForwarding): string {
  return `${metadata.namespace}/${metadata.name}`;
}
