import { once } from 'node:events';
import {
  createServer as createPlainServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Authority } from '../certificates.ts';
import {
  controlPath,
  createControl,
  handleControl,
  receivedRequests,
  type SumoLogicControl,
  storedLines,
} from './control.ts';
import { answer, readJSON } from './http.ts';
import { createReceiver, headerReceiverPath, type ReceivedRequest, receiverPath } from './receiver.ts';
import { type AccessKey, createSearchAPI, searchPath } from './search-api.ts';
import { createSearchJobs, defaultSearchBehavior, type SearchBehavior } from './search-jobs.ts';
import { createSources, type SourceOptions, type StoredLine } from './sources.ts';

const defaultGatheringMs = 200;

export interface SumoLogicOptions {
  /** Issues the server's certificate for 127.0.0.1 and localhost. */
  readonly authority: Authority;
  /** Default: a free port. */
  readonly port?: number;
  readonly sources: readonly SourceOptions[];
  /** Without access keys, every call of the Search Job API gets 401. */
  readonly accessKeys?: readonly AccessKey[];
  /** For times of arrival, the age of search jobs and the rate limit. */
  readonly clock?: () => Date;
  /** Duration of a search job. Default 200 ms. */
  readonly gatheringMs?: number;
  readonly searchBehavior?: Partial<SearchBehavior>;
}

export interface SumoLogicServer {
  /** `https://127.0.0.1:<port>`, for the sources and the API. */
  readonly url: string;
  /** `http://127.0.0.1:<port>`: the same without TLS, for clients of the API that do not trust the authority. */
  readonly plainURL: string;
  /** Returns the URL of a source. The URL is a credential, unless the source is of the kind `auth-header`. */
  receiverURL(code: string): string;
  /** Returns the stored lines of a source, by default of all, in the order of arrival. */
  lines(code?: string): StoredLine[];
  /** Returns the requests to a source, by default to all, including rejected ones. */
  requests(code?: string): ReceivedRequest[];
  readonly control: SumoLogicControl;
  /** Closes open connections. */
  stop(): Promise<void>;
}

/** Starts a local SumoLogic on 127.0.0.1, over TLS: HTTP sources, the Search Job API, and its control under `/__sandbox/`. */
export async function startSumoLogic(options: SumoLogicOptions): Promise<SumoLogicServer> {
  const clock = options.clock ?? (() => new Date());
  const sources = createSources(clock);
  for (const source of options.sources) sources.set(source);
  const receiver = createReceiver(sources, clock);
  const gatheringMs = options.gatheringMs ?? defaultGatheringMs;
  const behavior = { ...defaultSearchBehavior, ...options.searchBehavior };
  const jobs = createSearchJobs({ messages: () => sources.messages(), clock, gatheringMs, behavior });
  const search = createSearchAPI({ accessKeys: options.accessKeys ?? [], jobs, clock, url: () => url });
  const control = createControl({ sources, receiver, search, jobs, behavior });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = new URL(request.url ?? '/', url);
    const isReceiver = target.pathname === headerReceiverPath || target.pathname.startsWith(receiverPath);
    if (isReceiver) await receiver.handle(request, response, target.pathname);
    else if (target.pathname === searchPath || target.pathname.startsWith(`${searchPath}/`)) {
      const { method, headers } = request;
      const searched = await search.answer({ method, headers, url: target, body: () => readJSON(request) });
      answer(response, searched.status, searched.body, searched.headers);
    } else if (target.pathname.startsWith(controlPath)) {
      await handleControl({ sources, receiver, control }, request, response, target);
    } else answer(response, 404, { status: 404, code: 'notfound', message: 'Requested resource could not be found.' });
  }

  const issued = await options.authority.issue({
    commonName: 'SumoLogic',
    hosts: ['127.0.0.1', 'localhost'],
    usage: 'server',
  });
  const listener: RequestListener = (request, response) => {
    handle(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else answer(response, 500, { status: 500, code: 'internal.error', message: String(error) });
    });
  };
  const server = createServer({ cert: issued.certificate, key: issued.key }, listener);
  const plainServer = createPlainServer(listener);
  const url = `https://127.0.0.1:${await listen(server, options.port)}`;
  const plainURL = `http://127.0.0.1:${await listen(plainServer)}`;

  return {
    url,
    plainURL,
    receiverURL: (code) =>
      sources.get(code)?.options.kind === 'auth-header' ? url + headerReceiverPath : url + receiverPath + code,
    lines: (code) => storedLines(sources, code),
    requests: (code) => receivedRequests(receiver, code),
    control,
    async stop(): Promise<void> {
      await Promise.all([server, plainServer].map(close));
    },
  };
}

async function listen(server: Server, port = 0): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return portOf(server.address());
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('the server does not listen on a TCP port');
  return address.port;
}
