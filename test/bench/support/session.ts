/** One operator with its forwardings in a namespace of its own, and with a local Konnect of its own. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { currentDestinations } from '../../../sandbox/konnect/model/destinations.ts';
import { type KonnectServer, startKonnect } from '../../../sandbox/konnect/server.ts';
import { apiVersion, kind as forwardingKind } from '../../../src/api/v1alpha1.ts';
import { forwardingsPath } from '../../../src/resources/forwarding-resource.ts';
import { secretsPath } from '../../../src/resources/secret-resource.ts';
import type { Bench } from '../row.ts';
import { CallCounter } from './call-counter.ts';
import { ForwardingWatch } from './forwarding-watch.ts';
import { type Lab, labOf } from './lab.ts';
import { type OperatorKind, type RunningOperator, startOperator } from './operators.ts';

export interface SessionOptions {
  /** The number of forwardings that {@link Session.create} can create. Each has 3 portals. */
  readonly capacity: number;
  /** `spec.interval`. Default: 10m. */
  readonly interval?: string;
  /** How long each answer of Konnect takes. Default: 50 ms. */
  readonly latencyMs?: number;
  /** Whether Konnect allows 3,000 requests a minute. Default: no limit. */
  readonly hasQuota?: boolean;
}

export const portalsPerForwarding = 3;
export const defaultLatencyMs = 50;
const organizationID = '00000000-0000-4000-8000-000000000001';
const token = 'kpat_benchTokenThatOpensNothingElse';
const endpoint = 'https://siem.example.com/receiver/v1/http/ZaVnC4dhaV1benchCodeThatOpensNothingElse';
const parallel = 16;

export class Session implements AsyncDisposable {
  readonly konnect: KonnectServer;
  readonly calls: CallCounter;
  readonly watch: ForwardingWatch;
  readonly namespace: string;
  readonly lab: Lab;
  readonly #kind: OperatorKind;
  readonly #options: SessionOptions;
  #operator: RunningOperator | undefined;

  /** Prepares everything but the operator. */
  static async open(bench: Bench, kind: OperatorKind, options: SessionOptions): Promise<Session> {
    const lab = await labOf(bench);
    await lab.use(kind);
    const namespace = `bench-${randomUUID().slice(0, 8)}`;
    await lab.api.send('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
    await lab.api.send('POST', secretsPath(namespace), { metadata: { name: 'konnect' }, stringData: { token } });
    const stringData = { endpoint, authorization: 'Bearer first' };
    await lab.api.send('POST', secretsPath(namespace), { metadata: { name: 'siem' }, stringData });
    const konnect = await startKonnect({
      seed: {
        regions: ['us'],
        organizations: [
          {
            id: organizationID,
            name: 'Bench',
            tokens: [{ value: token, access: 'full' }],
            portals: Array.from({ length: options.capacity * portalsPerForwarding }, (_, index) => ({
              id: portalID(index),
              name: `Portal ${String(index)}`,
              region: 'us',
            })),
          },
        ],
      },
    });
    const { latencyMs = defaultLatencyMs, hasQuota = false } = options;
    if (latencyMs > 0) konnect.control.fail({ kind: 'latency', ms: latencyMs });
    if (hasQuota) konnect.control.fail({ kind: 'rate-limit', requests: 3_000, windowMs: 60_000 });
    return new Session({
      lab,
      kind,
      options,
      namespace,
      konnect,
      watch: await ForwardingWatch.open(lab.kube, namespace),
    });
  }

  private constructor(parts: {
    lab: Lab;
    kind: OperatorKind;
    options: SessionOptions;
    namespace: string;
    konnect: KonnectServer;
    watch: ForwardingWatch;
  }) {
    this.lab = parts.lab;
    this.#kind = parts.kind;
    this.#options = parts.options;
    this.namespace = parts.namespace;
    this.konnect = parts.konnect;
    this.watch = parts.watch;
    this.calls = new CallCounter(parts.konnect.control);
  }

  /** The running operator. */
  get operator(): RunningOperator {
    if (this.#operator === undefined) throw new TypeError('the operator does not run');
    return this.#operator;
  }

  async start(): Promise<RunningOperator> {
    const { hasQuota = false } = this.#options;
    const { kubeconfig } = this.lab;
    this.#operator = await startOperator(this.#kind, { kubeconfig, konnectURL: this.konnect.urlTemplate, hasQuota });
    return this.#operator;
  }

  async stop(): Promise<void> {
    await this.#operator?.stop();
    this.#operator = undefined;
  }

  /** Starts the operator with this number of forwardings. Resolves when all are Ready and the operator is at rest. */
  async startWith(count: number): Promise<void> {
    await this.start();
    await this.create(0, count);
    await this.watch.until(() => this.watch.ready === count);
    await this.untilQuiet(count);
  }

  /** Creates one forwarding. Resolves with how many seconds it takes until it is Ready. */
  async secondsToReady(index: number): Promise<number> {
    const startedMs = performance.now();
    await this.create(index, index + 1);
    const readyMs = await this.watch.until(() => this.watch.isReady(nameOf(index)));
    return (readyMs - startedMs) / 1_000;
  }

  /** Creates forwardings by their numbers, `parallel` at a time. */
  async create(from: number, to: number): Promise<void> {
    await this.#each(from, to, (index) =>
      this.lab.api.send('POST', forwardingsPath(this.namespace), {
        apiVersion,
        kind: forwardingKind,
        metadata: { name: nameOf(index) },
        spec: {
          konnect: { region: 'us', tokenSecretRef: { name: 'konnect' } },
          destination: { secretRef: { name: 'siem' } },
          portals: Array.from({ length: portalsPerForwarding }, (_, portal) => ({
            id: portalID(index * portalsPerForwarding + portal),
            enabled: true,
          })),
          interval: this.#options.interval ?? '10m',
        },
      }),
    );
  }

  /** Sends a merge patch to a forwarding. Resolves with its generation. */
  async patch(index: number, body: object): Promise<number> {
    const path = `${forwardingsPath(this.namespace)}/${nameOf(index)}`;
    const changed = await this.lab.api.send<{ metadata: { generation: number } }>('PATCH', path, body);
    return changed?.metadata.generation ?? 0;
  }

  /** Deletes forwardings by their numbers. Does not wait for the operator. */
  async delete(from: number, to: number): Promise<void> {
    await this.#each(from, to, (index) =>
      this.lab.api.send('DELETE', `${forwardingsPath(this.namespace)}/${nameOf(index)}`),
    );
  }

