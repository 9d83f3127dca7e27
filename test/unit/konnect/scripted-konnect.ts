import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { KonnectClient, type KonnectClientOptions } from '../../../src/konnect/client.ts';
import { DestinationHosts } from '../../../src/konnect/destination-hosts.ts';
import { type KonnectCall, KonnectHTTP, type KonnectHTTPOptions } from '../../../src/konnect/http.ts';
import { ListedDestinations } from '../../../src/konnect/session/listed-destinations.ts';
import { closed, listening } from './listening.ts';

export interface SeenRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: unknown;
}

/** An answer (an object is sent as JSON, a string unchanged), or a function that does something else with the connection. */
export type Script =
  | { status: number; body?: unknown; headers?: Record<string, string> }
  | ((answer: ServerResponse) => void);

/** Starts a server that answers each request with what `script` returns. The region is the first segment of the path. */
export async function scriptedKonnect(script: (request: SeenRequest) => Script | Promise<Script>) {
  const requests: SeenRequest[] = [];
  let connections = 0;
  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of incoming) text += String(chunk);
    const { pathname, searchParams } = new URL(incoming.url ?? '', 'http://server');
    const seen: SeenRequest = {
      method: incoming.method ?? '',
      path: pathname,
      query: searchParams,
      headers: incoming.headers,
      body: text === '' ? undefined : JSON.parse(text),
    };
    requests.push(seen);
    const scripted = await script(seen);
    if (typeof scripted === 'function') {
      scripted(outgoing);
      return;
    }
    const { status, body = '', headers } = scripted;
    outgoing.writeHead(status, { 'content-type': 'application/json', ...headers });
    outgoing.end(typeof body === 'string' ? body : JSON.stringify(body));
  }
  const server = createServer((incoming, outgoing) => {
    void answer(incoming, outgoing);
  });
  server.on('connection', () => {
    connections += 1;
  });
  const port = await listening(server);
  return {
    port,
    requests,
    urlTemplate: `http://127.0.0.1:${port}/{region}`,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await closed(server);
    },
  };
}

/** Returns a client with connections of its own, and a record of its calls. */
export function clientOf(
  urlTemplate: string,
  { token = 'kpat_token', onSkipped, ...options }: Partial<KonnectHTTPOptions & KonnectClientOptions> = {},
) {
  const calls: KonnectCall[] = [];
  const http = new KonnectHTTP({
    userAgent: 'konnect-audit-log-operator/test',
    onCall: (call) => calls.push(call),
    ...options,
  });
  const destinationHosts = new DestinationHosts({
    region: 'eu',
    known: new Map(),
    nowMs: () => performance.now(),
    list: async (api, _sinceMs, signal) =>
      new ListedDestinations(await client.listDestinations(api, signal), new Set()),
  });
  const client = new KonnectClient({ http, urlTemplate, token, destinationHosts, onSkipped });
  return {
    http,
    client,
    calls,
    [Symbol.dispose]() {
      http.close();
    },
  };
}

/** Returns the error that a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('did not reject');
}

/** What a caller wants of a destination. */
export const body = {
  name: 'platform/sumologic',
  endpoint: 'https://siem.example.com/code',
  authorization: 'Bearer siem',
  logFormat: 'json',
  skipSSLVerification: false,
} as const;

export type Client = ReturnType<typeof clientOf>['client'];

/** Runs `use` against a server that gives every request the same answer. Returns the result and the requests. */
export async function answering(script: Script, use: (client: Client) => Promise<unknown>) {
  await using server = await scriptedKonnect(() => script);
  using konnect = clientOf(server.urlTemplate);
  const value = await use(konnect.client);
  return { value, requests: server.requests };
}
