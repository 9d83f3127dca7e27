import { createDestination } from '../../sandbox/konnect/model/destinations.ts';
import { type KonnectServer, startKonnect } from '../../sandbox/konnect/server.ts';
import { apiVersion, kind } from '../../src/api/v1alpha1.ts';
import { BackOff } from '../../src/controller/back-off.ts';
import { runController } from '../../src/controller/controller.ts';
import { WorkQueue } from '../../src/controller/work-queue.ts';
import { destinationName, endpointDigest } from '../../src/forwarding/desired/desired-state.ts';
import { Reconciler } from '../../src/forwarding/reconcile/reconciler.ts';
import { KonnectHTTP } from '../../src/konnect/http.ts';
import { RequestLimits, requestsPerReconciliation } from '../../src/konnect/limits/request-limits.ts';
import { Konnect } from '../../src/konnect/session/konnect.ts';
import { Enqueuer } from '../../src/resources/enqueuer.ts';
import { type Clock, systemClock } from '../../src/runtime/clock.ts';
import { eventually } from '../support/eventually.ts';
import { specOf } from '../support/forwarding-spec.ts';
import { siem } from '../support/konnect-fixtures.ts';
import { FakeCluster } from '../unit/forwarding/support/fake-cluster.ts';

const region = 'us';
export const inSync = 'True InSync';
const startedMs = Date.parse('2026-01-02T03:04:05Z');

export interface OrganizationSize {
  readonly forwardings: number;
  /** The number of portals of each forwarding. Default: 1. */
  readonly portals?: number;
  /** Default: 1. */
  readonly tokens?: number;
  /** `spec.interval`. Default: 10m. */
  readonly interval?: string;
}

export interface ProcessOptions {
  /** Without it, requests are not limited. */
  readonly budget?: { readonly qps: number; readonly burst: number };
  /** Reconciliations at once, in one organization and region. */
  readonly maxInWork?: number;
  readonly concurrency?: number;
  readonly timeoutMs?: number;
  readonly clock?: Clock;
  readonly random?: () => number;
}

/** Status shows the endpoint of a forwarding as a digest with its uid. */
function digestOf(name: string): string {
  return endpointDigest(`uid-${name}`, siem.endpoint);
}

/** Many forwardings of several organizations, each with its own destination and portals, and a local Konnect on loopback. */
export class Fleet implements AsyncDisposable {
  readonly cluster = new FakeCluster();
  readonly konnect: KonnectServer;
  readonly #sizes: readonly OrganizationSize[];
  #process: OperatorInMemory | undefined;

  /** Resolves when all are in sync. An operator creates the first of each organization, and the others are copies of it. */
  static async open(organizations: readonly OrganizationSize[]): Promise<Fleet> {
    const fleet = await Fleet.openEmpty(organizations);
    for (const number of organizations.keys()) fleet.#addNew(number, 0);
    const operator = await fleet.start({});
    await eventually(() => {
      const isInPlace = organizations.every((_, number) => fleet.readiness(number)[inSync] === 1);
      if (!isInPlace || !operator.isIdle) throw new Error('not in sync yet');
    });
    await operator.stop();
    for (const [number, { forwardings, tokens = 1 }] of organizations.entries()) {
      for (let index = 1; index < forwardings; index += 1)
        fleet.#addAnother(number, index, tokenOf(number, index % tokens));
    }
    return fleet;
  }

  /** Resolves with the Secrets and the portals, and without a forwarding. */
  static async openEmpty(organizations: readonly OrganizationSize[]): Promise<Fleet> {
    const konnect = await startKonnect({
      clock: () => new Date(startedMs),
      seed: {
        regions: [region],
        organizations: organizations.map(({ forwardings, portals = 1, tokens = 1 }, number) => ({
          id: organizationID(number),
          name: `Organization ${String(number)}`,
          tokens: times(tokens, (token) => ({ value: tokenOf(number, token), access: 'full' as const })),
          portals: times(forwardings * portals, (index) => ({
            id: portalID(number, index),
            name: `Portal ${String(index)}`,
            region,
          })),
        })),
      },
    });
    const fleet = new Fleet(konnect, organizations);
    fleet.cluster.putSecret('siem', siem);
    for (const [number, { tokens = 1 }] of organizations.entries())
      for (const token of times(tokens, (index) => tokenOf(number, index))) fleet.cluster.putSecret(token, { token });
    return fleet;
  }

