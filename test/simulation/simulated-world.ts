import type { Behavior } from '../../sandbox/konnect/behavior.ts';
import { createDestination } from '../../sandbox/konnect/model/destinations.ts';
import { pointWebhook } from '../../sandbox/konnect/model/webhooks.ts';
import {
  createModel,
  type KonnectModel,
  type Organization,
  type Webhook,
  webhookIn,
} from '../../sandbox/konnect/model.ts';
import type { AuditLogForwarding, Status } from '../../src/api/v1alpha1.ts';
import type { Cluster, KubernetesEvent, PortalObject } from '../../src/forwarding/ports.ts';
import { KubeError, type KubeErrorFacts } from '../../src/kube/errors.ts';
import { hiddenPortal } from '../../src/resources/portal-resource.ts';
import { key, type SpecChoice, specOf } from '../support/forwarding-spec.ts';
import { blue, konnectSeed } from '../support/konnect-fixtures.ts';
import { randomOf } from '../support/random.ts';
import { applies, type Call, type Fault, type PlannedFault } from './faults.ts';
import { carryOut, konnectCall, konnectError } from './konnect-transport.ts';
import { Kubernetes, type SavedKubernetes } from './kubernetes.ts';
import { OperatorProcess } from './operator-process.ts';

/** How old a list may be that Konnect serves. */
export const staleMs = 30_000;
const lagMs = 10_000;
const latencyMs = 20;
const timeoutMs = 15_000;
const lateMs = 10_000;
const downMs = 2_000;
const mostRounds = 120;

/** What a judge is told, at once. */
export interface Witness {
  /** Something changed outside, by whoever: the world can be looked at. */
  changed: (what: string) => void;
  statusWritten: (key: string, before: AuditLogForwarding | undefined, after: AuditLogForwarding) => void;
  called: (call: Call, outcome: string, by: 'operator' | 'late') => void;
}

export interface WorldOptions {
  readonly behavior?: Partial<Behavior> | undefined;
  readonly seed: number;
  /** Left out: nothing is there but empty organizations. */
  readonly from?: SavedWorld | undefined;
}

export interface SavedWorld {
  readonly made: number;
  readonly ms: number;
  readonly organizations: ReadonlyMap<string, Organization>;
  readonly kubernetes: SavedKubernetes;
}

const nowhere: Witness = { changed: () => undefined, statusWritten: () => undefined, called: () => undefined };

/** Kubernetes, Konnect with several organizations and other people's things in it, a clock that stands until told, and the operator's process. */
export class World {
  readonly konnect: KonnectModel;
  readonly kubernetes: Kubernetes;
  readonly clock: { ms: number };
  readonly announcements: (KubernetesEvent & { readonly of: string })[] = [];
  witness: Witness = nowhere;
  /** Outside calls since `arm`. */
  calls = 0;
  /** Processes that a fault has ended. */
  deaths = 0;
  /** Writes that were carried out or asked for, to both. */
  writes = 0;
  /** Our forwarding was deleted by a fault, and not by the story. */
  isCutShort = false;
  defect: Error | undefined;
  readonly #random: () => number;
  /** IDs in Konnect. */
  #made: number;
  #process: OperatorProcess;
  #plan: readonly PlannedFault[] = [];
  /** Which of the faults came to pass. */
  readonly met: PlannedFault[] = [];
  /** How many events there were before the story's change. */
  #shownBefore = 0;
  #isArmed = false;
  #staleUntilMs = 0;
  /** Until when events wait, and how many of them the next process's cache shows at the start. */
  #lag: { readonly untilMs: number; readonly shown: number } | undefined;
  #heard = 0;
  #whenCalled: { readonly what: string; readonly deed: () => void } | undefined;
  readonly #late: { readonly atMs: number; readonly deed: () => void }[] = [];

