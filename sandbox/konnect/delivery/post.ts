import { STATUS_CODES } from 'node:http';
import { rootCertificates } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { Agent, request } from 'undici';
import type { DeliveryTarget } from '../audit-event.ts';

/** The two spellings of gzip that Konnect sends. */
export type GzipSpelling = 'gzip' | 'application/gzip';

/** The result of a POST. Without a code, there was no answer. The message echoes the endpoint, as Konnect's does. */
export interface PostOutcome {
  readonly code?: number;
  readonly message: string;
}

/** Posts batches of lines. Every POST opens its own connection, so a changed certificate takes effect at once. */
export interface Poster {
  /** Follows no redirect. Rejects only if `signal` is aborted. Every other failure is an outcome. */
  post(lines: readonly string[], target: DeliveryTarget, signal: AbortSignal): Promise<PostOutcome>;
  close(): Promise<void>;
}

/** `authority`: an additional trusted CA certificate (PEM). */
export function createPoster(options: {
  readonly authority?: string;
  readonly contentEncoding: GzipSpelling;
  readonly timeoutMs: number;
}): Poster {
  const ca = options.authority === undefined ? [...rootCertificates] : [...rootCertificates, options.authority];
  const verifying = new Agent({ pipelining: 0, connect: { ca } });
  const trusting = new Agent({ pipelining: 0, connect: { rejectUnauthorized: false } });

  async function post(lines: readonly string[], target: DeliveryTarget, signal: AbortSignal): Promise<PostOutcome> {
    try {
      const { statusCode, body } = await request(target.endpoint, {
        method: 'POST',
        dispatcher: target.skipSSLVerification ? trusting : verifying,
        headers: {
          'content-type': 'text/plain',
          'content-encoding': options.contentEncoding,
          ...(target.authorization === '' ? {} : { authorization: target.authorization }),
        },
        body: gzipSync(lines.join('\n')),
        signal: AbortSignal.any([signal, AbortSignal.timeout(options.timeoutMs)]),
      });
      await body.dump();
      return { code: statusCode, message: `POST ${target.endpoint}: ${statusCode} ${STATUS_CODES[statusCode] ?? ''}` };
    } catch (error) {
      signal.throwIfAborted();
      const reason = error instanceof Error ? error.message : String(error);
      return { message: `POST ${target.endpoint}: ${reason}` };
    }
  }

  async function close(): Promise<void> {
    await Promise.all([verifying.destroy(), trusting.destroy()]);
  }

  return { post, close };
}
