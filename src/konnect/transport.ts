import type { KonnectOperation } from './errors.ts';
import type { RateLimit } from './rate-limit.ts';

export interface KonnectRequest {
  operation: KonnectOperation;
  /** The region of the host, for metrics. The URL contains the host already. */
  region: string;
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  url: URL;
  /** Undefined for what Konnect answers to anybody. */
  token: string | undefined;
  /** Sent as JSON. */
  body?: object;
  signal: AbortSignal;
  /** Called with the limit that the answer states, whatever its status is. */
  onRateLimit?: (limit: RateLimit) => void;
}

export interface KonnectAnswer {
  /** 200 to 299. */
  status: number;
  /** The parsed JSON. Undefined if the answer had no body. */
  body: unknown;
}

/** Sends requests to Konnect. Rejects only with a KonnectError, for every answer but 2xx, and for a write also with a FencedError. */
export interface KonnectTransport {
  send(request: KonnectRequest): Promise<KonnectAnswer>;
}