  constructor({ behavior = {}, seed, from }: WorldOptions) {
    this.#random = randomOf(seed);
    this.#made = from?.made ?? 0;
    this.clock = { ms: from?.ms ?? Date.parse('2026-01-02T03:04:05Z') };
    this.konnect = createModel({
      behavior,
      clock: () => new Date(this.clock.ms),
      newID: () => {
        this.#made += 1;
        return `${String(this.#made).padStart(8, '0')}-0000-4000-8000-000000000000`;
      },
      newTraceID: () => '1',
      seed: from === undefined ? konnectSeed : { ...konnectSeed, organizations: [] },
    });
    for (const [id, organization] of structuredClone(from?.organizations) ?? []) {
      this.konnect.organizations.set(id, organization);
    }
    this.kubernetes = new Kubernetes({
      nowMs: () => this.clock.ms,
      onChange: (by, before, event) => {
        if (by === 'operator' && !event.gone && before?.status !== event.object.status) {
          this.witness.statusWritten(event.key, before, event.object);
        }
        this.#hear();
      },
      from: from?.kubernetes,
    });
    this.#heard = this.kubernetes.events.length;
    this.#process = this.#newProcess([...this.kubernetes.objects.values()]);
  }

  /** All that stands outside of the operator, for any number of worlds that begin from here. */
  save(): SavedWorld {
    for (const { events } of this.konnect.organizations.values()) events.length = 0;
    return {
      made: this.#made,
      ms: this.clock.ms,
      organizations: structuredClone(this.konnect.organizations),
      kubernetes: this.kubernetes.save(),
    };
  }

  organization(id: string = blue): Organization {
    const found = this.konnect.organizations.get(id);
    if (found === undefined) throw new TypeError('there is no such organization');
    return found;
  }

  portal(id: string, organization = this.organization()): Webhook {
    const found = organization.portals.get(id);
    if (found === undefined) throw new TypeError('there is no such portal');
    return found.webhook;
  }

  webhook(region = 'us'): Webhook {
    return webhookIn(this.organization(), region);
  }

  statusOf(of: string): Status {
    return this.kubernetes.objects.get(of)?.status ?? {};
  }

  /** `Ready`'s status and reason, then the marks beside it; `gone` where there is no such object. */
  verdictOf(of: string): string {
    const object = this.kubernetes.objects.get(of);
    if (object === undefined) return 'gone';
    const find = (type: string) => object.status.conditions?.find((one) => one.type === type);
    const ready = find('Ready');
    const marks = ['Stalled', 'Reconciling'].filter((type) => find(type) !== undefined);
    return [`${ready?.status ?? '-'} ${ready?.reason ?? '-'}`, ...marks].join(' ');
  }

  /** What somebody does in Kubernetes or Konnect; the clock goes on by a second. */
  add(choice: SpecChoice, as = key, ageMs = 3_600_000): void {
    this.kubernetes.create(as, specOf(choice), ageMs);
    this.#done(`somebody makes ${as}`);
  }

  edit(choice: SpecChoice, of = key): void {
    this.kubernetes.edit(of, specOf(choice));
    this.#done(`somebody edits ${of}`);
  }

  delete(of = key): void {
    this.kubernetes.delete(of);
    this.#done(`somebody deletes ${of}`);
  }

  /** `id` undefined: there is none of that name any more. */
  putPortal(name: string, id: string | undefined): void {
    const portal: PortalObject = id === undefined ? { kind: 'absent' } : { kind: 'portal', id, organizationID: blue };
    this.kubernetes.portals.set(`platform/${name}`, portal);
    this.#done(`somebody changes Portal ${name}`);
  }

  putSecret(name: string, values: Readonly<Record<string, string>>): void {
    this.kubernetes.putSecret(`platform/${name}`, values);
    this.#process.hearOfSecret(`platform/${name}`);
    this.#done(`somebody writes Secret ${name}`);
  }

  createForeign(
    name: string,
    { endpoint = 'https://other.example.com/x', organization = this.organization() } = {},
  ): string {
    const fields = { name, endpoint, authorization: 'theirs', logFormat: 'cef', skipSSLVerification: false } as const;
    const { id } = createDestination(this.konnect, organization, fields);
    this.#done(`somebody makes destination ${name}`);
    return id;
  }

  point(webhook: Webhook, id: string, organization = this.organization()): void {
    pointWebhook(this.konnect, organization, webhook, { kind: 'destination', id });
    webhook.enabled = true;
    this.#done('somebody points a webhook elsewhere');
  }

  /** Does this as soon as such a call has been carried out, once. */
  whenCalled(what: string, deed: () => void): void {
    this.#whenCalled = { what, deed };
  }

  /** From here on calls are counted, and these of them go wrong. */
  arm(plan: readonly PlannedFault[], shown: number): void {
    this.#plan = plan;
    this.#isArmed = true;
    this.#shownBefore = shown;
    this.calls = 0;
  }

