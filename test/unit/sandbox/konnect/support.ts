import type { AuditEvent, Delivery, DeliveryAttempt, DeliveryTarget } from '../../../../sandbox/konnect/audit-event.ts';
import type { KonnectSeed } from '../../../../sandbox/konnect/seed.ts';
import { type KonnectOptions, type KonnectServer, startKonnect } from '../../../../sandbox/konnect/server.ts';

export const organizationID = '998db3e4-5cb7-4dd5-b51c-9878096a6999';
export const otherOrganizationID = '777db3e4-5cb7-4dd5-b51c-9878096a6999';
export const portalID = '3e551b39-227d-4297-b911-e68fd5d77c17';
export const euPortalID = '4e551b39-227d-4297-b911-e68fd5d77c17';
export const otherPortalID = '5e551b39-227d-4297-b911-e68fd5d77c17';
export const unknownID = 'ffffffff-227d-4297-b911-e68fd5d77c17';

export const full = 'kpat_full0001';
export const readOnly = 'spat_read0002';
export const withoutOrganization = 'spat_none0003';
export const other = 'kpat_other004';

export const seed: KonnectSeed = {
  regions: ['us', 'eu'],
  organizations: [
    {
      id: organizationID,
      name: 'Blue',
      tokens: [
        { value: full, access: 'full' },
        { value: readOnly, access: 'read-only' },
        { value: withoutOrganization, access: 'no-organization' },
      ],
      portals: [
        { id: portalID, name: 'Shop', region: 'us', developers: [{ email: 'dev@example.com', password: 'secret' }] },
        { id: euPortalID, name: 'Laden', region: 'eu' },
      ],
      controlPlanes: [{ id: '6e551b39-227d-4297-b911-e68fd5d77c17', name: 'default' }],
    },
    {
      id: otherOrganizationID,
      name: 'Green',
      tokens: [{ value: other, access: 'full' }],
      portals: [{ id: otherPortalID, name: 'Forest', region: 'us' }],
    },
  ],
};

export const destination = {
  name: 'siem',
  endpoint: 'https://collector.example.com/receiver/v1/http/c0de',
  log_format: 'cef',
  authorization: 'Bearer siem-token',
};

export interface Reply {
  readonly status: number;
  readonly type: string | null;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed JSON, or an empty object. */
  readonly body: Json;
}

export type Json = Readonly<Record<string, unknown>>;

export interface CallOptions {
  /** Null: no token. */
  readonly token?: string | null;
  readonly body?: unknown;
  /** Sent as it is, instead of `body`. */
  readonly raw?: string;
  readonly headers?: Record<string, string>;
}

export type Call = (method: string, path: string, options?: CallOptions) => Promise<Reply>;

/** Returns a function that calls `url` + path. Default: with the full token. */
export function caller(url: string): Call {
  return async (method, path, { token = full, body, raw, headers } = {}) => {
    const response = await fetch(`${url}${path}`, {
      method,
      redirect: 'manual',
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined && raw === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined && raw === undefined ? {} : { body: raw ?? JSON.stringify(body) }),
    });
    const text = await response.text();
    const type = response.headers.get('content-type');
    return { status: response.status, type, headers: response.headers, text, body: parsed(text) };
  };
}

/** Returns the field at this path of an answer, as text. */
export function textAt(body: unknown, ...path: (string | number)[]): string {
  return String(path.reduce((value, key) => Object(value)[key], body));
}

/** Returns the items of a page. */
export function itemsOf({ data }: Json): readonly Json[] {
  if (!Array.isArray(data)) throw new TypeError('the answer is no page');
  return data;
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

export interface Bench extends AsyncDisposable {
  readonly server: KonnectServer;
  readonly call: Call;
  /** Creates a destination. Resolves with its ID. */
  createDestination(changes?: Record<string, unknown>): Promise<string>;
}

/** Starts a sandbox with the seed above. `await using` stops it at the end of the test. */
export async function bench(options: Partial<KonnectOptions> = {}): Promise<Bench> {
  const server = await startKonnect({ seed, ...options });
  const call = caller(server.url);
  return {
    server,
    call,
    async createDestination(changes = {}) {
      const { body } = await call('POST', '/global/v3/audit-log-destinations', {
        body: { ...destination, ...changes },
      });
      return String(body['id']);
    },
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

export interface FakeClock {
  (): Date;
  advance(ms: number): void;
}

/** Returns a clock that changes only when a test advances it. */
export function fakeClock(start = '2026-03-01T12:00:00.000Z'): FakeClock {
  let now = Date.parse(start);
  return Object.assign(() => new Date(now), {
    advance(ms: number) {
      now += ms;
    },
  });
}

export interface Sent {
  readonly event: AuditEvent;
  readonly target: DeliveryTarget;
  readonly onAttempt: (attempt: DeliveryAttempt) => void;
}

/** Returns a delivery that records the lines. The test decides the result of each line. */
export function recordingDelivery(): Delivery & { readonly sent: Sent[]; stopped: boolean } {
  const sent: Sent[] = [];
  return {
    sent,
    stopped: false,
    send(event, target, onAttempt) {
      sent.push({ event, target, onAttempt });
    },
    jwks: () => ({ keys: [{ kty: 'OKP', alg: 'EdDSA', crv: 'Ed25519', kid: 'k1', x: 'abc' }] }),
    async stop() {
      this.stopped = true;
    },
  };
}
