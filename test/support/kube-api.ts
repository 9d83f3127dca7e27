import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';
import { parse } from 'yaml';
import * as z from 'zod';

/** A client of the API server that needs no process of kubectl for each request. */
export interface KubeAPI {
  /** Resolves with the answer, or with undefined if the object does not exist. Rejects with the message of the API server. */
  send<T = unknown>(method: Method, path: string, body?: object): Promise<T | undefined>;
  /** Creates or changes objects as `kubectl apply` does, with its annotation: a field is removed if only the last applied manifest has it. */
  apply(namespace: string, ...manifests: readonly Manifest[]): Promise<void>;
}

/** `PATCH` sends a JSON merge patch. */
export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

const Kubeconfig = z.object({
  clusters: z.tuple([
    z.object({ cluster: z.object({ server: z.string(), 'certificate-authority-data': z.base64() }) }),
  ]),
  users: z.tuple([
    z.object({ user: z.object({ 'client-certificate-data': z.base64(), 'client-key-data': z.base64() }) }),
  ]),
});

const applyOptions = 'fieldManager=kubectl-client-side-apply&fieldValidation=Strict';
const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';

/** Returns a client with the client certificate of a kubeconfig. */
export function kubeAPI(kubeconfig: string): KubeAPI {
  const { clusters, users } = Kubeconfig.parse(parse(readFileSync(kubeconfig, 'utf8')));
  const [{ cluster }] = clusters;
  const [{ user }] = users;
  const pem = (data: string) => Buffer.from(data, 'base64').toString();
  const agent = new Agent({
    connect: {
      ca: pem(cluster['certificate-authority-data']),
      cert: pem(user['client-certificate-data']),
      key: pem(user['client-key-data']),
    },
  });

  async function send<T>(method: Method, path: string, body?: object): Promise<T | undefined> {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const answer = await request(cluster.server + path, {
      dispatcher: agent,
      method,
      headers: { accept: 'application/json', 'content-type': type },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await answer.body.text();
    if (answer.statusCode === 404) return undefined;
    if (answer.statusCode < 300) return JSON.parse(text);
    throw new Error(`${method} ${path} was answered with ${String(answer.statusCode)}: ${text}`);
  }

  async function applyOne(namespace: string, given: Manifest): Promise<void> {
    // JSON has no fields that are undefined.
    const manifest: Manifest = JSON.parse(JSON.stringify(given));
    const collection = collectionOf(manifest, namespace);
    const path = `${collection}/${manifest.metadata.name}`;
    const { annotations } = manifest.metadata;
    const lastApplied = { [lastAppliedAnnotation]: JSON.stringify(manifest) };
    const next = { ...manifest, metadata: { ...manifest.metadata, annotations: { ...annotations, ...lastApplied } } };
    const live = await send<Manifest>('GET', path);
    if (live === undefined) {
      await send('POST', `${collection}?${applyOptions}`, next);
      return;
    }
    const last: unknown = JSON.parse(live.metadata.annotations?.[lastAppliedAnnotation] ?? '{}');
    await send('PATCH', `${path}?${applyOptions}`, patchFor(last, next));
  }

  return {
    send,
    async apply(namespace, ...manifests) {
      for (const manifest of manifests) await applyOne(namespace, manifest);
    },
  };
}

/** Returns the path of the collection that the object of a manifest belongs to. */
export function collectionOf({ apiVersion, kind, metadata }: Manifest, namespace: string): string {
  const group = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
  return `${group}/namespaces/${metadata.namespace ?? namespace}/${kind.toLowerCase()}s`;
}

/** Returns the next manifest as a JSON merge patch that also removes the fields that only the last one has. */
function patchFor(last: unknown, next: Readonly<Record<string, unknown>>): Record<string, unknown> {
  if (!isObject(last)) return next;
  const removed = Object.keys(last).filter((key) => !(key in next));
  return {
    ...Object.fromEntries(removed.map((key) => [key, null])),
    ...Object.fromEntries(
      Object.entries(next).map(([key, value]) => [key, isObject(value) ? patchFor(last[key], value) : value]),
    ),
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
