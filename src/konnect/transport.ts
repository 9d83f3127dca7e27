import type { KonnectOperation } from './errors.ts';

export interface KonnectRequest {
  operation: KonnectOperation;
  /** Whose host it goes to; a word for metrics, the URL is complete without it. */
  region: string;
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  url: URL;
  token: string;
  /** Sent as JSON. */
  body?: object;
  signal: AbortSignal;
}

export interface KonnectAnswer {
  /** 200 to 299. */
  status: number;
  /** The parsed JSON; undefined where the answer had no body. */
  body: unknown;
}

/** The way out to Konnect. Every answer but a 2xx is thrown as a KonnectError; nothing else is thrown but a FencedError, by a write. */
export interface KonnectTransport {
  send(request: KonnectRequest): Promise<KonnectAnswer>;
}
