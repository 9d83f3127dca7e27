import { setTimeout as delay } from 'node:timers/promises';
import { rootCertificates } from 'node:tls';
import { Agent, request } from 'undici';
import * as z from 'zod';

/** SumoLogic recommends polling every 20 to 30 s. */
const defaultPollMs = 20_000;
const rateLimitWaitMs = 1000;
const rateLimitRetries = 5;
const requestTimeoutMs = 30_000;
const pageSize = 10_000;

export interface SearchOptions {
  /** Base of the API: `https://api.<deployment>.sumologic.com`, or a local server's. */
  readonly url: string;
  readonly accessId: string;
  readonly accessKey: string;
  readonly query: string;
  readonly from: Date;
  /** Exclusive. */
  readonly to: Date;
  /**
   * Whether `from` and `to` refer to the time of arrival, or to the timestamp of the line, which has a precision of seconds. Default: true,
   * because the time of arrival proves that the line arrived.
   */
  readonly byReceiptTime?: boolean;
  /** An additional trusted CA certificate (PEM). */
  readonly authority?: string;
  /** Interval of polling the job. Default 20 s. */
  readonly pollMs?: number;
  readonly signal?: AbortSignal;
}

/** The Search Job API failed. `status` and `code` are SumoLogic's, if it answered. */
export class SearchError extends Error {
  override readonly name = 'SearchError';
  readonly status: number | undefined;
  readonly code: string | undefined;

  constructor(message: string, answer: { status?: number; code?: string | undefined } = {}) {
    super(message);
    this.status = answer.status;
    this.code = answer.code;
  }
}

const createdJob = z.object({ id: z.string() });
const jobStatus = z.object({ state: z.string(), messageCount: z.number() });
const messagePage = z.object({ messages: z.array(z.object({ map: z.object({ _raw: z.string() }) })) });
const errorBody = z.object({ code: z.string() });

/**
 * Runs a search job. Resolves with the raw messages it finds, latest first. Keeps the cookies of the session, retries after 429 and always
 * deletes the job. Rejects with a SearchError, or with the signal's reason.
 */
export async function searchMessages(options: SearchOptions): Promise<string[]> {
  const session = openSession(options);
  try {
    const job = createdJob.parse(
      await session.call('POST', '', {
        query: options.query,
        from: String(options.from.getTime()),
        to: String(options.to.getTime()),
        timeZone: 'UTC',
        byReceiptTime: options.byReceiptTime ?? true,
        requiresRawMessages: true,
      }),
    );
    try {
      const messageCount = await finished(session, job.id, options);
      return await readMessages(session, job.id, messageCount);
    } finally {
      await session.discard(job.id);
    }
  } finally {
    await session.close();
  }
}

interface Session {
  readonly call: (method: 'POST' | 'GET', path: string, body?: object) => Promise<unknown>;
  /** Deletes a job. Never rejects, because SumoLogic cancels the job by itself soon. */
  readonly discard: (id: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

async function finished(session: Session, id: string, options: SearchOptions): Promise<number> {
  for (;;) {
    const { state, messageCount } = jobStatus.parse(await session.call('GET', `/${id}`));
    // A job is paused when it has found its maximum number of messages.
    if (state === 'DONE GATHERING RESULTS' || state === 'FORCE PAUSED') return messageCount;
    if (state === 'CANCELLED') throw new SearchError('the search job was canceled');
    await delay(options.pollMs ?? defaultPollMs, undefined, signalOption(options));
  }
}

async function readMessages(session: Session, id: string, messageCount: number): Promise<string[]> {
  const lines: string[] = [];
  while (lines.length < messageCount) {
    const path = `/${id}/messages?offset=${lines.length}&limit=${pageSize}`;
    const { messages } = messagePage.parse(await session.call('GET', path));
    if (messages.length === 0) break;
    lines.push(...messages.map(({ map: { _raw: raw } }) => raw));
  }
  return lines;
}

function openSession(options: SearchOptions): Session {
  const ca = options.authority === undefined ? [...rootCertificates] : [...rootCertificates, options.authority];
  const dispatcher = new Agent({ connect: { ca } });
  const cookies = new Map<string, string>();
  const credentials = Buffer.from(`${options.accessId}:${options.accessKey}`).toString('base64');

  async function send(
    method: 'POST' | 'GET' | 'DELETE',
    path: string,
    body?: object,
  ): Promise<{ status: number; body: unknown }> {
    const timeout = AbortSignal.timeout(requestTimeoutMs);
    const answer = await request(`${options.url}/api/v1/search/jobs${path}`, {
      method,
      dispatcher,
      headers: {
        accept: 'application/json',
        authorization: `Basic ${credentials}`,
        ...(cookies.size === 0 ? {} : { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal:
        options.signal === undefined || method === 'DELETE' ? timeout : AbortSignal.any([options.signal, timeout]),
    });
    for (const [name, value] of setCookies(answer.headers['set-cookie'])) cookies.set(name, value);
    return { status: answer.statusCode, body: parseJSON(await answer.body.text()) };
  }

  async function call(method: 'POST' | 'GET', path: string, body?: object): Promise<unknown> {
    for (let retriesLeft = rateLimitRetries; ; retriesLeft -= 1) {
      const answer = await send(method, path, body);
      if (answer.status >= 200 && answer.status < 300) return answer.body;
      if (answer.status !== 429 || retriesLeft === 0) {
        const code = errorBody.safeParse(answer.body).data?.code;
        throw new SearchError(`SumoLogic answered ${answer.status} ${code ?? ''}`.trimEnd(), {
          status: answer.status,
          code,
        });
      }
      await delay(rateLimitWaitMs, undefined, signalOption(options));
    }
  }

  async function discard(id: string): Promise<void> {
    try {
      for (let retriesLeft = rateLimitRetries; retriesLeft > 0; retriesLeft -= 1) {
        if ((await send('DELETE', `/${id}`)).status !== 429) return;
        await delay(rateLimitWaitMs);
      }
    } catch {
      // SumoLogic cancels the job by itself. An earlier error must not be replaced.
    }
  }

  return { call, discard, close: () => dispatcher.destroy() };
}

function signalOption({ signal }: SearchOptions): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

function setCookies(header: string | string[] | undefined): [string, string][] {
  return [header ?? []].flat().flatMap((line): [string, string][] => {
    const match = /^([^=;]+)=([^;]*)/.exec(line);
    return match?.[1] === undefined || match[2] === undefined ? [] : [[match[1].trim(), match[2].trim()]];
  });
}

function parseJSON(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
