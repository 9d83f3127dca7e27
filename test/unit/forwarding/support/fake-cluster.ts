import { isDeepStrictEqual } from 'node:util';
import { messagesFile } from '../../../../scripts/conditions/pages.ts';
import { conditionRows, unknownConditions } from '../../../../scripts/conditions/rows.ts';
import { AuditLogForwarding, type Condition, finalizer, type Spec, Status } from '../../../../src/api/v1alpha1.ts';
import { nameOf } from '../../../../src/forwarding/ownership/claims.ts';
import type {
  AuthConfiguration,
  Cluster,
  KubernetesEvent,
  PortalObject,
  Secret,
} from '../../../../src/forwarding/ports.ts';
import { KubeError } from '../../../../src/kube/errors.ts';
import { isObservation } from '../../../support/observation.ts';

const rows = conditionRows();

/** A Kubernetes in memory with forwardings, Secrets and Portals, as the port of the domain. Keys are `namespace/name`. */
export class FakeCluster implements Cluster {
  readonly objects = new Map<string, AuditLogForwarding>();
  /** By name, or by `namespace/name` outside the namespace `platform`. */
  readonly secrets = new Map<string, Secret>();
  /** By name, or by `namespace/name` outside the namespace `platform`. */
  readonly portals = new Map<string, PortalObject>();
  /** KonnectAPIAuthConfigurations by name. */
  readonly authConfigurations = new Map<string, AuthConfiguration>();
  readonly announcements: (KubernetesEvent & { readonly of: string })[] = [];
  /** Every status that was written, in order, except those that only have a new `lastObservedTime`. */
  readonly statuses: Status[] = [];
  /** The writes of forwardings, except those of status that only have a new `lastObservedTime`. */
  writes = 0;
  /** The writes of status that only have a new `lastObservedTime`. */
  observations = 0;
  /** Wraps every call. It may throw before or after the call. */
  around: <T>(name: string, deed: () => Promise<T>) => Promise<T> = (_name, deed) => deed();
  /** Called with every change and the state before, as by a watch. */
  onChange: (key: string, object: AuditLogForwarding | undefined, previous: AuditLogForwarding | undefined) => void =
    () => undefined;
  /** True after a test has written conditions itself, which need not be in the documents. */
  isHandMade: (condition: Condition) => boolean = () => false;
  #version = 1;
  #first = '';

  /** The first forwarding, as long as it exists. */
  get object(): AuditLogForwarding | undefined {
    return this.objects.get(this.#first);
  }

  create(object: unknown): void {
    const made = AuditLogForwarding.parse(object);
    if (this.#first === '') this.#first = nameOf(made);
    this.#put(nameOf(made), made);
  }

  putSecret(name: string, values: Readonly<Record<string, string | Buffer>>): void {
    const data = Object.fromEntries(
      Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
    );
    this.#version += 1;
    const uid = this.secrets.get(name)?.uid ?? `uid-of-${name}`;
    this.secrets.set(name, { uid, resourceVersion: String(this.#version), data });
  }

  edit(change: (spec: Spec) => Spec, key = this.#first): void {
    this.#change(key, (object) => ({ ...object, spec: change(structuredClone(object.spec)) }), true);
  }

  /** Replaces the object, as `kubectl replace` does with a file that has only a spec: without finalizers and annotations. */
  replace(key = this.#first): void {
    this.#change(key, ({ metadata, ...object }) => ({
      ...object,
      metadata: { ...metadata, annotations: {}, finalizers: [] },
    }));
  }

  /** Removes the finalizers by hand. An object that is being deleted is gone then. */
  removeFinalizers(key = this.#first): void {
    const { deletionTimestamp } = this.objects.get(key)?.metadata ?? {};
    if (deletionTimestamp === undefined) this.replace(key);
    else this.#put(key, undefined);
  }

  annotate(name: string, value: string, key = this.#first): void {
    this.#change(key, ({ metadata, ...object }) => {
      return { ...object, metadata: { ...metadata, annotations: { ...metadata.annotations, [name]: value } } };
    });
  }

  /** Empties status, as a restore without status does. */
  wipeStatus(key = this.#first): void {
    this.#change(key, (object) => ({ ...object, status: {} }));
  }

  /** Writes status as a user with the right to do so. */
  setStatus(status: Status, key = this.#first): void {
    this.#change(key, (one) => ({ ...one, status }));
  }

