import type { Behaviour } from '../../sandbox/konnect/behaviour.ts';
import { createDestination, currentDestinations } from '../../sandbox/konnect/model/destinations.ts';
import { type Destination, type Organization, type Webhook, webhookIn } from '../../sandbox/konnect/model.ts';
import { type KonnectServer, startKonnect } from '../../sandbox/konnect/server.ts';
import { apiVersion, type Condition, kind, type Spec, type Status } from '../../src/api/v1alpha1.ts';
import { type Next, Reconciler } from '../../src/forwarding/reconcile.ts';
import { KonnectHTTP } from '../../src/konnect/http.ts';
import { Konnect } from '../../src/konnect/organizations.ts';
import type { KonnectTransport } from '../../src/konnect/transport.ts';
import { ClusterRecorder } from './cluster-recorder.ts';

export const blue = '998db3e4-5cb7-4dd5-b51c-9878096a6999';
export const green = '777db3e4-5cb7-4dd5-b51c-9878096a6999';
export const shop = '3e551b39-227d-4297-b911-e68fd5d77c17';
export const forum = '4e551b39-227d-4297-b911-e68fd5d77c17';
export const laden = '5e551b39-227d-4297-b911-e68fd5d77c17';
export const nowhere = 'ffffffff-227d-4297-b911-e68fd5d77c17';

export const tokens = {
  blue: 'kpat_blueCANARY0123456789',
  blueAgain: 'kpat_blueCANARYother98765',
  readOnly: 'spat_readCANARY0123456789',
  unproven: 'spat_noneCANARY0123456789',
  green: 'kpat_greenCANARY012345678',
};

/** Holds the word that nothing which comes out may hold. */
export const siem = {
  endpoint: 'https://siem.example.com/receiver/v1/http/CANARYcode',
  authorization: 'Bearer CANARY',
};
export const otherSiem = {
  endpoint: 'https://siem.example.com/receiver/v1/http/CANARYsecond',
  authorization: 'Bearer CANARYsecond',
};

export const key = 'platform/sumologic';

export interface SpecChoice {
  readonly region?: string;
  readonly api?: 'v2' | 'v3';
  readonly organization?: { readonly enabled: boolean };
  readonly portals?: readonly { readonly id: string; readonly enabled: boolean }[];
  readonly deletionPolicy?: 'Delete' | 'Retain';
}

export function specOf({
  region = 'us',
  api = 'v3',
  organization,
  portals,
  deletionPolicy = 'Delete',
}: SpecChoice): Spec {
  return {
    konnect: { region, tokenSecretRef: { name: 'konnect', key: 'token' }, auditLogsAPI: api },
    destination: {
      secretRef: { name: 'siem', endpointKey: 'endpoint', authorizationKey: 'authorization' },
      logFormat: 'cef',
      skipSSLVerification: false,
    },
    ...(organization === undefined ? {} : { organization: { ...organization } }),
    ...(portals === undefined ? {} : { portals: portals.map((portal) => ({ ...portal })) }),
    deletionPolicy,
    interval: '10m',
  };
}

export const usual: SpecChoice = {
  organization: { enabled: true },
  portals: [
    { id: shop, enabled: true },
    { id: forum, enabled: true },
  ],
};

/** A process that is gone: from then on nothing that it does reaches the outside. */
export class Crash extends Error {}

/** One forwarding, its Kubernetes, a whole Konnect on loopback, a clock that stands until told, and the reconciler between them. */
export class Stage implements AsyncDisposable {
  readonly cluster = new ClusterRecorder();
  readonly konnect: KonnectServer;
  readonly clock: { ms: number };
  /** Outside calls of the present process. */
  outsideCalls = 0;
  readonly #http = new KonnectHTTP({ userAgent: 'test', timeoutMs: 5_000 });
  readonly #underWay = new Set<Promise<unknown>>();
  #reconciler: Reconciler;
  #lastCall: number | undefined;

