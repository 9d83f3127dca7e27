import { isDeepStrictEqual } from 'node:util';
import { AuditLogForwarding, finalizer, type Spec, Status } from '../../src/api/v1alpha1.ts';
import { nameOf } from '../../src/forwarding/ownership/claims.ts';
import type { AuthConfiguration, PortalObject, Secret } from '../../src/forwarding/ports.ts';
import { KubeError } from '../../src/kube/errors.ts';

const StrictStatus = Status.strict();

/** One event of a watch. A deleted object has its last state. */
export interface WatchEvent {
  readonly atMs: number;
  readonly key: string;
  readonly object: AuditLogForwarding;
  readonly isDeleted: boolean;
}

/** Keys are `namespace/name`. */
export interface KubernetesOptions {
  readonly nowMs: () => number;
  /** Called after every change of a forwarding. */
  readonly onChange: (by: 'operator' | 'user', before: AuditLogForwarding | undefined, event: WatchEvent) => void;
  readonly from?: SavedKubernetes | undefined;
}

export interface SavedKubernetes {
  readonly objects: ReadonlyMap<string, AuditLogForwarding>;
  readonly secrets: ReadonlyMap<string, Secret>;
  readonly portals: ReadonlyMap<string, PortalObject>;
  readonly version: number;
}

/**
 * A simulated API server for forwardings and Secrets: writes with resourceVersions, generations, the status subresource, finalizers, deletion, and
 * events in order. Objects are frozen, so a change in place throws.
 */
export class Kubernetes {
  readonly objects: Map<string, AuditLogForwarding>;
  readonly secrets: Map<string, Secret>;
  readonly portals: Map<string, PortalObject>;
  readonly events: WatchEvent[];
  /** Forwardings whose finalizer a user has removed, and that the operator has not added again. */
  readonly replaced = new Set<string>();
  readonly #options: KubernetesOptions;
  #version: number;
  /** Number of created forwardings. Each has its own uid. */
  #created: number;

  constructor(options: KubernetesOptions) {
    const { from, nowMs } = options;
    this.#options = options;
    this.objects = new Map(from?.objects);
    this.secrets = new Map(from?.secrets);
    this.portals = new Map(from?.portals);
    this.#version = from?.version ?? 1;
    this.#created = this.objects.size;
    // For a new watcher, every existing object is an added one.
    this.events = [...this.objects].map(([key, object]) => ({ atMs: nowMs(), key, object, isDeleted: false }));
  }

  save(): SavedKubernetes {
    return {
      objects: new Map(this.objects),
      secrets: new Map(this.secrets),
      portals: new Map(this.portals),
      version: this.#version,
    };
  }

