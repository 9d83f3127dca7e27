import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { apiVersion, kind } from '../../../src/api/v1alpha1.ts';
import { forwardingsPath } from '../../../src/resources/forwarding-resource.ts';
import { startHTTPServer } from '../../support/http-server.ts';

type Fields = Readonly<Record<string, unknown>>;

export interface StoredObject {
  readonly metadata: Fields & { readonly name: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}

/** An API server in memory, as far as the commands call it: GET, list, merge patch and POST. */
export interface ClusterServer {
  /** By path, such as `/api/v1/namespaces/a/secrets/b`. */
  readonly objects: Map<string, StoredObject>;
  /** The requests that wrote, as `METHOD path` with the body. */
  readonly writes: { readonly request: string; readonly body: unknown }[];
  /** Answers to a POST by path, such as that of an access review. */
  readonly posts: Map<string, (body: Fields) => object>;
  /** The status of every answer, to let requests fail. */
  failWith: { readonly status: number; readonly reason: string } | undefined;
  /** Called before each request. */
  onRequest: (request: string) => void;
  /** The environment of a command. */
  readonly env: Readonly<Record<string, string>>;
  put(path: string, object: StoredObject): void;
  /** Stores a Secret of the namespace `platform`. */
  putSecret(name: string, values: Readonly<Record<string, string>>): void;
  /** Stores a forwarding and returns its path. */
  putForwarding(key: string, fields: Fields): string;
  /** Answers 403 to requests that match, as `METHOD path`. */
  forbid(pattern: RegExp): void;
  stop(): void;
}

export async function startClusterServer(): Promise<ClusterServer> {
  const objects = new Map<string, StoredObject>();
  const writes: { request: string; body: unknown }[] = [];
  const posts: ClusterServer['posts'] = new Map();
  const folder = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
  const file = join(folder, 'config');
  let version = 1;

  const put = (path: string, object: StoredObject) => {
    version += 1;
    const { metadata } = object;
    objects.set(path, {
      ...object,
      metadata: { uid: `uid-of-${metadata.name}`, ...metadata, resourceVersion: String(version) },
    });
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const { method = 'GET' } = request;
    const sent = await text(request);
    const body: Fields = sent === '' ? {} : JSON.parse(sent);
    cluster.onRequest(`${method} ${pathname}`);
    if (method !== 'GET') writes.push({ request: `${method} ${pathname}`, body });
    const { status, answer: answered } =
      cluster.failWith === undefined ? handle(method, pathname, body) : failed(cluster.failWith);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answered));
  }

  function handle(method: string, path: string, body: Fields): { status: number; answer: object } {
    const post = posts.get(path);
    if (method === 'POST') return post === undefined ? failed(missing) : { status: 201, answer: post(body) };
    const object = objects.get(path);
    if (method === 'PATCH' && object !== undefined) {
      const next = merged(object, body);
      if (!isObject(next)) return failed(missing);
      put(path, next);
    }
    const found = objects.get(path);
    if (found !== undefined) return { status: 200, answer: found };
    const [, prefix = '', plural = ''] = /^(.*)\/([^/]+)$/.exec(path) ?? [];
    const isOfList = (one: string) =>
      one.startsWith(`${path}/`) || (one.startsWith(`${prefix}/namespaces/`) && one.split('/').at(-2) === plural);
    const items = [...objects].filter(([one]) => isOfList(one)).map(([, one]) => one);
    if (items.length === 0 && !path.endsWith('s')) return failed(missing);
    return { status: 200, answer: { items, metadata: { resourceVersion: String(version) } } };
  }

  const cluster: ClusterServer = {
    objects,
    writes,
    posts,
    failWith: undefined,
    onRequest: () => undefined,
    env: { KUBECONFIG: file },
    put,
    putSecret(name, values) {
      const data = Object.fromEntries(
        Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
      );
      put(`/api/v1/namespaces/platform/secrets/${name}`, { metadata: { name, namespace: 'platform' }, data });
    },
    putForwarding(key, fields) {
      const [namespace = '', name = ''] = key.split('/');
      const path = `${forwardingsPath(namespace)}/${name}`;
      const { metadata = {}, ...rest } = fields;
      const creationTimestamp = '2026-01-01T00:00:00Z';
      put(path, {
        apiVersion,
        kind,
        metadata: { namespace, name, generation: 1, creationTimestamp, ...Object(metadata) },
        ...rest,
      });
      return path;
    },
    forbid(pattern) {
      cluster.onRequest = (request) => {
        cluster.failWith = pattern.test(request) ? { status: 403, reason: 'Forbidden' } : undefined;
      };
    },
    stop() {
      server.stop();
      rmSync(folder, { recursive: true });
    },
  };
  const server = await startHTTPServer((request, response) => void answer(request, response));
  const config = {
    clusters: [{ name: 'c', cluster: { server: server.url } }],
    users: [{ name: 'u', user: { token: 'test-token' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace: 'platform' } }],
    'current-context': 'x',
  };
  writeFileSync(file, JSON.stringify(config));
  return cluster;
}

const missing = { status: 404, reason: 'NotFound' };

function failed({ status, reason }: { readonly status: number; readonly reason: string }) {
  return { status, answer: { kind: 'Status', status: 'Failure', reason, message: `${reason} of the test` } };
}

function isObject(value: unknown): value is StoredObject {
  return typeof value === 'object' && value !== null && 'metadata' in value;
}

/** Returns the value after a merge patch (RFC 7396). */
function merged(value: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const fields: Record<string, unknown> = typeof value === 'object' ? { ...value } : {};
  for (const [name, one] of Object.entries(patch)) {
    if (one === null) delete fields[name];
    else fields[name] = merged(fields[name], one);
  }
  return fields;
}
