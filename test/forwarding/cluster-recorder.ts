import { isDeepStrictEqual } from 'node:util';
import { AuditLogForwarding, finalizer, type Spec, Status } from '../../src/api/v1alpha1.ts';
import type { Announcement, Cluster, Secret } from '../../src/forwarding/ports.ts';
import { KubeError } from '../../src/kube/errors.ts';

/** What Kubernetes holds of one forwarding and its Secrets, behind the port that the domain knows it by. */
export class ClusterRecorder implements Cluster {
  object: AuditLogForwarding | undefined;
  readonly secrets = new Map<string, Secret>();
  readonly announcements: Announcement[] = [];
  /** Every status that was written, in order. */
  readonly statuses: Status[] = [];
  writes = 0;
  /** Runs around every call; may throw instead of, or after, what is asked. */
  around: <T>(name: string, deed: () => Promise<T>) => Promise<T> = (_name, deed) => deed();
  #version = 1;

  create(object: unknown): void {
    this.object = AuditLogForwarding.parse(object);
  }

  putSecret(name: string, values: Readonly<Record<string, string | Buffer>>): void {
    const data = Object.fromEntries(
      Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
    );
    this.#version += 1;
    const uid = this.secrets.get(name)?.uid ?? `uid-of-${name}`;
    this.secrets.set(name, { uid, resourceVersion: String(this.#version), data });
  }

  edit(change: (spec: Spec) => Spec): void {
    const { object } = this;
    if (object === undefined) throw new TypeError('there is no forwarding');
    const generation = object.metadata.generation + 1;
    this.object = this.#next({
      ...object,
      metadata: { ...object.metadata, generation },
      spec: change(structuredClone(object.spec)),
    });
  }

  delete(at: Date): void {
    const { object } = this;
    if (object === undefined) return;
    const generation = object.metadata.generation + 1;
    this.object =
      object.metadata.finalizers.length === 0
        ? undefined
        : this.#next({
            ...object,
            metadata: { ...object.metadata, generation, deletionTimestamp: at.toISOString() },
          });
  }

  async readSecret(_namespace: string, name: string, signal: AbortSignal): Promise<Secret | 'absent'> {
    return this.around('read secret', async () => {
      signal.throwIfAborted();
      return this.secrets.get(name) ?? 'absent';
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
      if (isDeepStrictEqual(stored, JSON.parse(JSON.stringify(object.status)))) {
        throw new TypeError('a status was written that changes nothing');
      }
      this.statuses.push(stored);
      return { ...object, status: stored };
    });
  }

  announce(_forwarding: AuditLogForwarding, announcement: Announcement): void {
    this.announcements.push(announcement);
  }

  async #write(
    name: string,
    read: AuditLogForwarding,
    signal: AbortSignal,
    change: (object: AuditLogForwarding) => AuditLogForwarding,
  ): Promise<AuditLogForwarding> {
    return this.around(name, async () => {
      signal.throwIfAborted();
      const { object } = this;
      if (object === undefined) throw new KubeError('gone', { kind: 'NotFound', status: 404 });
      if (object.metadata.resourceVersion !== read.metadata.resourceVersion) {
        throw new KubeError('stale', { kind: 'Conflict', status: 409 });
      }
      this.writes += 1;
      const changed = this.#next(change(object));
      const goes = changed.metadata.deletionTimestamp !== undefined && changed.metadata.finalizers.length === 0;
      this.object = goes ? undefined : changed;
      return structuredClone(changed);
    });
  }

  #next(object: AuditLogForwarding): AuditLogForwarding {
    this.#version += 1;
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
  }
}
