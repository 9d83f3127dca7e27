import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTLSServer } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { addressOf } from './address.ts';
import type { Delivery } from './audit-event.ts';
import type { Behavior } from './behavior.ts';
import { type Call, type CallLog, createCallLog } from './calls.ts';
import { createControl, type KonnectControl } from './control.ts';
import { controlAnswer, controlPrefix } from './control-routes.ts';
import { statusAnswer, type WireAnswer, withWrongTypes } from './fault-answer.ts';
import { type AppliedFault, createFaults, type Faults } from './faults.ts';
import { createModel, holderOf, type KonnectModel } from './model.ts';
import { answer, type KonnectAnswer, type KonnectRequest, operationFor } from './routes.ts';
import type { KonnectSeed } from './seed.ts';

export interface KonnectOptions {
  /** Default: a free port. */
  readonly port?: number;
  readonly seed: KonnectSeed;
  readonly behavior?: Partial<Behavior>;
  /** The server owns it: `stop` stops it too. Without it, audit lines are recorded but not sent. */
  readonly deliver?: Delivery;
  /** PEM. Default: plain http. */
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly clock?: () => Date;
}

export interface KonnectServer {
  /** Without a trailing slash. */
  readonly url: string;
  /** The path begins with the region: `http://127.0.0.1:1234/{region}`. A host whose first label is a region works too. */
  readonly urlTemplate: string;
  readonly model: KonnectModel;
  readonly control: KonnectControl;
  /** Aborts requests in flight. */
  stop(): Promise<void>;
}

const maxBodyBytes = 1024 * 1024;

/** Starts a local Konnect on 127.0.0.1. Rejects if the port is in use. */
export async function startKonnect({
  port = 0,
  seed,
  behavior,
  deliver,
  tls,
  clock,
}: KonnectOptions): Promise<KonnectServer> {
  const model = createModel({
    seed,
    ...(behavior === undefined ? {} : { behavior }),
    ...(deliver === undefined ? {} : { delivery: deliver }),
    ...(clock === undefined ? {} : { clock }),
  });
  const calls = createCallLog();
  const faults = createFaults();
  const control = createControl(model, calls, faults);
  const stopping = new AbortController();
  const context: ServerContext = { model, calls, faults, control, signal: stopping.signal };
  const listener: RequestListener = (request, response) => {
    serve(context, request, response).catch((error: unknown) => endFailed(request, response, error));
  };
  const server: Server = tls === undefined ? createServer(listener) : createTLSServer(tls, listener);
  server.keepAliveTimeout = 60_000;
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('the server has no port');
  const url = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${address.port}`;
  return {
    url,
    urlTemplate: `${url}/{region}`,
    model,
    control,
    async stop() {
      stopping.abort();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
      await deliver?.stop();
    },
  };
}

interface ServerContext {
  readonly model: KonnectModel;
  readonly calls: CallLog;
  readonly faults: Faults;
  readonly control: KonnectControl;
  readonly signal: AbortSignal;
}

async function serve(context: ServerContext, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const { model, control, signal } = context;
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
  const request = requestOf(model, incoming, url, body);
  const { call, faults } = logCall(context, request);
  for (const fault of faults) {
    if (fault.kind === 'latency') await delay(fault.ms, undefined, { signal });
  }
  const fault = faults.find(({ kind }) => kind !== 'latency');
  const wire = answerWith(model, request, call, fault);
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

/** Logs a request. Returns the entry of the log and the faults to apply. */
function logCall(
  { model, calls, faults: rules }: ServerContext,
  request: KonnectRequest,
): { call: Call; faults: AppliedFault[] } {
  const { method, region, path, query } = request;
  const operation = operationFor(request)?.id;
  const token = /\S*$/.exec(request.authorization ?? '')?.[0] ?? '';
  const subject = { method, region, path, token, ...(operation === undefined ? {} : { operation }) };
  const organizationID = holderOf(model, token)?.organization.id;
  const faults = rules.take({ ...subject, ...(organizationID === undefined ? {} : { organizationID }) });
  const call: Call = {
    ...subject,
    at: model.clock(),
    query: query.toString(),
    token: token.slice(-4),
    faults: faults.map(({ kind }) => kind),
  };
  calls.add(call);
  return { call, faults };
}

/** Returns what to send. Undefined means a reset of the connection. */
function answerWith(
  model: KonnectModel,
  request: KonnectRequest,
  call: Call,
  fault: AppliedFault | undefined,
): WireAnswer | undefined {
  if (fault?.kind === 'drop-before') return undefined;
  if (fault?.kind === 'redirect') {
    call.status = fault.status ?? 307;
    const location = fault.location ?? `/${request.region}/redirected${request.path}`;
    return { status: call.status, headers: { location }, body: '' };
  }
  if (fault?.kind === 'status') {
    if (fault.done === true) answer(model, request);
    call.status = fault.status;
    return statusAnswer(fault, request.body, model.newTraceID());
  }
  const answered = answer(model, request);
  call.status = answered.status;
  if (fault?.kind === 'drop-after') return undefined;
  return wireOf(fault?.kind === 'wrong-types' ? { ...answered, body: withWrongTypes(answered.body) } : answered);
}

function wireOf({ status, body, contentType }: KonnectAnswer): WireAnswer {
  if (status === 204) return { status, headers: {}, body: '' };
  return { status, headers: { 'content-type': contentType }, body: JSON.stringify(body) };
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