  private constructor(konnect: KonnectServer, sizes: readonly OrganizationSize[]) {
    this.konnect = konnect;
    this.#sizes = sizes;
  }

  /** Creates the forwardings of all organizations, as a user does. */
  createAll(): void {
    for (const [number, { forwardings }] of this.#sizes.entries())
      for (let index = 0; index < forwardings; index += 1) this.#addNew(number, index);
  }

  /** Writes new credentials of the SIEM into the one Secret of all forwardings. */
  rotate(authorization: string): void {
    this.cluster.putSecret('siem', { ...siem, authorization });
    this.#process?.onSecret('platform/siem');
  }

  /** Deletes the forwardings of all organizations, as a user does. */
  deleteAll(): void {
    for (const key of this.cluster.objects.keys()) this.cluster.delete(new Date(startedMs), key);
  }

  /** Replaces the present process with a new one. */
  async start(options: ProcessOptions): Promise<OperatorInMemory> {
    await this.#process?.stop();
    this.clearCounts();
    this.#process = new OperatorInMemory(this, options);
    return this.#process;
  }

  /** Makes the counts begin at zero. */
  clearCounts(): void {
    this.konnect.control.clearCalls();
    this.cluster.writes = 0;
    this.cluster.statuses.length = 0;
    this.cluster.announcements.length = 0;
  }

  /** Counts the calls to Konnect by the name that `what` returns for them. Calls without a name do not count. */
  count(what: (call: ReturnType<KonnectServer['control']['calls']>[number]) => string | undefined) {
    const counts: Record<string, number> = {};
    for (const call of this.konnect.control.calls()) {
      const name = what(call);
      if (name !== undefined) counts[name] = (counts[name] ?? 0) + 1;
    }
    return counts;
  }

  /** Counts the forwardings of an organization by status and reason of `Ready` and by the conditions beside it. */
  readiness(number: number): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const [key, { status }] of this.cluster.objects) {
      if (!key.startsWith(`platform/forwarding-${String(number)}-`)) continue;
      const conditions = status.conditions ?? [];
      const ready = conditions.find(({ type }) => type === 'Ready');
      const marks = conditions.map(({ type }) => type).filter((type) => type === 'Stalled' || type === 'Reconciling');
      const verdict = [ready?.status ?? '-', ready?.reason ?? '-', ...marks].join(' ');
      counts[verdict] = (counts[verdict] ?? 0) + 1;
    }
    return counts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process?.stop();
    await this.konnect.stop();
  }

  #addNew(organization: number, index: number): void {
    const { portals = 1, tokens = 1, interval = '10m' } = this.#sizes[organization] ?? { forwardings: 0 };
    const name = nameOf(organization, index);
    const spec = specOf({
      region,
      token: tokenOf(organization, index % tokens),
      portals: times(portals, (one) => ({ id: portalID(organization, index * portals + one), enabled: true })),
      interval,
    });
    const creationTimestamp = new Date(startedMs).toISOString();
    const metadata = { namespace: 'platform', name, uid: `uid-${name}`, creationTimestamp, resourceVersion: '1' };
    this.cluster.create({
      apiVersion,
      kind,
      metadata: { ...metadata, generation: 1 },
      spec,
      status: { observedGeneration: -1 },
    });
  }

  #addAnother(organization: number, index: number, token: string): void {
    const first = this.cluster.objects.get(`platform/${nameOf(organization, 0)}`);
    const owner = this.konnect.model.organizations.get(organizationID(organization));
    const firstID = first?.status.destination?.id;
    const webhook = owner?.portals.get(portalID(organization, index))?.webhook;
    if (owner === undefined || firstID === undefined || webhook === undefined) throw new TypeError('nothing to copy');
    const name = nameOf(organization, index);
    const fields = { ...siem, logFormat: 'cef', skipSSLVerification: false } as const;
    const { id } = createDestination(this.konnect.model, owner, { ...fields, name: `platform/${name}` });
    Object.assign(webhook, { enabled: true, target: { kind: 'destination', id } });
    const copy = JSON.stringify(first)
      .replaceAll(nameOf(organization, 0), name)
      .replaceAll(tokenOf(organization, 0), token)
      .replaceAll(portalID(organization, 0), portalID(organization, index))
      .replaceAll(firstID, id)
      .replaceAll(digestOf(nameOf(organization, 0)), digestOf(name));
    this.cluster.create(JSON.parse(copy));
  }
}

