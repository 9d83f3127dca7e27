/** A client of one organization. It records its calls and created objects, and removes them at the end. */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Exchange } from './openapi-documents.ts';
import type { ContractSettings } from './settings.ts';

export type Json = Readonly<Record<string, unknown>>;

export interface Answered {
  readonly status: number;
  /** The parsed JSON. Empty if there is none. */
  readonly body: Json;
  readonly text: string;
}

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

export interface AskOptions {
  readonly body?: Json;
  /** False to send no token. */
  readonly token?: boolean;
}

/** A host and version that may serve requests for one destination. */
export interface ItemPlace {
  readonly host: 'global' | 'region';
  readonly version: 'v2' | 'v3';
}

/** In the order in which the operator asks them. It does not ask the last one for a forwarding with `auditLogsAPI: v3`. */
export const itemPlaces: readonly [ItemPlace, ...ItemPlace[]] = [
  { host: 'global', version: 'v3' },
  { host: 'region', version: 'v3' },
  { host: 'region', version: 'v2' },
  { host: 'global', version: 'v2' },
];

export function itemPath({ version }: ItemPlace, id: string): string {
  return `/${version}/audit-log-destinations/${id}`;
}

export interface ContractClient {
  /** Sends a request to the host of `place`. Rejects without an answer, or after the signal is aborted. */
  readonly ask: (method: Method, place: 'global' | 'region', path: string, options?: AskOptions) => Promise<Answered>;
  /** Sends a request for one destination to the host that {@link askItemsAt} named last, at first `global` in v3. */
  readonly askItem: (method: Method, id: string, options?: AskOptions) => Promise<Answered>;
  readonly askItemsAt: (place: ItemPlace) => void;
  /** Creates a destination, with a unique name unless `changes` has one. `cleanUp` removes it. */
  readonly make: (changes?: Json) => Promise<Answered>;
  /** Returns a unique name. */
  readonly name: () => string;
  /** Registers how to restore a webhook. `cleanUp` restores webhooks in reverse order, before it deletes destinations. */
  readonly undo: (what: string, how: () => Promise<void>) => void;
  /** Removes and restores everything. Resolves with what could not be removed or restored. */
  readonly cleanUp: () => Promise<string[]>;
  /** Requests and answers so far, without tokens. */
  readonly exchanges: readonly Exchange[];
  readonly settings: ContractSettings;
  readonly polling: Polling;
}

export interface Polling {
  /** Wait between two reads. */
  readonly pollMs: number;
  /** Maximum time to wait for a change. */
  readonly limitMs: number;
}

interface Undo {
  readonly what: string;
  readonly how: () => Promise<void>;
}

const answerTimeoutMs = 60_000;
const retriesOn429 = 3;
const retryAfterMaxS = 120;

