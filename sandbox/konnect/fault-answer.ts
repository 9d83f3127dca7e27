import type { FaultBody, FaultKind } from './faults.ts';

/** An HTTP answer. `isTruncated`: half of the body is sent, then the connection ends. */
export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly isTruncated?: boolean;
}

const hugeBytes = 16 * 1024 * 1024;

/** Returns the answer of a `status` fault. Its texts echo the request's body, as error pages of servers do. */
export function statusAnswer(fault: FaultKind & { kind: 'status' }, sentBody: string, traceID: string): WireAnswer {
  const { type, body } = bodyOf(
    fault.body ?? (fault.status === 429 ? 'json' : 'problem'),
    fault.status,
    sentBody,
    traceID,
  );
  return {
    status: fault.status,
    headers: {
      ...(type === undefined ? {} : { 'content-type': type }),
      ...(fault.status === 429 ? { 'ratelimit-limit': '3000', 'ratelimit-remaining': '0' } : {}),
      ...(fault.retryAfter === undefined ? {} : { 'retry-after': String(fault.retryAfter) }),
    },
    body,
    isTruncated: fault.body === 'truncated',
  };
}

function bodyOf(kind: FaultBody, status: number, sentBody: string, traceID: string): { type?: string; body: string } {
  const problem = JSON.stringify({
    status,
    title: 'Sandbox fault',
    instance: `kong:trace:${traceID}`,
    detail: `Could not handle request [${sentBody}]`,
  });
  switch (kind) {
    case 'problem':
      return { type: 'application/problem+json', body: problem };
    case 'json':
      return { type: 'application/json', body: JSON.stringify({ message: `Sandbox fault ${status} [${sentBody}]` }) };
    case 'html':
      return { type: 'text/html', body: `<html><body><h1>${status}</h1><pre>${sentBody}</pre></body></html>` };
    case 'truncated':
      return { type: 'application/json', body: problem };
    case 'huge':
      return { type: 'application/json', body: JSON.stringify({ data: 'x'.repeat(hugeBytes) }) };
    case 'empty':
      return { body: '' };
    default:
      throw new TypeError(`unknown body: ${String(kind satisfies never)}`);
  }
}

/** Returns the same JSON with a wrong type for every leaf and every array. */
export function withWrongTypes(value: unknown): unknown {
  if (Array.isArray(value)) return { items: value.map(withWrongTypes) };
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withWrongTypes(inner)]));
  }
  if (typeof value === 'string') return value.length;
  return JSON.stringify(value ?? null);
}
