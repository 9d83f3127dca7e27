import { type Authority, createAuthority } from '../../../sandbox/certificates.ts';
import type { AuditEvent, Delivery } from '../../../sandbox/konnect/audit-event.ts';
import { formatLine, signLine } from '../../../sandbox/konnect/delivery/audit-line.ts';
import { createKeyRing } from '../../../sandbox/konnect/delivery/key-ring.ts';
import { type KonnectServer, startKonnect } from '../../../sandbox/konnect/server.ts';
import { type SumoLogicServer, startSumoLogic } from '../../../sandbox/sumologic/server.ts';
import { apiVersion, type Condition, kind, type Spec, type Status } from '../../../src/api/v1alpha1.ts';
import { HTTPConnections } from '../../../src/http/http-connections.ts';
import { KonnectHTTP } from '../../../src/konnect/http.ts';
import { LedgerClient } from '../../../src/konnect/ledger-client.ts';
import type { Clock } from '../../../src/runtime/clock.ts';
import type { ReconcileResult } from '../../../src/runtime/reconcile-result.ts';
import { SearchClient } from '../../../src/sumologic/search-client.ts';
import { Verifier, type VerifierOptions } from '../../../src/verification/verifier.ts';
import { key, type SpecChoice, specOf } from '../../support/forwarding-spec.ts';
import { blue, konnectSeed, shop, tokens } from '../../support/konnect-fixtures.ts';
import { FakeCluster } from '../forwarding/support/fake-cluster.ts';

const minuteMs = 60_000;
const startMs = Date.parse('2026-01-02T03:00:00Z');
export const accessKey = { id: 'suCANARYaccess', key: 'CANARYaccessKey' };
const sourceCode = 'CANARYsource';

let authority: Authority | undefined;