  delete(at: Date, key = this.#first): void {
    const object = this.objects.get(key);
    if (object === undefined) return;
    if (object.metadata.finalizers.length === 0) {
      this.#put(key, undefined);
      return;
    }
    const deletionTimestamp = at.toISOString();
    this.#change(key, (one) => ({ ...one, metadata: { ...one.metadata, deletionTimestamp } }), true);
  }

  async readSecret(namespace: string, name: string, signal: AbortSignal): Promise<Secret | 'absent'> {
    return this.around('read secret', async () => {
      signal.throwIfAborted();
      return this.secrets.get(namespace === 'platform' ? name : `${namespace}/${name}`) ?? 'absent';
    });
  }

  async readPortal(namespace: string, name: string, signal: AbortSignal): Promise<PortalObject> {
    return this.around('read portal', async () => {
      signal.throwIfAborted();
      return this.portals.get(namespace === 'platform' ? name : `${namespace}/${name}`) ?? { kind: 'absent' };
    });
  }

  async readAuthConfiguration(_namespace: string, name: string, signal: AbortSignal): Promise<AuthConfiguration> {
    return this.around('read auth configuration', async () => {
      signal.throwIfAborted();
      return this.authConfigurations.get(name) ?? { kind: 'absent' };
    });
  }

  async addFinalizer(forwarding: AuditLogForwarding, signal: AbortSignal): Promise<AuditLogForwarding> {
    return this.#write('add finalizer', forwarding, signal, (object) => ({
      ...object,
      metadata: { ...object.metadata, finalizers: [...object.metadata.finalizers, finalizer] },
    }));
  }

  async removeFinalizer(forwarding: AuditLogForwarding, signal: AbortSignal): Promise<void> {
    await this.#write('remove finalizer', forwarding, signal, (object) => ({
      ...object,
      metadata: { ...object.metadata, finalizers: object.metadata.finalizers.filter((one) => one !== finalizer) },
    }));
  }

  async writeStatus(forwarding: AuditLogForwarding, status: Status, signal: AbortSignal): Promise<AuditLogForwarding> {
    return this.#write('write status', forwarding, signal, (object) => {
      const stored = Status.strict().parse(JSON.parse(JSON.stringify(status)));
      if (isDeepStrictEqual(stored, JSON.parse(JSON.stringify(object.status)))) return object;
      const unknown = unknownConditions(
        (stored.conditions ?? []).filter((one) => !this.isHandMade(one)),
        rows,
      );
      if (unknown.length > 0) throw new TypeError(`not in ${messagesFile}: ${unknown.join('; ')}`);
      if (isObservation(object.status, stored)) {
        this.writes -= 1;
        this.observations += 1;
      } else this.statuses.push(stored);
      return { ...object, status: stored };
    });
  }

  recordEvent(forwarding: AuditLogForwarding, announcement: KubernetesEvent): void {
    this.announcements.push({ ...announcement, of: nameOf(forwarding) });
  }

  async #write(
    name: string,
    read: AuditLogForwarding,
    signal: AbortSignal,
    change: (object: AuditLogForwarding) => AuditLogForwarding,
  ): Promise<AuditLogForwarding> {
    return this.around(name, async () => {
      signal.throwIfAborted();
      const key = nameOf(read);
      const object = this.objects.get(key);
      if (object === undefined) throw new KubeError('gone', { kind: 'NotFound', status: 404 });
      if (object.metadata.resourceVersion !== read.metadata.resourceVersion) {
        throw new KubeError('stale', { kind: 'Conflict', status: 409 });
      }
      const next = change(object);
      // As in the API server, a write that changes nothing makes no new version.
      if (next === object) return structuredClone(object);
      this.writes += 1;
      const changed = this.#next(next);
      const goes = changed.metadata.deletionTimestamp !== undefined && changed.metadata.finalizers.length === 0;
      this.#put(key, goes ? undefined : changed);
      return structuredClone(changed);
    });
  }

  #change(key: string, change: (object: AuditLogForwarding) => AuditLogForwarding, isNewGeneration = false): void {
    const object = this.objects.get(key);
    if (object === undefined) throw new TypeError(`there is no forwarding ${key}`);
    const changed = change(object);
    const generation = object.metadata.generation + (isNewGeneration ? 1 : 0);
    this.#put(key, this.#next({ ...changed, metadata: { ...changed.metadata, generation } }));
  }

  #put(key: string, object: AuditLogForwarding | undefined): void {
    const previous = this.objects.get(key);
    if (object === undefined) this.objects.delete(key);
    else this.objects.set(key, object);
    this.onChange(key, structuredClone(object), previous);
  }

  #next(object: AuditLogForwarding): AuditLogForwarding {
    this.#version += 1;
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
  }
}
