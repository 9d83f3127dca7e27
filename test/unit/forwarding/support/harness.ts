import type { Behavior } from '../../../../sandbox/konnect/behavior.ts';
import {
  createLocalKonnect,
  type LocalKonnect,
  type LocalKonnectOptions,
} from '../../../../sandbox/konnect/local-konnect.ts';
import { createDestination, currentDestinations } from '../../../../sandbox/konnect/model/destinations.ts';
import { type Destination, type Organization, type Webhook, webhookIn } from '../../../../sandbox/konnect/model.ts';
import {
  type AuditLogForwarding,
  apiVersion,
  type Condition,
  kind,
  type Status,
} from '../../../../src/api/v1alpha1.ts';
import { destinationName } from '../../../../src/forwarding/desired/desired-state.ts';
import { ClaimIndex } from '../../../../src/forwarding/ownership/claim-index.ts';
import { Reconciler } from '../../../../src/forwarding/reconcile/reconciler.ts';
import { Konnect } from '../../../../src/konnect/session/konnect.ts';
import type { KonnectTransport } from '../../../../src/konnect/transport.ts';
import { shouldReconcile } from '../../../../src/resources/predicates.ts';
import type { ReconcileResult } from '../../../../src/runtime/reconcile-result.ts';
import { key, type SpecChoice, specOf } from '../../../support/forwarding-spec.ts';
import { inMemoryTransport, urlTemplate } from '../../../support/in-memory-konnect.ts';
import { blue, konnectSeed, siem, tokens } from '../../../support/konnect-fixtures.ts';
import { FakeCluster } from './fake-cluster.ts';

/** A process that was killed: none of its later calls reaches the outside. */
export class Crash extends Error {}

/** A local Konnect, and how the operator reaches it. */
export interface Connection {
  readonly konnect: LocalKonnect;
  readonly transport: KonnectTransport;
  readonly urlTemplate: string;
  readonly close: () => Promise<void>;
}

export interface HarnessOptions {
  readonly behavior?: Partial<Behavior>;
  /** It is another cluster, whose Konnect and clock are those of this one. */
  readonly beside?: Harness;
  /** Default: a Konnect in memory, without HTTP. */
  readonly connect?: (options: LocalKonnectOptions) => Promise<Connection>;
}

const leaveOpen = async () => undefined;

async function connectInMemory(options: LocalKonnectOptions): Promise<Connection> {
  const konnect = createLocalKonnect(options);
  return { konnect, transport: inMemoryTransport(konnect), urlTemplate, close: leaveOpen };
}

/** Forwardings, a Kubernetes and a Konnect in memory, a manual clock, and the reconciler. */
export class Harness implements AsyncDisposable {
  readonly cluster = new FakeCluster();
  readonly konnect: LocalKonnect;
  /** What the operator gets as a random number, from 0 to below 1. */
  random: () => number = () => 0;
  /** `jumpMs` is how far the operator's time of day was set. Konnect and the API server have their own clocks. */
  readonly clock: { ms: number; jumpMs: number };
  /** Called after each request that Konnect has handled, to check its state at every moment. */
  onKonnectCall: () => void = () => undefined;
  /** False while the watch is broken, so that only a list shows what is missing. */
  seesDeletions = true;
  /** Outside calls of the present process. */
  outsideCalls = 0;
  readonly #connection: Connection;
  readonly #underWay = new Set<Promise<unknown>>();
  /** The keys to reconcile, the next one first. */
  readonly #queue = new Set<string>();
  #clusterName = '';
  #claims = this.#newClaims();
  #reconciler: Reconciler;
  #made = 0;
  readonly #uid: 'uid' | 'other-uid';
  /** Every forwarding as the watch last showed it. */
  readonly #seen = new Map<string, AuditLogForwarding>();
  #lastCall: number | undefined;