/** A forwarding whose webhooks are in place, a Konnect, a SumoLogic, one clock that only waiting moves, and a verifier. */
export class Bench implements AsyncDisposable {
  readonly cluster = new FakeCluster();
  readonly konnect: KonnectServer;
  readonly sumologic: SumoLogicServer;
  readonly clock: { ms: number };
  readonly #ring = createKeyRing(1);
  readonly #konnectHTTP = new KonnectHTTP({ userAgent: 'konnect-audit-log-operator/test' });
  readonly #connections = new HTTPConnections({
    userAgent: 'test',
    timeoutMs: 5_000,
    maxAnswerBytes: 16 * 1024 * 1024,
    maxSockets: 4,
  });
  /** Called around every call of the verifier to SumoLogic, with its name. */
  around: <T>(name: string, call: () => Promise<T>) => Promise<T> = (_name, call) => call();
  /** The keys of the forwardings for which missing lines have made a gap. */
  readonly gaps: string[] = [];
  #verifier: Verifier;

  static async open(choice: SpecChoice = { organization: { enabled: true } }): Promise<Bench> {
    authority ??= await createAuthority('test');
    const clock = { ms: startMs };
    const sumologic = await startSumoLogic({
      authority,
      sources: [{ code: sourceCode, name: 'Konnect' }],
      accessKeys: [accessKey],
      clock: () => new Date(clock.ms),
      gatheringMs: 1_000,
    });
    const deliver: Delivery = {
      send: () => {},
      jwks: () => ({ keys: [] }),
      stop: async () => {},
    };
    const konnect = await startKonnect({ seed: konnectSeed, clock: () => new Date(clock.ms), deliver });
    return new Bench({ konnect, sumologic, clock, deliver }, choice);
  }

  private constructor(
    parts: Pick<Bench, 'konnect' | 'sumologic' | 'clock'> & { deliver: Delivery },
    choice: SpecChoice,
  ) {
    this.konnect = parts.konnect;
    this.sumologic = parts.sumologic;
    this.clock = parts.clock;
    Object.assign(parts.deliver, { jwks: () => this.#ring.jwks() });
    this.cluster.putSecret('konnect', { token: tokens.blue });
    this.cluster.putSecret('sumologic-access', { accessId: accessKey.id, accessKey: accessKey.key });
    const spec: Spec = {
      ...specOf(choice),
      verification: {
        sumoLogic: {
          secretRef: { name: 'sumologic-access', accessIDKey: 'accessId', accessKeyKey: 'accessKey' },
          deployment: 'us1',
          query: '_source=Konnect',
        },
        interval: '15m',
        window: '1h',
      },
    };
    const metadata = { namespace: 'platform', name: 'sumologic', uid: 'uid', resourceVersion: '1', generation: 1 };
    this.cluster.create({ apiVersion, kind, metadata, spec, status: this.#reconciled(choice) });
    this.cluster.isHandMade = ({ type }) => type === 'Ready';
    this.#verifier = this.#newProcess();
  }

  /** The status after a reconciliation, and after a verification five minutes ago. */
  #reconciled({ organization, portals = [] }: SpecChoice): Status {
    const ready: Condition = {
      type: 'Ready',
      status: 'True',
      reason: 'InSync',
      message: 'made by hand',
      lastTransitionTime: '2026-01-02T00:00:00Z',
    };
    return {
      observedGeneration: 1,
      conditions: [ready],
      konnect: { organizationID: blue, region: 'us' },
      delivery: [
        ...(organization === undefined ? [] : [{ key: 'organization', state: 'Delivered' as const }]),
        ...portals.map(({ id }) => ({ key: id, state: 'Delivered' as const })),
      ],
      verification: {
        since: '2026-01-01T00:00:00Z',
        window: { from: '2026-01-02T01:45:00.000Z', to: '2026-01-02T02:45:00.000Z' },
      },
    };
  }

  /** Replaces the process, which may have crashed. */
  restart(): void {
    this.#verifier = this.#newProcess();
  }

  #newProcess(): Verifier {
    const clock: Clock = {
      now: () => this.clock.ms,
      schedule: (callback, delayMs) => {
        this.clock.ms += delayMs;
        const timer = setImmediate(callback);
        return () => clearImmediate(timer);
      },
    };
    const search = new SearchClient({
      connections: {
        send: (request) => this.around(`sumologic ${request.method}`, () => this.#connections.send(request)),
      },
      urlTemplate: this.sumologic.plainURL,
      clock,
      nowMs: () => this.clock.ms,
    });
    return new Verifier({
      ...this.surroundings,
      search,
      delayMs: 10 * minuteMs,
      now: () => new Date(this.clock.ms),
      random: () => 0,
    });
  }

  /** What a verifier is connected to, beside SumoLogic. */
  get surroundings(): Omit<VerifierOptions, 'search' | 'delayMs' | 'now' | 'random'> {
    return {
      cluster: this.cluster,
      find: (of) => this.cluster.objects.get(of),
      ledgerFor: (token) => new LedgerClient({ http: this.#konnectHTTP, urlTemplate: this.konnect.urlTemplate, token }),
      onGap: (of) => this.gaps.push(of),
      exclusively: (_key, action) => action(),
    };
  }

  verify(signal: AbortSignal = new AbortController().signal): Promise<ReconcileResult> {
    return this.#verifier.verify(key, signal);
  }

  pass(minutes: number): void {
    this.clock.ms += minutes * minuteMs;
  }

  /** Another client makes calls that Konnect audits. Returns the lines that Konnect sends of them. */
  async audit(count = 1): Promise<string[]> {
    const before = this.#recorded().length;
    for (let made = 0; made < count; made += 1) {
      const headers = { authorization: `Bearer ${tokens.blueAgain}` };
      await (await fetch(`${this.konnect.url}/us/v2/control-planes`, { headers })).text();
    }
    return this.#recorded()
      .slice(before)
      .map((event) => this.line(event));
  }

  /** Returns the lines of everything that Konnect has audited so far. */
  lines(): string[] {
    return this.#recorded().map((event) => this.line(event));
  }

  /** Returns a line as Konnect signs it. */
  line(event: AuditEvent): string {
    return signLine(formatLine(event, 'cef'), 'cef', this.#ring.signingKey());
  }

  /** Returns the line of a login to a portal. */
  login(portal = shop): string {
    return this.line({
      at: new Date(this.clock.ms),
      product: 'Dev-Portal',
      eventClassID: 'AUTHENTICATION_TYPE_BASIC',
      name: 'AUTHENTICATION_OUTCOME_SUCCESS',
      severity: 0,
      extension: { rt: String(this.clock.ms), org_id: blue, portal_id: portal, trace_id: '3360194145499877252' },
    });
  }

  #recorded(): AuditEvent[] {
    const events = this.konnect.model.organizations.get(blue)?.events ?? [];
    return events.filter(({ region }) => region === 'us').map(({ event }) => event);
  }

  /** SumoLogic receives lines, two seconds later. */
  async receive(lines: readonly string[]): Promise<void> {
    this.clock.ms += 2_000;
    const url = `${this.sumologic.plainURL}/receiver/v1/http/${sourceCode}`;
    await fetch(url, { method: 'POST', body: lines.join('\n') });
  }

  /** SumoLogic has the lines of these many calls, and they are old enough to count. */
  async settle(count = 3): Promise<string[]> {
    const lines = await this.audit(count);
    await this.receive(lines);
    this.pass(15);
    return lines;
  }

  get status(): Status {
    return this.cluster.objects.get(key)?.status ?? {};
  }

  get verified(): string {
    const found = this.status.conditions?.find(({ type }) => type === 'Verified');
    return found === undefined ? 'absent' : `${found.status} ${found.reason}`;
  }

  get message(): string {
    return this.status.conditions?.find(({ type }) => type === 'Verified')?.message ?? '';
  }

  get events(): string[] {
    return this.cluster.announcements.map(({ type, reason }) => `${type} ${reason}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#konnectHTTP.close();
    this.#connections.close();
    await Promise.all([this.konnect.stop(), this.sumologic.stop()]);
  }
}
