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

export interface ContractClient {
  /** Sends a request to the host of `place`. Rejects without an answer, or after the signal is aborted. */
  readonly ask: (method: Method, place: 'global' | 'region', path: string, options?: AskOptions) => Promise<Answered>;
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

  async function remove(id: string): Promise<void> {
    const deadline = performance.now() + polling.limitMs;
    for (;;) {
      const { status } = await ask('DELETE', 'global', `/v3/audit-log-destinations/${id}`);
      if (status < 300 || status === 404) return;
      if (status !== 409 || performance.now() > deadline) throw new Error(`DELETE answered ${status}`);
      await delay(polling.pollMs);
    }
  }

  /** Finds destinations whose creation had no answer. */
  async function removeStrays(): Promise<void> {
    let cursor = '';
    do {
      const { body } = await ask('GET', 'global', `/v3/audit-log-destinations?page[size]=100${cursor}`);
      for (const { id, name: found } of itemsOf(body)) {
        if (typeof found === 'string' && found.startsWith(prefix)) await remove(String(id));
      }
      const next = cursorOf(body);
      cursor = next === undefined ? '' : `&page[after]=${encodeURIComponent(next)}`;
    } while (cursor !== '');
  }

  return {
    settings,
    polling,
    exchanges,
    ask,
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
