/** Forwardings, Kubernetes and a local Konnect in memory: a reconciliation takes a millisecond, and any answer of Konnect can be replaced. */
import { createDestination, currentDestinations } from '../../sandbox/konnect/model/destinations.ts';
import { touchWebhook } from '../../sandbox/konnect/model/webhooks.ts';
import {
  addToken,
  createModel,
  type Destination,
  type KonnectModel,
  type Organization,
  webhookIn,
} from '../../sandbox/konnect/model.ts';
import { destinationName } from '../../src/forwarding/desired/desired-state.ts';
import { ClaimIndex } from '../../src/forwarding/ownership/claim-index.ts';
import { Reconciler } from '../../src/forwarding/reconcile/reconciler.ts';
import { KonnectError } from '../../src/konnect/errors.ts';
import { Konnect } from '../../src/konnect/session/konnect.ts';
import type { KonnectAnswer, KonnectRequest, KonnectTransport } from '../../src/konnect/transport.ts';
import type { ReconcileResult } from '../../src/runtime/reconcile-result.ts';
import { carryOut, outcomeOf, type RawAnswer } from '../support/in-memory-konnect.ts';
import { blue, konnectSeed } from '../support/konnect-fixtures.ts';
import { FakeCluster } from '../unit/forwarding/support/fake-cluster.ts';
import { secrets } from './leaks.ts';

export interface RecordedCall {
  readonly operation: KonnectRequest['operation'];
  readonly method: KonnectRequest['method'];
  readonly path: string;
  /** Status of the answer that the operator gets. */
  readonly status: number;
}

export class Environment {
  readonly cluster = new FakeCluster();
  readonly clock = { ms: Date.parse('2026-01-02T03:04:05Z') };
  readonly model: KonnectModel;
  readonly calls: RecordedCall[] = [];
  /** The errors that the operator would log. */
  readonly errors: KonnectError[] = [];
  /** Replaces answers of Konnect. `carryOut` executes the request and returns the original answer. */
  intercept: (request: KonnectRequest, carryOut: () => RawAnswer) => RawAnswer = (_request, faithful) => faithful();
  readonly #claims = new ClaimIndex((forwarding) => destinationName(forwarding, ''));
  readonly #reconciler: Reconciler;

  constructor() {
    let made = 0;
    this.model = createModel({
      clock: () => new Date(this.clock.ms),
      // The same in every run, so that a seed repeats its failure.
      newID: () => {
        made += 1;
        return `d0000000-0000-4000-8000-${String(made).padStart(12, '0')}`;
      },
      newTraceID: () => '7234567890123456789',
      seed: konnectSeed,
    });
    addToken(this.model, this.organization(), { value: secrets.token, access: 'full' });
    this.cluster.putSecret('konnect', { token: secrets.token });
    this.cluster.putSecret('siem', { endpoint: secrets.endpoint, authorization: secrets.authorization });
    this.cluster.onChange = (key, object) => {
      if (object === undefined) this.#claims.delete(key);
      else this.#claims.update(object);
    };
    const http: KonnectTransport = { send: async (request) => this.#send(request) };
    const konnect = new Konnect({ http, urlTemplate: 'http://127.0.0.1/{region}', nowMs: () => this.clock.ms });
    this.#reconciler = new Reconciler({
      cluster: this.cluster,
      konnectFor: (token, priority, region) => konnect.forToken(token, priority, region),
      find: (of) => structuredClone(this.cluster.objects.get(of)),
      enqueue: () => undefined,
      contenders: (of, claims) =>
        this.#claims.sharing(of, claims).flatMap((other) => structuredClone(this.cluster.objects.get(other)) ?? []),
      clusterName: '',
      pendingCreationTimeoutMs: 30_000,
      now: () => new Date(this.clock.ms),
      random: () => 0,
    });
  }

  organization(id: string = blue): Organization {
    const found = this.model.organizations.get(id);
    if (found === undefined) throw new TypeError('there is no such organization');
    return found;
  }

  get destinations(): Destination[] {
    return currentDestinations(this.organization());
  }

  createDestination(name: string, endpoint: string, of: string = blue): Destination {
    const rest = { authorization: 'theirs', logFormat: 'cef', skipSSLVerification: false } as const;
    return createDestination(this.model, this.organization(of), { name, endpoint, ...rest });
  }

  /** Attaches a portal's webhook, or with `undefined` the organization's in us, as another client. */
  attach(destination: Destination, portal: string | undefined, of: string = blue): void {
    const webhook =
      portal === undefined
        ? webhookIn(this.organization(of), 'us')
        : this.organization(of).portals.get(portal)?.webhook;
    if (webhook === undefined) throw new TypeError('there is no such portal');
    webhook.target = { kind: 'destination', id: destination.id };
    webhook.enabled = true;
    touchWebhook(this.model, webhook);
  }

  /** Writes that Konnect did not refuse. */
  get writes(): RecordedCall[] {
    return this.calls.filter(({ method, status }) => method !== 'GET' && status < 400);
  }

  reconcile(key: string, signal: AbortSignal = new AbortController().signal): Promise<ReconcileResult> {
    return this.#reconciler.reconcile(key, signal);
  }

  clearRecords(): void {
    this.calls.length = 0;
    this.cluster.statuses.length = 0;
    this.cluster.writes = 0;
  }

  /** Everything that users can see: statuses, events, and logged errors. */
  get output(): string {
    return JSON.stringify([
      this.cluster.statuses,
      this.cluster.announcements,
      this.errors.map((one) => [one.message, one]),
    ]);
  }

  #send(request: KonnectRequest): KonnectAnswer {
    const { operation, method, url } = request;
    const answer = this.intercept(request, () => carryOut(this.model, request));
    this.calls.push({ operation, method, path: url.pathname, status: answer.status });
    try {
      return outcomeOf(request, answer);
    } catch (error) {
      if (error instanceof KonnectError) this.errors.push(error);
      throw error;
    }
  }
}