  static async open(choice: SpecChoice, behaviour: Partial<Behaviour> = {}): Promise<Stage> {
    const clock = { ms: Date.parse('2026-01-02T03:04:05Z') };
    const konnect = await startKonnect({
      clock: () => new Date(clock.ms),
      behaviour,
      seed: {
        regions: ['us', 'eu'],
        organizations: [
          {
            id: blue,
            name: 'Blue',
            tokens: [
              { value: tokens.blue, access: 'full' },
              { value: tokens.blueAgain, access: 'full' },
              { value: tokens.readOnly, access: 'read-only' },
              { value: tokens.unproven, access: 'no-organization' },
            ],
            portals: [
              { id: shop, name: 'Shop', region: 'us' },
              { id: forum, name: 'Forum', region: 'us' },
              { id: laden, name: 'Laden', region: 'eu' },
            ],
          },
          { id: green, name: 'Green', tokens: [{ value: tokens.green, access: 'full' }] },
        ],
      },
    });
    return new Stage(konnect, clock, choice);
  }

  private constructor(konnect: KonnectServer, clock: { ms: number }, choice: SpecChoice) {
    this.konnect = konnect;
    this.clock = clock;
    this.cluster.putSecret('konnect', { token: tokens.blue });
    this.cluster.putSecret('siem', siem);
    this.cluster.create({
      apiVersion,
      kind,
      metadata: { namespace: 'platform', name: 'sumologic', uid: 'uid-1', resourceVersion: '1', generation: 1 },
      spec: specOf(choice),
      status: { observedGeneration: -1 },
    });
    this.#reconciler = this.#newProcess();
  }

  get organization(): Organization {
    const found = this.konnect.model.organizations.get(blue);
    if (found === undefined) throw new TypeError('there is no such organisation');
    return found;
  }

  get destinations(): Destination[] {
    return currentDestinations(this.organization);
  }

  get status(): Status {
    return this.cluster.object?.status ?? {};
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

  condition(type: string): Condition | undefined {
    return this.status.conditions?.find((one) => one.type === type);
  }

  /** `Ready`'s status and reason, then the marks that stand beside it. */
  get verdict(): string {
    const ready = this.condition('Ready');
    const marks = ['Stalled', 'Reconciling'].filter((type) => this.condition(type) !== undefined);
    return [`${ready?.status ?? '-'} ${ready?.reason ?? '-'}`, ...marks].join(' ');
  }

  /** The calls that Konnect got since the last `forget`, as `METHOD path`, destinations' IDs left out. */
  get calls(): string[] {
    return this.konnect.control
      .calls()
      .map(({ method, region, path }) => `${method} ${region}${path.replace(/(audit-log-destinations)\/.*/, '$1/ID')}`);
  }

  get konnectWrites(): string[] {
    return this.calls.filter((call) => !call.startsWith('GET '));
  }

  forget(): void {
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

  delete(): void {
    this.cluster.delete(new Date(this.clock.ms));
  }

  /** A new process in place of the present one, which may be dead. */
  restart(): void {
    this.#lastCall = undefined;
    this.#reconciler = this.#newProcess();
  }

  /** The present process is dead as soon as its outside call of this number is done: it never has the answer. */
  dieAfter(call: number): void {
    this.#lastCall = call;
  }

  pass(signal: AbortSignal = new AbortController().signal): Promise<Next> {
    return this.#reconciler.reconcile(key, signal);
  }

  /** Passes until none asks for a retry, with ten seconds between them. */
  async settle(most = 12): Promise<Next> {
    for (let count = 0; count < most; count += 1) {
      const next = await this.pass();
      if (next.kind !== 'retry') return next;
      this.clock.ms += Math.max(10_000, next.atLeastMs ?? 0);
    }
    throw new Error(`not settled: ${this.verdict}; ${this.condition('Ready')?.message ?? ''}`);
  }

  /** What a dead process had sent comes to its end. */
  async calm(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.calm();
    this.#http.close();
    await this.konnect.stop();
  }

  #newProcess(): Reconciler {
    const dead = { yes: false };
    this.outsideCalls = 0;
    const outside = <T>(deed: () => Promise<T>) => this.#outside(dead, deed);
    this.cluster.around = (_name, deed) => outside(deed);
    const http: KonnectTransport = { send: (request) => outside(() => this.#http.send(request)) };
    const konnect = new Konnect({ http, urlTemplate: this.konnect.urlTemplate, nowMs: () => this.clock.ms });
    return new Reconciler({
      cluster: this.cluster,
      konnectFor: (token) => konnect.forToken(token),
      find: (wanted) => (wanted === key ? structuredClone(this.cluster.object) : undefined),
      clusterName: '',
      intentPatienceMs: 30_000,
      now: () => new Date(this.clock.ms),
      random: () => 0,
    });
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
