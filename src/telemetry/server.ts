import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, Server as SecureServer } from 'node:https';
import type { Socket } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import type { Log } from '../runtime/log.ts';
import type { Authorizer, Decision } from './authorizer.ts';
import type { BindAddress } from './bind-address.ts';
import type { Certificate } from './self-signed.ts';

export interface Page {
  status: number;
  contentType: string;
  body: string;
}

/** Returns the page for one path. If it throws, the answer is a 500 and the error is logged. */
export type Route = (query: URLSearchParams) => Page | Promise<Page>;

export interface TelemetryServerOptions {
  address: BindAddress;
  /** The routes by path, such as `/healthz`. */
  routes: Readonly<Record<string, Route>>;
  log: Log;
  /** Decides which clients get an answer. All clients by default. */
  authorizer?: Authorizer;
  /** Turns TLS on. Returns the certificate, and is called again regularly. If the first call throws, the constructor throws. */
  certificate?: () => Certificate;
  /** How often `certificate` is called. Every minute by default. */
  certificateEveryMs?: number;
}

/** How long answers in progress may take after the server is stopped. */
const graceMs = 1_000;

/** With more connections, the oldest is closed. Clients that keep idle connections open cannot block others. */
const maxConnections = 64;

/** A small HTTP server for probes and metrics. It answers GET and HEAD of a few paths. All sizes and times are limited. */
export class TelemetryServer {
  readonly #address: BindAddress;
  readonly #routes: ReadonlyMap<string, Route>;
  readonly #log: Log;
  readonly #server: Server | SecureServer;
  readonly #authorizer: Authorizer | undefined;
  readonly #certificate: TelemetryServerOptions['certificate'];
  readonly #certificateEveryMs: number;
  #current: Certificate | undefined;
  readonly #listening = Promise.withResolvers<number>();

  constructor({ address, routes, log, authorizer, certificate, certificateEveryMs = 60_000 }: TelemetryServerOptions) {
    this.#address = address;
    this.#routes = new Map(Object.entries(routes));
    this.#log = log;
    this.#authorizer = authorizer;
    this.#certificate = certificate;
    this.#certificateEveryMs = certificateEveryMs;
    this.#current = certificate?.();
    const limits = { maxHeaderSize: 16 * 1024, headersTimeout: 5_000, requestTimeout: 10_000, keepAliveTimeout: 5_000 };
    const answer = (request: IncomingMessage, response: ServerResponse) => {
      void this.#answer(request, response);
    };
    this.#server =
      certificate === undefined
        ? createServer(limits, answer)
        : createSecureServer({ ...limits, ...this.#current, handshakeTimeout: 5_000, minVersion: 'TLSv1.2' }, answer);
    const open = new Set<Socket>();
    this.#server.on('connection', (socket: Socket) => {
      open.add(socket);
      socket.once('close', () => open.delete(socket));
      for (const oldest of open) {
        if (open.size <= maxConnections) break;
        open.delete(oldest);
        oldest.destroy();
      }
    });
    this.#listening.promise.catch(() => {});
  }

  /** Resolves to the port when the server listens. Rejects as `run` does if it cannot listen. */
  get port(): Promise<number> {
    return this.#listening.promise;
  }

  /** Serves until `signal` is aborted. Rejects with Node's error (`code` such as `EADDRINUSE`) if it cannot listen. */
  async run(signal: AbortSignal): Promise<void> {
    const { host, port } = this.#address;
    try {
      this.#server.listen({ port, ...(host === undefined ? {} : { host }) });
      await once(this.#server, 'listening');
    } catch (error) {
      this.#listening.reject(error);
      throw error;
    }
    const bound = this.#server.address();
    this.#listening.resolve(typeof bound === 'object' && bound !== null ? bound.port : port);
    const renewal = setInterval(() => this.#renew(), this.#certificateEveryMs);
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    clearInterval(renewal);
    const closed = once(this.#server, 'close');
    this.#server.close();
    const closing = setTimeout(() => this.#server.closeAllConnections(), graceMs);
    await closed;
    clearTimeout(closing);
  }

  /** Reads the certificate again. Open connections keep the old one. */
  #renew(): void {
    if (this.#certificate === undefined || !(this.#server instanceof SecureServer)) return;
    try {
      const certificate = this.#certificate();
      if (!isDeepStrictEqual(certificate, this.#current))
        this.#server.setSecureContext({ ...certificate, minVersion: 'TLSv1.2' });
      this.#current = certificate;
    } catch (err) {
      this.#log.warn({ err }, 'certificate cannot be read again, the current one stays in use');
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, contentType, body } = await this.#page(request);
    const allow = status === 405 ? { allow: 'GET, HEAD' } : status === 401 ? { 'www-authenticate': 'Bearer' } : {};
    // The body of the request is not read, so the connection cannot be used again.
    const hasBody =
      request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
    response.writeHead(status, {
      'content-type': contentType,
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...(hasBody ? { connection: 'close' } : {}),
      ...allow,
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  }

  async #page({ method, url = '/', headers }: IncomingMessage): Promise<Page> {
    const decision = (await this.#authorizer?.(headers.authorization)) ?? 'allowed';
    if (decision !== 'allowed') return refusals[decision];
    const [path = '', query] = url.split('?', 2);
    const route = this.#routes.get(path);
    if (route === undefined) return plain(404, 'not found');
    if (method !== 'GET' && method !== 'HEAD') return plain(405, 'method not allowed');
    try {
      return await route(new URLSearchParams(query));
    } catch (err) {
      this.#log.error({ err, path }, 'telemetry page failed');
      return plain(500, 'internal error');
    }
  }
}

const refusals: Readonly<Record<Exclude<Decision, 'allowed'>, Page>> = {
  unauthenticated: plain(401, 'unauthenticated'),
  forbidden: plain(403, 'forbidden'),
  unknown: plain(503, 'access cannot be reviewed now'),
};

export function plain(status: number, text: string): Page {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${text}\n` };
}
