import http from 'node:http';
import type { Socket } from 'node:net';
import { KubeClient, type KubeClientOptions } from '../../../src/kube/kube-client.ts';
import { type KubeObject, keyOf } from '../../../src/kube/objects.ts';

export interface Widget extends KubeObject {
  spec?: { size: number };
}

interface Happening {
  revision: number;
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  object: Widget;
}

export interface Seen {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: http.IncomingHttpHeaders;
  body: string;
}

/** Answers one request in place of the server. `false` leaves the answer to the server. */
export type Fault = (request: Seen, response: http.ServerResponse) => boolean | undefined;

export const WIDGETS = '/apis/example.io/v1/widgets';

/**
 * A server with one collection that is listed and watched as in Kubernetes: pages of a fixed state, watches from a resourceVersion, 410 for compacted
 * history. A test can inject faults.
 */
export class ApiServer {
  readonly seen: Seen[] = [];
  /** Each fault applies to one request of its kind. */
  readonly listFaults: Fault[] = [];
  readonly watchFaults: Fault[] = [];
  /** Called first, for every request. */
  otherwise: Fault = () => false;
  /** Set by `start`. */
  url = '';
  connections = 0;
  /** The delay before every answer. */
  delayMs = 0;
  /** If set, only this token is accepted. */
  token: string | undefined;
  revision = 10;
  /** Older watches and pages get 410. */
  compactedTo = 0;
  readonly #objects = new Map<string, Widget>();
  /** The state at `compactedTo`, and the events since then. */
  #base = new Map<string, Widget>();
  #history: Happening[] = [];
  readonly #watches = new Set<http.ServerResponse>();
  readonly #sockets = new Set<Socket>();
  readonly #server = http.createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (text) => {
      body += String(text);
    });
    request.on('end', () => {
      if (this.delayMs === 0) this.#answer(request, response, body);
      else setTimeout(() => this.#answer(request, response, body), this.delayMs);
    });
  });
  #nextUid = 1;

  constructor() {
    this.#server.on('connection', (socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  async start(port = 0): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.listen(port, '127.0.0.1', resolve);
    });
    const address = this.#server.address();
    if (typeof address !== 'object' || address === null) throw new Error('the server has no address');
    this.url = `http://127.0.0.1:${address.port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  client(options: Partial<KubeClientOptions> = {}): KubeClient {
    return new KubeClient({ config: configFor(this.url), userAgent: 'test/1', ...options });
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  get openWatches(): number {
    return this.#watches.size;
  }

  get objects(): Widget[] {
    return [...this.#objects.values()];
  }

  lists(): Seen[] {
    return this.seen.filter(({ path, query }) => path === WIDGETS && !query.has('watch'));
  }

  watches(): Seen[] {
    return this.seen.filter(({ query }) => query.get('watch') === 'true');
  }

  /** Creates or changes a widget. */
  put(name: string, size: number, metadata: Partial<KubeObject['metadata']> = {}): Widget {
    const before = this.#objects.get(`a/${name}`);
    this.revision += 1;
    const uid = before?.metadata.uid ?? `uid-${this.#nextUid++}`;
    const own = { name, namespace: 'a', uid, resourceVersion: String(this.revision) };
    const object: Widget = {
      apiVersion: 'example.io/v1',
      kind: 'Widget',
      metadata: { ...own, ...metadata },
      spec: { size },
    };
    this.#objects.set(keyOf(object), object);
    this.#happen({ revision: this.revision, type: before === undefined ? 'ADDED' : 'MODIFIED', object });
    return object;
  }

  remove(name: string): Widget {
    const before = this.#objects.get(`a/${name}`);
    if (before === undefined) throw new Error(`there is no ${name}`);
    this.revision += 1;
    this.#objects.delete(`a/${name}`);
    const object = { ...before, metadata: { ...before.metadata, resourceVersion: String(this.revision) } };
    this.#happen({ revision: this.revision, type: 'DELETED', object });
    return object;
  }

  /** Forgets the history: older watches get 410. */
  compact(): void {
    this.compactedTo = this.revision;
    this.#base = new Map(this.#objects);
    this.#history = [];
  }

  /** Restores the collection to an earlier state, including its resourceVersions. */
  restore(objects: Widget[], revision: number): void {
    this.#objects.clear();
    for (const object of objects) this.#objects.set(keyOf(object), object);
    this.#base = new Map(this.#objects);
    this.#history = [];
    this.revision = revision;
    this.compactedTo = 0;
  }

  bookmark(): void {
    for (const watch of this.#watches) writeBookmark(watch, this.revision);
  }

  /** Sends nothing more on any open watch, and does not close it. */
  halfOpen(): void {
    this.#watches.clear();
  }

  /** Resets all connections and accepts none until the returned function is called. */
  async goAway(): Promise<() => Promise<void>> {
    const { port } = new URL(this.url);
    await this.stop();
    return () => this.start(Number(port));
  }

  /** Ends every open watch: normally, with a reset, within a line, or with an ERROR event. */
  breakWatches(how: 'end' | 'reset' | 'half' | { code: number; reason: string }): void {
    for (const watch of this.#watches) {
      this.#watches.delete(watch);
      if (how === 'end') watch.end();
      else if (how === 'reset') watch.destroy();
      else if (how === 'half') watch.end('{"type":"ADDED","object":{"metadata":{"name":"ha');
      else watch.end(`${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', ...how } })}\n`);
    }
  }

  #happen(happening: Happening): void {
    this.#history.push(happening);
    for (const watch of this.#watches) writeEvent(watch, happening);
  }

  #answer(request: http.IncomingMessage, response: http.ServerResponse, body: string): void {
    const url = new URL(request.url ?? '/', this.url);
    const seen: Seen = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body,
    };
    this.seen.push(seen);
    if (this.otherwise(seen, response) === true) return;
    if (this.token !== undefined && seen.headers.authorization !== `Bearer ${this.token}`)
      return refuse(response, 401, 'Unauthorized');
    if (url.pathname !== WIDGETS) refuse(response, 404, 'NotFound');
    else if (url.searchParams.has('watch')) this.#watch(seen, response);
    else this.#list(seen, response);
  }

  #list(seen: Seen, response: http.ServerResponse): void {
    if (this.listFaults.shift()?.(seen, response) === true) return;
    const from = seen.query.get('continue');
    const [revision, start] = from === null ? [this.revision, 0] : from.split('-').map(Number);
    if (revision === undefined || start === undefined || revision < this.compactedTo)
      return refuse(response, 410, 'Expired');
    // All pages show the state of the first one, unless the history was compacted in between.
    const all = this.#at(revision).sort((a, b) => keyOf(a).localeCompare(keyOf(b)));
    const end = seen.query.has('limit') ? start + Number(seen.query.get('limit')) : all.length;
    const metadata = {
      resourceVersion: String(revision),
      ...(end < all.length ? { continue: `${revision}-${end}` } : {}),
    };
    return json(response, 200, { kind: 'WidgetList', metadata, items: all.slice(start, end) });
  }

  #at(revision: number): Widget[] {
    const state = new Map(this.#base);
    for (const { revision: at, type, object } of this.#history) {
      if (at > revision) break;
      if (type === 'DELETED') state.delete(keyOf(object));
      else state.set(keyOf(object), object);
    }
    return [...state.values()];
  }

  #watch(seen: Seen, response: http.ServerResponse): void {
    if (this.watchFaults.shift()?.(seen, response) === true) return;
    const from = Number(seen.query.get('resourceVersion'));
    if (from < this.compactedTo) {
      refuse(response, 410, 'Gone');
      return;
    }
    this.startWatch(response);
    for (const happening of this.#history) if (happening.revision > from) writeEvent(response, happening);
  }

  /** Answers with a watch that gets all events from now on. */
  startWatch(response: http.ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    this.#watches.add(response);
    response.on('close', () => this.#watches.delete(response));
  }
}

export function json(
  response: http.ServerResponse,
  status: number,
  body: object,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

/** A fault: an error in the form of the API server. */
export function refuse(
  response: http.ServerResponse,
  code: number,
  reason: string,
  headers: Record<string, string> = {},
): void {
  json(response, code, { kind: 'Status', status: 'Failure', code, reason, message: `refused as ${reason}` }, headers);
}

/** Returns what a client needs of a kubeconfig, without client-node, which takes half a second to load. */
export function configFor(server: string): KubeClientOptions['config'] {
  const agent = new http.Agent({ keepAlive: true });
  const headers = { Authorization: 'Bearer test-token' };
  return {
    server,
    credentials: () => Promise.resolve({ headers, execRound: 0, requests: agent, watches: agent }),
    isReplaced: () => false,
  };
}

function writeEvent(response: http.ServerResponse, { type, object }: Happening): void {
  response.write(`${JSON.stringify({ type, object })}\n`);
}

function writeBookmark(response: http.ServerResponse, revision: number): void {
  response.write(
    `${JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion: String(revision) } } })}\n`,
  );
}