  disarm(): void {
    this.#isArmed = false;
  }

  /** A process in place of the present one. */
  restart(): void {
    this.#process.die();
    this.#start();
  }

  /** Passes, and time, until nobody is to pass but for a resync. False where there is no end of it. */
  async work(): Promise<boolean> {
    for (let round = 0; round < mostRounds; round += 1) {
      if (this.#process.isDead) {
        this.clock.ms += downMs;
        this.deaths += 1;
        this.#start();
      }
      this.#hear();
      this.#carryOutLate();
      if (this.#process.isBusy) {
        await this.#process.work();
        this.defect ??= this.#process.defect;
        continue;
      }
      const next = [
        this.#process.nextRetryMs,
        this.#lag !== undefined && this.#heard < this.kubernetes.events.length ? this.#lag.untilMs : undefined,
        ...this.#late.map(({ atMs }) => atMs),
      ].filter((one) => one !== undefined);
      if (next.length === 0) return true;
      this.clock.ms = Math.max(this.clock.ms, Math.min(...next));
    }
    return false;
  }

  /** To the next resync of everybody, and through it. */
  async interval(): Promise<boolean> {
    this.clock.ms = Math.max(this.clock.ms + 60_000, this.#process.lastResyncMs);
    return this.work();
  }

  #start(): void {
    const shown = this.#lag === undefined ? this.kubernetes.events.length : this.#lag.shown;
    const objects = new Map<string, AuditLogForwarding>();
    for (const { key: of, object, gone } of this.kubernetes.events.slice(0, shown)) {
      if (gone) objects.delete(of);
      else objects.set(of, object);
    }
    this.#heard = shown;
    this.#process = this.#newProcess([...objects.values()]);
  }