export function createContractClient(
  settings: ContractSettings,
  polling: Polling,
  signal: AbortSignal,
): ContractClient {
  const prefix = `contract-${randomBytes(5).toString('hex')}`;
  const webhooks: Undo[] = [];
  const made: Undo[] = [];
  const exchanges: Exchange[] = [];
  let named = 0;
  let cleaning = false;
  let [itemPlace] = itemPlaces;

  async function ask(
    method: Method,
    place: 'global' | 'region',
    path: string,
    { body, token = true }: AskOptions = {},
  ): Promise<Answered> {
    for (let attempt = 1; ; attempt += 1) {
      if (!cleaning) signal.throwIfAborted();
      const host = settings.konnectURL.replace('{region}', place === 'global' ? 'global' : settings.region);
      const response = await fetch(host + path, {
        method,
        redirect: 'error',
        signal: AbortSignal.timeout(answerTimeoutMs),
        headers: {
          accept: 'application/json, application/problem+json',
          ...(token ? { authorization: `Bearer ${settings.token}` } : {}),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (response.status === 429 && attempt <= retriesOn429) {
        const seconds = Number(response.headers.get('retry-after') ?? 15);
        await delay(Math.min(Number.isNaN(seconds) ? 15 : seconds, retryAfterMaxS) * 1_000);
        continue;
      }
      const parsed = parse(text);
      const [plain = '', query = ''] = path.split('?');
      exchanges.push({
        method,
        path: plain,
        query: new URLSearchParams(query),
        requestBody: body === undefined ? undefined : JSON.parse(JSON.stringify(body)),
        status: response.status,
        contentType: response.headers.get('content-type'),
        responseBody: text === '' ? undefined : parsed,
      });
      return { status: response.status, body: isJson(parsed) ? parsed : {}, text };
    }
  }

  function name(): string {
    named += 1;
    return `${prefix}-${named}`;
  }

  /** Deletes a destination at any host that serves it. It is gone if no host has it and the list lacks it. */
  async function remove(id: string): Promise<void> {
    const deadline = performance.now() + polling.limitMs;
    for (;;) {
      let status = 404;
      for (const place of new Set([itemPlace, ...itemPlaces])) {
        if (!isUnknownThere(status)) break;
        ({ status } = await ask('DELETE', place.host, itemPath(place, id)));
      }
      if (status < 300) return;
      const isUnknown = isUnknownThere(status);
      if (isUnknown && !(await listed()).some((one) => one['id'] === id)) return;
      if ((status !== 409 && !isUnknown) || performance.now() > deadline) throw new Error(`DELETE answered ${status}`);
      await delay(polling.pollMs);
    }
  }

  async function listed(): Promise<Json[]> {
    const found: Json[] = [];
    let cursor = '';
    do {
      const { body } = await ask('GET', 'global', `/v3/audit-log-destinations?page[size]=100${cursor}`);
      found.push(...itemsOf(body));
      const next = cursorOf(body);
      cursor = next === undefined ? '' : `&page[after]=${encodeURIComponent(next)}`;
    } while (cursor !== '');
    return found;
  }

  /** Finds destinations whose creation had no answer. */
  async function removeStrays(): Promise<void> {
    for (const { id, name: found } of await listed()) {
      if (typeof found === 'string' && found.startsWith(prefix)) await remove(String(id));
    }
  }

  return {
    settings,
    polling,
    exchanges,
    ask,
    askItem: (method, id, options) => ask(method, itemPlace.host, itemPath(itemPlace, id), options),
    askItemsAt: (place) => {
      itemPlace = place;
    },
    name,
    undo: (what, how) => void webhooks.push({ what, how }),
    async make(changes = {}) {
      const body = {
        name: name(),
        endpoint: settings.endpoint,
        authorization: 'Bearer contract',
        log_format: 'json',
        skip_ssl_verification: true,
        ...changes,
      };
      const answered = await ask('POST', 'global', '/v3/audit-log-destinations', { body });
      const { id } = answered.body;
      if (typeof id === 'string') made.push({ what: `destination ${id}`, how: () => remove(id) });
      return answered;
    },
    async cleanUp() {
      cleaning = true;
      const left: string[] = [];
      const strays = { what: `destinations whose names begin with ${prefix}`, how: removeStrays };
      for (const { what, how } of [...webhooks.toReversed(), ...made.toReversed(), strays]) {
        await how().catch((error: unknown) => left.push(`${what}: ${error instanceof Error ? error.message : ''}`));
      }
      return left;
    },
  };
}

/** Returns the items of a page. */
export function itemsOf({ data }: Json): Json[] {
  return Array.isArray(data) ? data.filter(isJson) : [];
}

/** Returns the cursor of `meta.next`, whose path does not exist on the public hosts. */
export function cursorOf({ meta }: Json): string | undefined {
  const next = isJson(meta) ? meta['next'] : undefined;
  if (typeof next !== 'string' || next === '') return undefined;
  return new URL(next, 'http://konnect.invalid').searchParams.get('page[after]') ?? undefined;
}

function isUnknownThere(status: number): boolean {
  return status === 404 || status === 405;
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