  async rotate(authorization: string): Promise<void> {
    await this.lab.api.send('PATCH', `${secretsPath(this.namespace)}/siem`, { stringData: { authorization } });
  }

  /** Resolves when every destination in Konnect has this authorization. */
  async untilRotated(authorization: string): Promise<void> {
    const organization = this.konnect.model.organizations.get(organizationID);
    if (organization === undefined) throw new TypeError('there is no organization');
    for (const deadlineMs = performance.now() + 1_200_000; performance.now() < deadlineMs; await delay(20))
      if (currentDestinations(organization).every((one) => one.authorization === authorization)) return;
    throw new Error('not every destination has the new authorization');
  }

  /** Resolves when Konnect has got at least `calls` calls, and then for two seconds no call, while no forwarding changed. */
  async untilQuiet(calls: number, quietMs = 2_000): Promise<void> {
    for (const deadlineMs = performance.now() + 1_200_000; performance.now() < deadlineMs; await delay(100)) {
      const isQuiet =
        Date.now() - this.calls.lastCallAt >= quietMs && performance.now() - this.watch.lastEventMs >= quietMs;
      if (this.calls.counts.all >= calls && isQuiet) return;
    }
    throw new Error(`no rest after ${String(this.calls.counts.all)} calls, of which ${String(calls)} were expected`);
  }

  /** Stops everything, and removes the forwardings that are left. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    const left = await this.lab.kube.list<{ metadata: { name: string } }>(forwardingsPath(this.namespace));
    for (const { metadata } of left.items) {
      const path = `${forwardingsPath(this.namespace)}/${metadata.name}`;
      await this.lab.api.send('PATCH', path, { metadata: { finalizers: [] } });
      await this.lab.api.send('DELETE', path);
    }
    for (const name of ['konnect', 'siem']) await this.lab.api.send('DELETE', `${secretsPath(this.namespace)}/${name}`);
    this.watch.stop();
    this.calls.stop();
    await this.konnect.stop();
  }

  async #each(from: number, to: number, send: (index: number) => Promise<unknown>): Promise<void> {
    let next = from;
    const work = async () => {
      while (next < to) {
        const index = next;
        next += 1;
        await send(index);
      }
    };
    await Promise.all(Array.from({ length: parallel }, work));
  }
}

export function nameOf(index: number): string {
  return `forwarding-${String(index)}`;
}

function portalID(index: number): string {
  return `10000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
}
