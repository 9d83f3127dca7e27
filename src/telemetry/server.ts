import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, Server as SecureServer } from 'node:https';
import type { Socket } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import type { Log } from '../runtime/log.ts';
import type { Guard, Verdict } from './authorizer.ts';
import type { BindAddress } from './bind-address.ts';
import type { Certificate } from './self-signed.ts';

export interface Page {
  status: number;
  contentType: string;
  body: string;
}

/** Answers one path. Must not throw; if it does, the answer is a 500 and the error is logged. */
export type Route = (query: URLSearchParams) => Page | Promise<Page>;

export interface TelemetryServerOptions {
  address: BindAddress;
  /** By path, such as `/healthz`. */
  routes: Readonly<Record<string, Route>>;
  log: Log;
  /** Whom to answer; everybody unless given. */
  guard?: Guard;
  /** Speaks TLS with this certificate, which is asked for again every now and then. May throw; at first, so does the constructor. */
  certificate?: () => Certificate;
  /** How often; a minute. */
  certificateEveryMs?: number;
}

/** How long an answer under way may take after the end was called for. */
const graceMs = 1_000;

/** More, and the oldest is closed: those who hold connections open without asking anything keep nobody out. */
const mostConnections = 64;

/** A small HTTP server for probes and scrapers: GET and HEAD of a few paths, everything bounded. */
export class TelemetryServer {
  readonly #address: BindAddress;
  readonly #routes: ReadonlyMap<string, Route>;
  readonly #log: Log;
  readonly #server: Server | SecureServer;
  readonly #guard: Guard | undefined;
  readonly #certificate: TelemetryServerOptions['certificate'];
  readonly #certificateEveryMs: number;
  #used: Certificate | undefined;
  readonly #listening = Promise.withResolvers<number>();

  constructor({ address, routes, log, guard, certificate, certificateEveryMs = 60_000 }: TelemetryServerOptions) {
    this.#address = address;
    this.#routes = new Map(Object.entries(routes));
    this.#log = log;
    this.#guard = guard;
    this.#certificate = certificate;
    this.#certificateEveryMs = certificateEveryMs;
    this.#used = certificate?.();
    const limits = { maxHeaderSize: 16 * 1024, headersTimeout: 5_000, requestTimeout: 10_000, keepAliveTimeout: 5_000 };
    const answer = (request: IncomingMessage, response: ServerResponse) => {
      void this.#answer(request, response);
    };
    this.#server =
      certificate === undefined
        ? createServer(limits, answer)
        : createSecureServer({ ...limits, ...this.#used, handshakeTimeout: 5_000, minVersion: 'TLSv1.2' }, answer);
    const open = new Set<Socket>();
    this.#server.on('connection', (socket: Socket) => {
      open.add(socket);
      socket.once('close', () => open.delete(socket));
      for (const oldest of open) {
        if (open.size <= mostConnections) break;
        open.delete(oldest);
        oldest.destroy();
      }
    });
    this.#listening.promise.catch(() => {});
  }

  /** The port it listens on, once it does; rejects as `run` does if it cannot. */
  get port(): Promise<number> {
    return this.#listening.promise;
  }

  /** Serves until `signal` aborts. Rejects with Node's error (`code` such as `EADDRINUSE`) if it cannot listen. */
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
    const cutOff = setTimeout(() => this.#server.closeAllConnections(), graceMs);
    await closed;
    clearTimeout(cutOff);
  }

  /** Those who are connected stay so with the old certificate. */
  #renew(): void {
    if (this.#certificate === undefined || !(this.#server instanceof SecureServer)) return;
    try {
      const certificate = this.#certificate();
      if (!isDeepStrictEqual(certificate, this.#used))
        this.#server.setSecureContext({ ...certificate, minVersion: 'TLSv1.2' });
      this.#used = certificate;
    } catch (err) {
      this.#log.warn({ err }, 'the certificate cannot be renewed, the one in use stays');
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, contentType, body } = await this.#page(request);
    const allow = status === 405 ? { allow: 'GET, HEAD' } : status === 401 ? { 'www-authenticate': 'Bearer' } : {};
    // A body was not asked for and is not read, so the connection cannot be used again.
    const withBody =
      request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
    response.writeHead(status, {
      'content-type': contentType,
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...(withBody ? { connection: 'close' } : {}),
      ...allow,
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  }

  async #page({ method, url = '/', headers }: IncomingMessage): Promise<Page> {
    const verdict = (await this.#guard?.(headers.authorization)) ?? 'allowed';
    if (verdict !== 'allowed') return refusals[verdict];
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

const refusals: Readonly<Record<Exclude<Verdict, 'allowed'>, Page>> = {
  unauthenticated: plain(401, 'unauthenticated'),
  forbidden: plain(403, 'forbidden'),
  unknown: plain(503, 'who asks cannot be found out now'),
};

export function plain(status: number, text: string): Page {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${text}\n` };
}