  create(key: string, spec: Spec, ageMs: number): void {
    const [namespace = '', name = ''] = key.split('/');
    this.#created += 1;
    const made = AuditLogForwarding.parse({
      apiVersion: 'konnect-audit-log.io/v1alpha1',
      kind: 'AuditLogForwarding',
      metadata: {
        namespace,
        name,
        uid: `uid-of-${name}-${String(this.#created)}`,
        creationTimestamp: new Date(this.#options.nowMs() - ageMs).toISOString(),
        resourceVersion: this.#next(),
        generation: 1,
      },
      spec,
      status: { observedGeneration: -1 },
    });
    this.#put('user', undefined, made);
  }

  edit(key: string, spec: Spec): void {
    const object = this.#current(key);
    const { generation } = object.metadata;
    this.#put('user', object, this.#changed(object, { metadata: { generation: generation + 1 }, spec }));
  }

  annotate(key: string, name: string, value: string): void {
    const object = this.#current(key);
    const annotations = { ...object.metadata.annotations, [name]: value };
    this.#put('user', object, this.#changed(object, { metadata: { annotations } }));
  }

  /** Replaces a forwarding with a file that has the same spec and no finalizers. */
  replace(key: string): void {
    const object = this.#current(key);
    this.replaced.add(key);
    this.#put('user', object, this.#changed(object, { metadata: { finalizers: [] } }));
  }

  delete(key: string): void {
    const object = this.#current(key);
    if (object.metadata.finalizers.length === 0) {
      this.#remove('user', object);
      return;
    }
    const { generation } = object.metadata;
    const deletionTimestamp = new Date(this.#options.nowMs()).toISOString();
    this.#put('user', object, this.#changed(object, { metadata: { generation: generation + 1, deletionTimestamp } }));
  }

  putSecret(key: string, values: Readonly<Record<string, string>>): void {
    const data = Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
    );
    const uid = this.secrets.get(key)?.uid ?? `uid-of-secret-${key}`;
    this.secrets.set(key, { uid, resourceVersion: this.#next(), data });
  }

  /**
   * Restores the specs, Secrets and Portals of `before`: edits, deletes and creates forwardings. Returns false and changes nothing if a forwarding is being
   * deleted, or nothing differs.
   */
  restore(before: SavedKubernetes): boolean {
    const changed = [...new Set([...before.objects.keys(), ...this.objects.keys()])].filter(
      (key) => !isDeepStrictEqual(before.objects.get(key)?.spec, this.objects.get(key)?.spec),
    );
    const isDeleting = [...this.objects.values()].some(({ metadata }) => metadata.deletionTimestamp !== undefined);
    const secrets = [...before.secrets].filter(([key, secret]) => !isDeepStrictEqual(secret, this.secrets.get(key)));
    const isSame = changed.length === 0 && secrets.length === 0 && isDeepStrictEqual(before.portals, this.portals);
    if (isDeleting || isSame) return false;
    for (const [key, secret] of secrets) this.secrets.set(key, { ...secret, resourceVersion: this.#next() });
    this.portals.clear();
    for (const [key, portal] of before.portals) this.portals.set(key, portal);
    for (const key of changed) {
      const spec = before.objects.get(key)?.spec;
      if (spec === undefined) this.delete(key);
      else if (this.objects.has(key)) this.edit(key, spec);
      else this.create(key, spec, 0);
    }
    return true;
  }

  readSecret(key: string): Secret | 'absent' {
    return this.secrets.get(key) ?? 'absent';
  }

  readPortal(key: string): PortalObject {
    return this.portals.get(key) ?? { kind: 'absent' };
  }

  /** Returns a KonnectAPIAuthConfiguration that names the Secret of the same name. */
  readAuthConfiguration(key: string): AuthConfiguration {
    const name = key.slice(key.indexOf('/') + 1);
    return this.secrets.has(key) ? { kind: 'secret', name } : { kind: 'absent' };
  }

  /** Throws a KubeError: NotFound, Conflict. */
  addFinalizer(read: AuditLogForwarding): AuditLogForwarding {
    const object = this.#guarded(read);
    this.replaced.delete(nameOf(object));
    return this.#put(
      'operator',
      object,
      this.#changed(object, { metadata: { finalizers: [...object.metadata.finalizers, finalizer] } }),
    );
  }

  /** Throws a KubeError: NotFound, Conflict. */
  removeFinalizer(read: AuditLogForwarding): void {
    const object = this.#guarded(read);
    const finalizers = object.metadata.finalizers.filter((one) => one !== finalizer);
    const changed = this.#changed(object, { metadata: { finalizers } });
    if (changed.metadata.deletionTimestamp !== undefined && finalizers.length === 0) this.#remove('operator', changed);
    else this.#put('operator', object, changed);
  }

  /** Throws a KubeError: NotFound, Conflict. As in the API server, a write that changes nothing is no new version and no event. */
  writeStatus(read: AuditLogForwarding, status: Status): AuditLogForwarding {
    const object = this.#guarded(read);
    const text = JSON.stringify(status);
    if (text === JSON.stringify(object.status)) return object;
    const stored = StrictStatus.parse(JSON.parse(text));
    if (isDeepStrictEqual(stored, object.status)) return object;
    return this.#put('operator', object, this.#changed(object, { status: stored }));
  }

  #current(key: string): AuditLogForwarding {
    const object = this.objects.get(key);
    if (object === undefined) throw new TypeError(`there is no forwarding ${key}`);
    return object;
  }

  #guarded(read: AuditLogForwarding): AuditLogForwarding {
    const object = this.objects.get(nameOf(read));
    if (object === undefined) throw new KubeError('gone', { kind: 'NotFound', status: 404 });
    if (object.metadata.resourceVersion !== read.metadata.resourceVersion) {
      throw new KubeError('stale', { kind: 'Conflict', status: 409 });
    }
    return object;
  }

  #changed(
    object: AuditLogForwarding,
    change: { metadata?: Partial<AuditLogForwarding['metadata']>; spec?: Spec; status?: Status },
  ): AuditLogForwarding {
    const metadata = { ...object.metadata, ...change.metadata, resourceVersion: this.#next() };
    return { ...object, ...change, metadata };
  }

  #put(
    by: 'operator' | 'user',
    before: AuditLogForwarding | undefined,
    object: AuditLogForwarding,
  ): AuditLogForwarding {
    const key = nameOf(object);
    this.objects.set(key, deepFreeze(object));
    this.#emit(by, before, { atMs: this.#options.nowMs(), key, object, isDeleted: false });
    return object;
  }

  #remove(by: 'operator' | 'user', object: AuditLogForwarding): void {
    const key = nameOf(object);
    const before = this.objects.get(key);
    this.objects.delete(key);
    this.replaced.delete(key);
    const last = deepFreeze(this.#changed(object, {}));
    this.#emit(by, before, { atMs: this.#options.nowMs(), key, object: last, isDeleted: true });
  }

  #emit(by: 'operator' | 'user', before: AuditLogForwarding | undefined, event: WatchEvent): void {
    this.events.push(event);
    this.#options.onChange(by, before, event);
  }

  #next(): string {
    this.#version += 1;
    return String(this.#version);
  }
}

function deepFreeze<T extends object>(value: T): T {
  if (Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) deepFreeze(inner);
  return value;
}