/** The parts of an operator process as `operator.ts` connects them, with Kubernetes in memory. */
export class OperatorInMemory {
  readonly queue: WorkQueue;
  /** Number of finished reconciliations by result. */
  readonly reconciliations: Record<string, number> = {};
  readonly #stop = new AbortController();
  readonly #http: KonnectHTTP;
  readonly #enqueuer: Enqueuer;
  readonly #ended: Promise<void>;

  constructor({ cluster, konnect: server }: Fleet, options: ProcessOptions) {
    const { clock = systemClock, random = Math.random, maxInWork = 4, timeoutMs = 30_000 } = options;
    this.queue = new WorkQueue(clock, { groupOf: (key) => this.#enqueuer.groupOf(key), maxInWork });
    this.#http = new KonnectHTTP({ userAgent: 'test', timeoutMs, maxSockets: Number.POSITIVE_INFINITY });
    const maxInFlight = requestsPerReconciliation * maxInWork;
    const konnect = new Konnect({
      http: this.#http,
      urlTemplate: server.urlTemplate,
      nowMs: () => clock.now(),
      ...(options.budget && { limits: new RequestLimits({ ...options.budget, maxInFlight, clock, random }) }),
    });
    this.#enqueuer = new Enqueuer({
      enqueue: (key, add) => this.queue.add(key, add),
      destinationName: (forwarding) => destinationName(forwarding, ''),
      shown: { show() {}, forget() {} },
      onChanged: () => undefined,
      verify: () => undefined,
      onDeleted: (forwarding, isSeen) => reconciler.onDeleted(forwarding, isSeen),
    });
    const find = (key: string) => structuredClone(cluster.objects.get(key));
    const reconciler = new Reconciler({
      cluster,
      konnectFor: (token, priority, inRegion) => konnect.forToken(token, priority, inRegion),
      find,
      contenders: (key, claims) => this.#enqueuer.sharing(key, claims).flatMap((other) => find(other) ?? []),
      enqueue: (key) => this.queue.add(key, { priority: 'resync' }),
      clusterName: '',
      pendingCreationTimeoutMs: 30_000,
      now: () => new Date(startedMs + clock.now()),
      nowMs: () => clock.now(),
      enqueuedAtMs: (key) => this.queue.addedAt(key),
      random,
    });
    for (const [key, object] of cluster.objects)
      this.#enqueuer.onForwarding({ kind: 'added', source: 'list', key, object });
    this.#enqueuer.start([...cluster.objects.values()]);
    cluster.onChange = (key, object, previous) => {
      const change = { key, source: 'watch' } as const;
      if (object === undefined) {
        if (previous !== undefined) this.#enqueuer.onForwarding({ ...change, kind: 'deleted', object: previous });
      } else if (previous === undefined) this.#enqueuer.onForwarding({ ...change, kind: 'added', object });
      else this.#enqueuer.onForwarding({ ...change, kind: 'updated', object, previous });
    };
    this.#ended = runController({
      queue: this.queue,
      reconcile: (key, signal) => reconciler.reconcile(key, signal),
      concurrency: options.concurrency ?? 64 * maxInWork,
      backOff: new BackOff({ baseMs: 1_000, maxMs: 300_000, jitter: 'equal', random }),
      graceMs: 0,
      log: { debug() {}, info() {}, warn() {}, error() {} },
      signal: this.#stop.signal,
      clock,
      onReconcile: (_key, outcome) => {
        this.reconciliations[outcome] = (this.reconciliations[outcome] ?? 0) + 1;
      },
    });
  }

  /** Whether no key is queued or in work. */
  get isIdle(): boolean {
    return this.queue.size === 0 && this.queue.inWorkSize === 0;
  }

  /** Has to be called after a change of a Secret, as a watch does. */
  onSecret(key: string): void {
    const [namespace = '', name = ''] = key.split('/');
    const object = { metadata: { namespace, name, uid: name, resourceVersion: '2' } };
    this.#enqueuer.onSecret({ kind: 'updated', source: 'watch', key, object, previous: object });
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('the process stops'));
    this.queue.shutDown();
    this.#http.close();
    await this.#ended;
  }
}

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

function nameOf(organization: number, index: number): string {
  return `forwarding-${String(organization)}-${String(index)}`;
}

function organizationID(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
}

export function tokenOf(organization: number, token: number): string {
  return `kpat-of-organization-${String(organization)}${String(token)}`;
}

export function portalID(organization: number, index: number): string {
  return `10000000-0000-4000-8000-${String(organization).padStart(4, '0')}${String(index).padStart(8, '0')}`;
}
