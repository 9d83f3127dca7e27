import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Log } from '../log.ts';
import type { BindAddress } from './bind-address.ts';

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
}

/** How long an answer under way may take after the end was called for. */
const graceMs = 1_000;

/** A small HTTP server for probes and scrapers: GET and HEAD of a few paths, everything bounded. */
export class TelemetryServer {
  readonly #address: BindAddress;
  readonly #routes: ReadonlyMap<string, Route>;
  readonly #log: Log;
  readonly #server: Server;
  readonly #listening = Promise.withResolvers<number>();

  constructor({ address, routes, log }: TelemetryServerOptions) {
    this.#address = address;
    this.#routes = new Map(Object.entries(routes));
    this.#log = log;
    this.#server = createServer(
      { maxHeaderSize: 8 * 1024, headersTimeout: 5_000, requestTimeout: 10_000, keepAliveTimeout: 5_000 },
      (request, response) => {
        void this.#answer(request, response);
      },
    );
    this.#server.maxConnections = 64;
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
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    const closed = once(this.#server, 'close');
    this.#server.close();
    const cutOff = setTimeout(() => this.#server.closeAllConnections(), graceMs);
    await closed;
    clearTimeout(cutOff);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, contentType, body } = await this.#page(request);
    const allow = status === 405 ? { allow: 'GET, HEAD' } : {};
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

  async #page({ method, url = '/' }: IncomingMessage): Promise<Page> {
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

export function plain(status: number, text: string): Page {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${text}\n` };
}