  #newProcess(objects: readonly AuditLogForwarding[] = []): OperatorProcess {
    const process: OperatorProcess = new OperatorProcess({
      objects,
      nowMs: () => this.clock.ms,
      random: this.#random,
      transport: {
        send: (request) =>
          this.#outside(
            process,
            konnectCall(request),
            () => {
              // Lists of this moment show what was there so long ago.
              const isStale = this.clock.ms < this.#staleUntilMs;
              Object.assign(this.konnect.behavior, { staleListMs: isStale ? staleMs : 0 });
              return carryOut(this.konnect, request);
            },
            (fault) => konnectError(fault, request),
          ),
      },
      cluster: this.#clusterOf(() => process),
    });
    return process;
  }

  #clusterOf(process: () => OperatorProcess): Cluster {
    const call = <T>(what: string, kind: 'read' | 'write', deed: () => T): Promise<T> =>
      this.#outside(
        process(),
        { system: 'kubernetes', what, kind, touchesDestinations: false, creates: false, hasBody: true },
        deed,
        (fault) => kubeError(fault),
      );
    const nameOf = ({ metadata }: AuditLogForwarding) => `${metadata.namespace}/${metadata.name}`;
    const { kubernetes } = this;
    return {
      readSecret: (namespace, name) =>
        call(`read Secret ${name}`, 'read', () => kubernetes.readSecret(`${namespace}/${name}`)),
      readPortal: (namespace, name) =>
        call(`read Portal ${name}`, 'read', () => kubernetes.readPortal(`${namespace}/${name}`)).catch(hiddenPortal),
      addFinalizer: (one) => call(`add finalizer ${nameOf(one)}`, 'write', () => kubernetes.addFinalizer(one)),
      removeFinalizer: (one) => call(`remove finalizer ${nameOf(one)}`, 'write', () => kubernetes.removeFinalizer(one)),
      writeStatus: (one, status) =>
        call(`write status ${nameOf(one)}`, 'write', () => kubernetes.writeStatus(one, status)),
      recordEvent: (one, announcement) => {
        this.announcements.push({ ...announcement, of: nameOf(one) });
      },
    };
  }

  /** One call of a process's: counted, and broken where the plan says so. A dead process never hears of its end. */
  async #outside<T>(process: OperatorProcess, call: Call, deed: () => T, errorOf: (fault: Fault) => Error): Promise<T> {
    if (process.isDead) return never();
    this.clock.ms += latencyMs;
    if (this.#isArmed) this.calls += 1;
    const planned = this.#isArmed ? this.#plan.find(({ at }) => at === this.calls) : undefined;
    const fault = planned !== undefined && applies(planned.fault, call) ? planned : undefined;
    if (call.kind === 'write') this.writes += 1;
    const carry = (by: 'operator' | 'late' = 'operator'): T => {
      try {
        const result = deed();
        this.witness.called(call, fault === undefined ? 'done' : `done, ${fault.fault}`, by);
        if (call.kind === 'write') this.witness.changed(call.what);
        this.#interrupt(call);
        return result;
      } catch (error) {
        this.witness.called(call, error instanceof Error ? error.message : 'failed', by);
        throw error;
      }
    };
    if (fault === undefined) return carry();
    this.met.push(fault);
    return this.#broken(fault.fault, process, call, carry, errorOf);
  }

  #interrupt({ what }: Call): void {
    const waiting = this.#whenCalled;
    if (waiting === undefined || !what.startsWith(waiting.what)) return;
    this.#whenCalled = undefined;
    waiting.deed();
  }

  async #broken<T>(
    fault: Fault,
    process: OperatorProcess,
    call: Call,
    carry: (by?: 'operator' | 'late') => T,
    errorOf: (fault: Fault) => Error,
  ): Promise<T> {
    const omitted = () => this.witness.called(call, `not done, ${fault}`, 'operator');
    const carried = () => {
      try {
        carry();
      } catch (error) {
        // The answer to it is lost, whatever it was.
        if (error instanceof TypeError) throw error;
      }
    };
    switch (fault) {
      case 'crash-before':
        omitted();
        process.die();
        return never();
      case 'crash-after':
      case 'crash-after+stale-list':
        carried();
        if (fault !== 'crash-after') this.#staleUntilMs = this.clock.ms + staleMs;
        process.die();
        return never();
      case 'crash-after+deleted':
        carried();
        process.die();
        this.isCutShort = true;
        if (this.kubernetes.objects.has(key)) this.delete();
        return never();
      case 'crash-done-late':
        omitted();
        this.#late.push({ atMs: this.clock.ms + lateMs, deed: () => carry('late') });
        process.die();
        return never();
      case 'stale-cache':
      case 'cache-behind': {
        const before = this.kubernetes.events.length;
        carried();
        this.#lag = { untilMs: this.clock.ms + lagMs, shown: fault === 'stale-cache' ? this.#shownBefore : before };
        process.die();
        return never();
      }
      case 'answer-lost':
      case 'answer-lost+stale-list':
      case 'http-500-done':
      case 'truncated':
        carried();
        if (fault === 'answer-lost+stale-list') this.#staleUntilMs = this.clock.ms + staleMs;
        throw errorOf(fault);
      case 'timeout':
        this.clock.ms += timeoutMs;
        omitted();
        throw errorOf(fault);
      case 'http-409':
      case 'http-429':
      case 'http-500':
        omitted();
        throw errorOf(fault);
      case 'stale-list':
        this.#staleUntilMs = this.clock.ms + staleMs;
        return carry();
    }
  }

  /** Events come at once, but where the cache lags. */
  #hear(): void {
    if (this.#lag !== undefined && this.clock.ms < this.#lag.untilMs) return;
    this.#lag = undefined;
    while (this.#heard < this.kubernetes.events.length) {
      const event = this.kubernetes.events[this.#heard];
      this.#heard += 1;
      if (event !== undefined && !this.#process.isDead) this.#process.hear(event);
    }
  }

  #carryOutLate(): void {
    for (const one of this.#late.filter(({ atMs }) => atMs <= this.clock.ms)) {
      this.#late.splice(this.#late.indexOf(one), 1);
      try {
        one.deed();
      } catch {
        // Konnect may refuse by then what was asked for.
      }
    }
  }

  #done(what: string): void {
    this.witness.changed(what);
    this.clock.ms += 1_000;
  }
}

const kubeErrors: Partial<Record<Fault, KubeErrorFacts>> = {
  'http-409': { kind: 'Conflict', status: 409 },
  'http-429': { kind: 'TooManyRequests', status: 429, retryAfterMs: 1_000 },
  timeout: { kind: 'Timeout' },
};

function kubeError(fault: Fault): KubeError {
  return new KubeError(fault, kubeErrors[fault] ?? { kind: 'Unavailable' });
}

function never<T>(): Promise<T> {
  return new Promise<T>(() => undefined);
}
