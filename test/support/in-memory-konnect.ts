/** Connects the operator to a local Konnect in the same process: what an HTTP client and a server do, without sockets. */
import { setImmediate } from 'node:timers/promises';
import { addressOf } from '../../sandbox/konnect/address.ts';
import type { LocalKonnect } from '../../sandbox/konnect/local-konnect.ts';
import type { KonnectModel } from '../../sandbox/konnect/model.ts';
import { type KonnectRequest as ArrivedRequest, answer } from '../../sandbox/konnect/routes.ts';
import { retryAfterMs } from '../../src/http/retry-after.ts';
import { answerError } from '../../src/konnect/answer-error.ts';
import { KonnectError } from '../../src/konnect/errors.ts';
import type { KonnectAnswer, KonnectRequest, KonnectTransport } from '../../src/konnect/transport.ts';

/** A URL template. The host does not matter. */
export const urlTemplate = 'http://127.0.0.1/{region}';

/** An answer of Konnect before its evaluation. `unreadable` if it is not a JSON object. */
export interface RawAnswer {
  status: number;
  body: object | 'unreadable' | undefined;
  retryAfter?: string | undefined;
}

/** Executes a request with the operations of the local Konnect. */
export function carryOut(model: KonnectModel, request: KonnectRequest): RawAnswer {
  const { status, body } = answer(model, arrived(model, request));
  return { status, body: status === 204 ? undefined : parsed(JSON.stringify(body)) };
}

/** Returns an answer of Konnect as the operator gets it. Throws for every answer but 2xx, and for an unreadable one. */
export function outcomeOf(
  { operation, method }: KonnectRequest,
  { status, body, retryAfter }: RawAnswer,
): KonnectAnswer {
  const isWrite = method !== 'GET';
  if (status < 200 || status > 299) {
    const waitMs = retryAfterMs(retryAfter, Date.now());
    throw answerError({ operation, status, body, isWrite, retryAfterMs: waitMs });
  }
  if (body === 'unreadable') {
    throw new KonnectError({ kind: 'UnexpectedAnswer', operation, status, mayHaveHappened: isWrite });
  }
  return { status, body };
}

/** Returns a transport to a local Konnect, which applies its faults. */
export function inMemoryTransport(konnect: LocalKonnect): KonnectTransport {
  return {
    async send(request) {
      const lost = (code: string) =>
        new KonnectError({
          kind: 'Unreachable',
          operation: request.operation,
          code,
          mayHaveHappened: request.method !== 'GET',
        });
      // Requests that are under way at the same time take turns, as over a network.
      await setImmediate();
      if (request.signal.aborted) throw lost('ABORT_ERR');
      const exchange = konnect.exchange(arrived(konnect.model, request), request.signal);
      const wire = await exchange.catch((error: unknown) => {
        throw request.signal.aborted ? lost('ABORT_ERR') : error;
      });
      if (wire === undefined) throw lost('ECONNRESET');
      const { status, headers, body, isTruncated } = wire;
      return outcomeOf(request, {
        status,
        body: isTruncated === true ? 'unreadable' : parsed(body),
        retryAfter: headers['retry-after'],
      });
    },
  };
}

function arrived({ regions }: KonnectModel, { method, url, token, body }: KonnectRequest): ArrivedRequest {
  return {
    ...addressOf({ host: url.host, url: `${url.pathname}${url.search}` }, regions),
    method,
    authorization: `Bearer ${token}`,
    ...(body === undefined ? {} : { contentType: 'application/json' }),
    body: body === undefined ? '' : JSON.stringify(body),
    source: '127.0.0.1',
    userAgent: 'in-memory',
  };
}

function parsed(text: string | undefined): RawAnswer['body'] {
  if (text === undefined || text === '') return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : 'unreadable';
  } catch {
    return 'unreadable';
  }
}
