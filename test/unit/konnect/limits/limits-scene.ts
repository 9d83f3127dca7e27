/** Request limits over a fake transport, for tests. */
import { KonnectError, type KonnectErrorFields } from '../../../../src/konnect/errors.ts';
import { RequestLimits, type RequestLimitsOptions } from '../../../../src/konnect/limits/request-limits.ts';
import type { RateLimit } from '../../../../src/konnect/rate-limit.ts';
import type { KonnectAnswer, KonnectRequest, KonnectTransport } from '../../../../src/konnect/transport.ts';
import type { Priority } from '../../../../src/runtime/priority.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { rejection } from '../scripted-konnect.ts';

export const settled = () => new Promise((resolve) => setImmediate(resolve));
export const answer: KonnectAnswer = { status: 200, body: {} };

export interface Asked {
  path?: string;
  region?: string;
  /** An organization, or a token of an unknown organization. */
  of?: string;
  priority?: Priority;
  signal?: AbortSignal;
  operation?: KonnectRequest['operation'];
  method?: KonnectRequest['method'];
}

/** Creates limits over a fake transport. A test sees which requests were sent, and decides on the answers. */
export function setUp(options: Partial<RequestLimitsOptions> = {}) {
  const clock = new ManualClock();
  const news: string[] = [];
  const waited: [string, number][] = [];
  const withheld: string[] = [];
  const limits = new RequestLimits({
    qps: 10,
    burst: 100,
    maxInFlight: 8,
    clock,
    random: () => 0,
    onChange: (organizationID, region, { state, cause, forMs }) =>
      news.push([organizationID ?? 'unknown', region, state, cause ?? '-', forMs].join(' ')),
    onWaited: (rank, ms) => waited.push([rank, ms]),
    onWithheld: (state) => withheld.push(state),
    ...options,
  });
  const sent: {
    path: string;
    end: (fields?: Omit<KonnectErrorFields, 'operation'>) => void;
    /** Konnect states this limit. */
    state: (limit: RateLimit) => void;
  }[] = [];
  const http: KonnectTransport = {
    send: ({ operation, url, signal, onRateLimit }) =>
      new Promise((resolve, reject) => {
        const cut = () => reject(new KonnectError({ kind: 'Unreachable', operation, code: 'ABORT_ERR' }));
        signal.addEventListener('abort', cut, { once: true });
        sent.push({
          path: url.pathname.slice(1),
          state: (limit) => onRateLimit?.(limit),
          end: (fields) =>
            fields === undefined ? resolve(answer) : reject(new KonnectError({ ...fields, operation })),
        });
      }),
  };
  const ask = (asked: Asked = {}): Promise<KonnectAnswer> => {
    const { path = 'any', region = 'us', of = 'blue', priority = 'new', method = 'GET' } = asked;
    const request: KonnectRequest = {
      operation: asked.operation ?? 'get portal webhook',
      region,
      method,
      url: new URL(path, 'http://konnect.example.com'),
      token: 'kpat',
      signal: asked.signal ?? new AbortController().signal,
    };
    const organizationID = of.startsWith('token') ? undefined : of;
    const asks = limits.send(http, request, { account: { organizationID, tokenDigest: of }, priority });
    // A test may wait for it later.
    asks.catch(() => undefined);
    return asks;
  };
  /** Answers the request that was sent last. */
  const endLast = async (fields?: Omit<KonnectErrorFields, 'operation'>) => {
    await settled();
    sent.at(-1)?.end(fields);
    await settled();
  };
  const fail = async (asked: Asked, fields: Omit<KonnectErrorFields, 'operation'>) => {
    const asks = rejection(ask(asked));
    await endLast(fields);
    return asks;
  };
  const paths = async () => {
    await settled();
    return sent.map(({ path }) => path);
  };
  return { clock, limits, news, waited, withheld, sent, ask, endLast, fail, paths };
}

export const limited = { kind: 'RateLimited', status: 429 } as const;
export const broken = { kind: 'ServerError', status: 503 } as const;

export async function breakCircuit(
  scene: ReturnType<typeof setUp>,
  fields: Omit<KonnectErrorFields, 'operation'> = broken,
) {
  for (let count = 0; count < 5; count += 1) await scene.fail({ path: `portal-${String(count)}` }, fields);
}
