import type { AuditLogForwarding } from '../api/v1alpha1.ts';
import type { AddOptions } from '../controller/work-queue.ts';
import { secretsOf } from '../forwarding/desired/credentials.ts';
import { authConfigurationsOf } from '../forwarding/desired/token.ts';
import { ClaimIndex } from '../forwarding/ownership/claim-index.ts';
import { ReverseIndex } from '../forwarding/ownership/reverse-index.ts';
import { type KubeObject, keyOf } from '../kube/objects.ts';
import type { Change } from '../kube/store.ts';
import type { KeptAuthConfiguration } from './auth-configuration-resource.ts';
import { parseForwarding } from './forwarding-resource.ts';
import { type ForwardingSample, samplesOf } from './forwarding-samples.ts';
import { isRequested, priorityOf, shouldReconcile } from './predicates.ts';
import { groupOf } from './queue-group.ts';

/** Where all forwardings are shown. */
export interface ForwardingSink {
  /** Replaces all series of one forwarding. */
  show(resource: { namespace: string; name: string }, samples: readonly ForwardingSample[]): void;
  forget(resource: { namespace: string; name: string }): void;
}

export interface EnqueuerOptions {
  readonly enqueue: (key: string, options: AddOptions) => void;
  /** Called with the key of each forwarding that wants a verification, when it is new, its spec has changed, or a user has requested a reconciliation. */
  readonly verify: (key: string) => void;
  /** Returns the name in Konnect of a forwarding's own destination. */
  readonly destinationName: (forwarding: AuditLogForwarding) => string | undefined;
  readonly shown: ForwardingSink;
  /** Called when a change of a spec or of a Secret has to be applied in Konnect. */
  readonly onChanged: (key: string, cause: 'spec' | 'secret') => void;
  /** Called for each deleted forwarding, before its key is enqueued. `isSeen`: the API server has reported the deletion. */
  readonly onDeleted: (forwarding: AuditLogForwarding, isSeen: boolean) => void;
}

/** Enqueues the forwardings that a change in Kubernetes concerns. Before `start` it only keeps its indexes, which the caches fill. */
export class Enqueuer {
  readonly #options: EnqueuerOptions;
  /** The Secrets that each forwarding names. */
  readonly #secrets = new ReverseIndex();
  /** The KonnectAPIAuthConfigurations that each forwarding names. */
  readonly #authRefs = new ReverseIndex();
  /** The Secret that each KonnectAPIAuthConfiguration names. */
  readonly #authSecrets = new ReverseIndex();
  readonly #claims: ClaimIndex;
  readonly #groups = new Map<string, string>();
  #isStarted = false;

  constructor(options: EnqueuerOptions) {
    this.#options = options;
    this.#claims = new ClaimIndex(options.destinationName);
  }

  /** Enqueues `forwardings`, and from now on every forwarding that a change concerns. */
  start(forwardings: readonly KubeObject[]): void {
    this.#isStarted = true;
    for (const object of forwardings) this.#enqueue(keyOf(object), { priority: priorityOf(object) });
  }

  onForwarding(change: Change<KubeObject>): void {
    const { key, object } = change;
    const { namespace = '', name } = object.metadata;
    const parsed = parseForwarding(object);
    if (change.kind === 'deleted') {
      if (this.#isStarted && parsed.kind === 'forwarding')
        this.#options.onDeleted(parsed.forwarding, change.source !== 'list');
      for (const other of this.#claims.delete(key)) this.#enqueue(other);
      this.#secrets.delete(key);
      this.#authRefs.delete(key);
      this.#groups.delete(key);
      this.#options.shown.forget({ namespace, name });
      this.#enqueue(key);
      return;
    }
    if (parsed.kind === 'forwarding') {
      const { forwarding } = parsed;
      this.#secrets.set(key, secretsOf(forwarding));
      this.#authRefs.set(key, authConfigurationsOf(forwarding));
      this.#groups.set(key, groupOf(forwarding));
      this.#options.shown.show({ namespace, name }, samplesOf(forwarding));
      const isDue = change.kind === 'added' || isNewSpec(change) || isRequested(change.previous, object);
      if (isDue && forwarding.spec.verification !== undefined) this.#options.verify(key);
      const others = this.#claims.update(forwarding);
      // The first list shows the others too, and each is enqueued for itself.
      if (change.kind === 'updated' || change.source !== 'list') for (const other of others) this.#enqueue(other);
    }
    if (change.kind === 'updated' && !shouldReconcile(change.previous, object)) return;
    if (this.#isStarted && isNewSpec(change)) this.#options.onChanged(key, 'spec');
    this.#enqueue(key, { priority: priorityOf(object) });
  }

  onSecret(change: Change<KubeObject>): void {
    const { key } = change;
    const viaAuthRef = this.#authSecrets.of(key).flatMap((one) => this.#authRefs.of(one));
    this.#enqueueAll([...this.#secrets.of(key), ...viaAuthRef], change);
  }

  onAuthConfiguration(change: Change<KeptAuthConfiguration>): void {
    const { key, object } = change;
    if (change.kind === 'deleted') this.#authSecrets.delete(key);
    else this.#authSecrets.set(key, object.secret === undefined ? [] : [object.secret]);
    // kong-operator writes status and finalizers, which do not concern the token.
    const { metadata } = object;
    const before = change.kind === 'updated' ? change.previous.metadata : undefined;
    if (before?.uid === metadata.uid && before.generation === metadata.generation) return;
    this.#enqueueAll(this.#authRefs.of(key), change);
  }

  /** Returns the keys of the other forwardings that have one of these claims. */
  sharing(key: string, claims: readonly string[]): readonly string[] {
    return this.#claims.sharing(key, claims);
  }

  /** Returns the group of a forwarding in the work queue. Deleted forwardings have the empty group, since few of them still need Konnect. */
  groupOf(key: string): string {
    return this.#groups.get(key) ?? '';
  }

  /** Enqueues the forwardings that use what has changed. */
  #enqueueAll(forwardings: readonly string[], { kind, source }: Change<KubeObject>): void {
    // The first list shows objects that have not changed.
    const priority = kind === 'added' && source === 'list' ? 'resync' : 'new';
    for (const forwarding of new Set(forwardings)) {
      if (this.#isStarted && priority === 'new') this.#options.onChanged(forwarding, 'secret');
      this.#enqueue(forwarding, { priority });
    }
  }

  #enqueue(key: string, options: AddOptions = {}): void {
    if (this.#isStarted) this.#options.enqueue(key, options);
  }
}

/** Returns whether a forwarding is new, or has another spec than before. */
function isNewSpec(change: Change<KubeObject>): boolean {
  if (change.kind !== 'updated') return change.kind === 'added' && change.source !== 'list';
  return change.previous.metadata.generation !== change.object.metadata.generation;
}