  static async open(
    choice: SpecChoice,
    { behavior = {}, beside, connect = connectInMemory }: HarnessOptions = {},
  ): Promise<Harness> {
    if (beside !== undefined)
      return new Harness({ ...beside.#connection, close: leaveOpen }, beside.clock, choice, 'other-uid');
    const clock = { ms: Date.parse('2026-01-02T03:04:05Z'), jumpMs: 0 };
    const connection = await connect({ clock: () => new Date(clock.ms), behavior, seed: konnectSeed });
    return new Harness(connection, clock, choice, 'uid');
  }

  private constructor(connection: Connection, clock: Harness['clock'], choice: SpecChoice, uid: 'uid' | 'other-uid') {
    this.#uid = uid;
    this.#connection = connection;
    this.konnect = connection.konnect;
    this.clock = clock;
    this.cluster.putSecret('konnect', { token: tokens.blue });
    this.cluster.putSecret('siem', siem);
    this.cluster.onChange = (changed, object) => this.#watched(changed, object);
    this.add(choice, key);
    this.#reconciler = this.#newProcess();
  }

  /** Adds a forwarding that is a second younger than the last one. */
  add(choice: SpecChoice, as: string): void {
    const [namespace = '', name = ''] = as.split('/');
    this.#made += 1;
    const creationTimestamp = new Date(this.clock.ms - 3_600_000 + this.#made * 1_000).toISOString();
    const uid = `${this.#uid}-${String(this.#made)}`;
    this.cluster.create({
      apiVersion,
      kind,
      metadata: { namespace, name, uid, creationTimestamp, resourceVersion: '1', generation: 1 },
      spec: specOf(choice),
      status: { observedGeneration: -1 },
    });
  }

  get organization(): Organization {
    return this.organizationOf(blue);
  }

  organizationOf(id: string): Organization {
    const found = this.konnect.model.organizations.get(id);
    if (found === undefined) throw new TypeError('there is no such organization');
    return found;
  }

  get destinations(): Destination[] {
    return currentDestinations(this.organization);
  }

  get status(): Status {
    return this.statusOf(key);
  }

  statusOf(of: string): Status {
    return this.cluster.objects.get(of)?.status ?? {};
  }

  get reasons(): string[] {
    return this.cluster.announcements.map(({ reason }) => reason);
  }

  portal(id: string): Webhook {
    const found = this.organization.portals.get(id);
    if (found === undefined) throw new TypeError('there is no such portal');
    return found.webhook;
  }

  webhook(region = 'us'): Webhook {
    return webhookIn(this.organization, region);
  }

  /** `DESTINATION` for the only one, so that a webhook can be compared as a whole. */
  pointsAt({ target, enabled }: Webhook): string {
    const name =
      target.kind === 'none'
        ? 'nothing'
        : target.kind === 'inline'
          ? target.inline.endpoint
          : (this.destinations.find(({ id }) => id === target.id)?.name ?? 'what is gone');
    return `${name} ${enabled ? 'on' : 'off'}`;
  }

  condition(type: string, of = key): Condition | undefined {
    return this.statusOf(of).conditions?.find((one) => one.type === type);
  }

  /** Returns the status and reason of `Ready`, then `Stalled` or `Reconciling` if present. */
  get readiness(): string {
    return this.readinessOf(key);
  }

  readinessOf(of: string): string {
    const ready = this.condition('Ready', of);
    const marks = ['Stalled', 'Reconciling'].filter((type) => this.condition(type, of) !== undefined);
    return [`${ready?.status ?? '-'} ${ready?.reason ?? '-'}`, ...marks].join(' ');
  }

  /** The requests to Konnect since the last `forget`, as `METHOD path`, without the IDs of destinations. */
  get calls(): string[] {
    return this.konnect.control
      .calls()
      .map(({ method, region, path }) => `${method} ${region}${path.replace(/(audit-log-destinations)\/.*/, '$1/ID')}`);
  }

  get konnectWrites(): string[] {
    return this.calls.filter((call) => !call.startsWith('GET '));
  }

  clearRecords(): void {
    this.konnect.control.clearCalls();
    this.cluster.announcements.length = 0;
    this.cluster.statuses.length = 0;
    this.cluster.writes = 0;
    this.outsideCalls = 0;
  }

  createForeign(name: string, endpoint = 'https://other.example.com/x'): Destination {
    return createDestination(this.konnect.model, this.organization, {
      name,
      endpoint,
      authorization: 'theirs',
      logFormat: 'cef',
      skipSSLVerification: false,
    });
  }

  delete(of = key): void {
    this.cluster.delete(new Date(this.clock.ms), of);
  }

  /** Replaces the current process, which may have been killed. `clusterName` is the flag of the same name. */
  restart({ clusterName = '' } = {}): void {
    this.#lastCall = undefined;
    this.#clusterName = clusterName;
    this.#claims = this.#newClaims();
    for (const [each, object] of this.cluster.objects) {
      this.#watched(each, object);
      this.#queue.add(each);
    }
    this.#reconciler = this.#newProcess();
  }

  /** Kills the current process after its outside call of this number, so that it never gets the answer. */
  crashAfter(call: number): void {
    this.#lastCall = call;
  }

  reconcile(signal: AbortSignal = new AbortController().signal): Promise<ReconcileResult> {
    return this.reconcileKey(key, signal);
  }

  reconcileKey(of: string, signal: AbortSignal = new AbortController().signal): Promise<ReconcileResult> {
    return this.#reconciler.reconcile(of, signal);
  }

  /**
   * Reconciles as the operator's queue does: the forwardings that changed, and those that depend on the change, one after another. A
   * retry follows after ten seconds. Ends when nothing is due before the next interval, or when `until` returns true.
   */
  async work(until: () => boolean = () => false, most = 60): Promise<void> {
    const dueMs = new Map<string, number>();
    for (let count = 0; count < most; count += 1) {
      if (until()) return;
      for (const [of, due] of dueMs) if (due <= this.clock.ms) this.#queue.add(of);
      const [next] = this.#queue;
      if (next === undefined) {
        if (dueMs.size === 0) return;
        this.clock.ms = Math.min(...dueMs.values());
        continue;
      }
      this.#queue.delete(next);
      dueMs.delete(next);
      const answer = await this.reconcileKey(next);
      if (answer.kind === 'retry') dueMs.set(next, this.clock.ms + Math.max(10_000, answer.minDelayMs ?? 0));
    }
    const verdicts = [...this.cluster.objects.keys()].map((of) => `${of}: ${this.readinessOf(of)}`);
    throw new Error(`no end of work: ${verdicts.join('; ')}`);
  }

  /** Reconciles every forwarding, as after an interval. */
  async resync(): Promise<void> {
    this.clock.ms += 600_000;
    for (const each of this.cluster.objects.keys()) this.#queue.add(each);
    await this.work();
  }

  /** Reconciles until no result is a retry, with ten seconds in between. */
  async settle(most = 12): Promise<ReconcileResult> {
    for (let count = 0; count < most; count += 1) {
      const next = await this.reconcile();
      if (next.kind !== 'retry') return next;
      this.clock.ms += Math.max(10_000, next.minDelayMs ?? 0);
    }
    throw new Error(`not settled: ${this.readiness}; ${this.condition('Ready')?.message ?? ''}`);
  }

  /** Waits until the requests of a killed process have ended. */
  async drain(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain();
    await this.#connection.close();
  }

  #newClaims(): ClaimIndex {
    return new ClaimIndex((forwarding) => destinationName(forwarding, this.#clusterName));
  }

  #newProcess(): Reconciler {
    const dead = { yes: false };
    this.outsideCalls = 0;
    const outside = <T>(deed: () => Promise<T>) => this.#outside(dead, deed);
    this.cluster.around = (_name, deed) => outside(deed);
    const { transport, urlTemplate: template } = this.#connection;
    const http: KonnectTransport = {
      send: (request) => outside(() => transport.send(request).finally(() => this.onKonnectCall())),
    };
    const konnect = new Konnect({ http, urlTemplate: template, nowMs: () => this.clock.ms });
    return new Reconciler({
      cluster: this.cluster,
      konnectFor: (token, priority, region) => konnect.forToken(token, priority, region),
      find: (of) => structuredClone(this.cluster.objects.get(of)),
      contenders: (of, claims) =>
        this.#claims.sharing(of, claims).flatMap((other) => structuredClone(this.cluster.objects.get(other)) ?? []),
      enqueue: (of) => this.#queue.add(of),
      clusterName: this.#clusterName,
      pendingCreationTimeoutMs: 30_000,
      now: () => new Date(this.clock.ms + this.clock.jumpMs),
      nowMs: () => this.clock.ms,
      random: () => this.random(),
    });
  }

  #watched(changed: string, object: AuditLogForwarding | undefined): void {
    const news = object === undefined ? this.#claims.delete(changed) : this.#claims.update(object);
    for (const contender of news) this.#queue.add(contender);
    const before = this.#seen.get(changed);
    if (before === undefined || object === undefined || shouldReconcile(before, object)) this.#queue.add(changed);
    if (object === undefined) {
      this.#seen.delete(changed);
      if (before !== undefined) this.#reconciler.onDeleted(before, this.seesDeletions);
    } else this.#seen.set(changed, object);
  }

  async #outside<T>(dead: { yes: boolean }, deed: () => Promise<T>): Promise<T> {
    if (dead.yes) throw new Crash('dead');
    this.outsideCalls += 1;
    if (this.#lastCall === this.outsideCalls) dead.yes = true;
    const result = deed();
    const tracked = result.catch(() => undefined);
    this.#underWay.add(tracked);
    try {
      const value = await result;
      if (dead.yes) throw new Crash('died before the answer');
      return value;
    } finally {
      this.#underWay.delete(tracked);
    }
  }
}
