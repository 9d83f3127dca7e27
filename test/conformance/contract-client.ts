/** One hand on an organization: calls, what was made with them, and how to undo it. */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Exchange } from './openapi-documents.ts';
import type { ContractSettings } from './settings.ts';

export type Json = Readonly<Record<string, unknown>>;

export interface Answered {
  readonly status: number;
  /** The parsed JSON; empty where there is none. */
  readonly body: Json;
  readonly text: string;
}

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

export interface AskOptions {
  readonly body?: Json;
  /** False: no token is sent. */
  readonly token?: boolean;
}

export interface OrganizationHand {
  /** `place`: `global`, or the region asked about. Rejects where there is no answer at all, or once the signal is aborted. */
  readonly ask: (method: Method, place: 'global' | 'region', path: string, options?: AskOptions) => Promise<Answered>;
  /** Makes a destination with a name of its own, unless `changes` has one, and sees to its removal. */
  readonly make: (changes?: Json) => Promise<Answered>;
  /** A name that nothing else has. */
  readonly name: () => string;
  /** How to put a webhook back. Done at the end whatever happens before, last come first served, and before destinations are removed. */
  readonly undo: (what: string, how: () => Promise<void>) => void;
  /** Undoes everything; answers what could not be undone. */
  readonly cleanUp: () => Promise<string[]>;
  /** What went over the wire so far, without tokens. */
  readonly exchanges: readonly Exchange[];
  readonly settings: ContractSettings;
  readonly patience: Patience;
}

export interface Patience {
  /** Between two looks at something that may change. */
  readonly pollMs: number;
  /** How long a list may be behind, and a destination held, before that is the answer. */
  readonly limitMs: number;
}

interface Undo {
  readonly what: string;
  readonly how: () => Promise<void>;
}

const answerTimeoutMs = 60_000;
const retriesOn429 = 3;
const retryAfterMaxS = 120;

export function createHand(settings: ContractSettings, patience: Patience, signal: AbortSignal): OrganizationHand {
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
    const deadline = performance.now() + patience.limitMs;
    for (;;) {
      const { status } = await ask('DELETE', 'global', `/v3/audit-log-destinations/${id}`);
      if (status < 300 || status === 404) return;
      if (status !== 409 || performance.now() > deadline) throw new Error(`DELETE answered ${status}`);
      await delay(patience.pollMs);
    }
  }

  /** What a lost answer has hidden from us. */
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
    patience,
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

/** The items of an answered page. */
export function itemsOf({ data }: Json): Json[] {
  return Array.isArray(data) ? data.filter(isJson) : [];
}

/** The cursor in `meta.next`, which is a path that public hosts do not have. */
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
