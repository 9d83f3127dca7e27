import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTLSServer } from 'node:https';
import { addressOf } from './address.ts';
import { controlAnswer, controlPrefix } from './control-routes.ts';
import type { WireAnswer } from './fault-answer.ts';
import { createLocalKonnect, type LocalKonnect, type LocalKonnectOptions } from './local-konnect.ts';
import type { KonnectModel } from './model.ts';
import type { KonnectRequest } from './routes.ts';

/** The server owns `deliver`: `stop` stops it too. */
export interface KonnectOptions extends LocalKonnectOptions {
  /** Default: a free port. */
  readonly port?: number;
  /** PEM. Default: plain http. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

export interface KonnectServer extends LocalKonnect {
  /** Without a trailing slash. */
  readonly url: string;
  /** The path begins with the region: `http://127.0.0.1:1234/{region}`. A host whose first label is a region works too. */
  readonly urlTemplate: string;
  /** Aborts requests in flight. */
  stop(): Promise<void>;
}

const maxBodyBytes = 1024 * 1024;

/** Starts a local Konnect on 127.0.0.1. Rejects if the port is in use. */
export async function startKonnect({ port = 0, tls, ...options }: KonnectOptions): Promise<KonnectServer> {
  const konnect = createLocalKonnect(options);
  const stopping = new AbortController();
  const listener: RequestListener = (request, response) => {
    serve(konnect, request, response, stopping.signal).catch((error: unknown) => endFailed(request, response, error));
  };
  const server: Server = tls === undefined ? createServer(listener) : createTLSServer(tls, listener);
  server.keepAliveTimeout = 60_000;
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('the server has no port');
  const url = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${address.port}`;
  return {
    ...konnect,
    url,
    urlTemplate: `${url}/{region}`,
    async stop() {
      stopping.abort();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
      await options.deliver?.stop();
    },
  };
}

async function serve(
  konnect: LocalKonnect,
  incoming: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const { model, control } = konnect;
  const url = incoming.url ?? '/';
  const body = await read(incoming);
  if (url.startsWith(controlPrefix)) {
    const path = new URL(url, 'http://sandbox').pathname.slice(controlPrefix.length);
    const { status, body: answered } = controlAnswer(model, control, { method: incoming.method ?? '', path, body });
    send(response, {
      status,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(answered, undefined, 2) ?? '',
    });
    return;
  }
  const wire = await konnect.exchange(requestOf(model, incoming, url, body), signal);
  if (wire === undefined) incoming.socket.resetAndDestroy();
  else send(response, wire);
}

/** Ends a failed exchange: resets it if the client or the server aborted it, else answers 500 with the sandbox's own error. */
function endFailed({ socket }: IncomingMessage, response: ServerResponse, error: unknown): void {
  const isAborted = socket.destroyed || response.headersSent || (error instanceof Error && error.name === 'AbortError');
  if (isAborted) socket.resetAndDestroy();
  else response.writeHead(500, { 'content-type': 'text/plain' }).end(error instanceof Error ? error.stack : '');
}

function requestOf(
  model: KonnectModel,
  { method = '', headers, socket }: IncomingMessage,
  url: string,
  body: string,
): KonnectRequest {
  const { authorization, host } = headers;
  const contentType = headers['content-type'];
  return {
    ...addressOf({ host, url }, model.regions),
    method,
    ...(authorization === undefined ? {} : { authorization }),
    ...(contentType === undefined ? {} : { contentType }),
    body,
    source: socket.remoteAddress ?? '',
    userAgent: headers['user-agent'] ?? '',
  };
}

function send(response: ServerResponse, { status, headers, body, isTruncated }: WireAnswer): void {
  if (status === 204) {
    response.writeHead(status, headers).end();
    return;
  }
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
  if (isTruncated !== true) {
    response.end(body);
    return;
  }
  response.write(body.slice(0, body.length / 2), () => response.socket?.destroySoon());
}

async function read(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming) {
    if (!Buffer.isBuffer(chunk)) throw new TypeError('the body must consist of buffers');
    bytes += chunk.length;
    if (bytes > maxBodyBytes) throw new RangeError('the body is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
