/** SumoLogic's Search Job API, as SumoLogic asks clients to use it. */
import * as z from 'zod';
import type { HTTPConnections, HTTPOutcome } from '../http/http-connections.ts';
import { retryAfterMs } from '../http/retry-after.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { sleep, withTimeout } from '../runtime/timeout.ts';
import type { Fence } from '../runtime/write-fence.ts';
import { SumoLogicError } from './errors.ts';
import { RequestPacer } from './request-pacer.ts';
import { deploymentIn, sumoLogicURLFor } from './sumologic-url.ts';

const jobsPath = 'search/jobs';
/** SumoLogic asks for 20 to 30 s, and cancels a job that nobody asks about. */
const defaultPollMs = 20_000;
/** SumoLogic forbids no earlier look. Most searches end sooner, and a job counts against the limit of its organization until it is deleted. */
const firstPollMs = 5_000;
const pageSize = 1_000;
const maxPolls = 30;
const maxAttempts = 5;
const firstRetryMs = 1_000;
const maxRetryMs = 30_000;
/** How long the deletion of a job may take, with its repetitions. */
const deletionMs = 5_000;

export interface SumoLogicAccess {
  readonly deployment: string;
  readonly accessID: string;
  readonly accessKey: string;
}

export interface SearchQuery {
  readonly query: string;
  /** The range of the time at which SumoLogic received a message. `to` is not part of it. */
  readonly from: Date;
  readonly to: Date;
}

export interface FoundMessage {
  readonly text: string;
  readonly receivedMs: number;
}

export interface SearchClientOptions {
  readonly connections: Pick<HTTPConnections, 'send'>;
  /** A valid template: see `problemWithSumoLogicURL`. */
  readonly urlTemplate: string;
  /** Called right before a search job is created. If it throws a FencedError, the search rejects with that. */
  readonly fence?: Fence | undefined;
  readonly pollMs?: number;
  readonly clock?: Clock;
  readonly nowMs?: () => number;
}

/** What happens in a search, in this order. */
export interface SearchEvents {
  /** Called when SumoLogic has created the job, and awaited before anything else is asked of it. */
  readonly onCreated: (id: string) => Promise<void>;
  /** Called with the messages, at most a thousand at a time. */
  readonly onPage: (messages: readonly FoundMessage[]) => Promise<void>;
  /** Called when SumoLogic has deleted the job. Not called if that fails. */
  readonly onDeleted: (id: string) => void;
}

interface Session {
  readonly base: URL;
  readonly access: SumoLogicAccess;
  /** SumoLogic may bind a job to the cookies that it sets. They live as long as the search. */
  readonly cookies: Map<string, string>;
}

const jobID = /^[\w-]{1,64}$/;
const createdJob = z.object({ id: z.string().regex(jobID) });
const jobStatus = z.object({ state: z.string(), messageCount: z.int().min(0) });
const messagePage = z.object({
  messages: z
    .array(
      z
        .object({ map: z.object({ _raw: z.string(), _receipttime: z.coerce.number() }) })
        .transform(({ map: { _raw: text, _receipttime: receivedMs } }): FoundMessage => ({ text, receivedMs })),
    )
    .max(pageSize),
});

/** How a search ended. `paused`: it found as many messages as SumoLogic returns of one job, and there may be more. */
export type SearchEnd = 'done' | 'paused';

/** Searches in SumoLogic. It keeps to four requests a second for each access key, and deletes every job that it creates. Rejects with a SumoLogicError. */
export class SearchClient {
  readonly #options: Required<Omit<SearchClientOptions, 'fence'>> & { fence: Fence | undefined };
  readonly #pacer: RequestPacer;

  constructor({
    connections,
    urlTemplate,
    fence,
    pollMs = defaultPollMs,
    clock = systemClock,
    nowMs = Date.now,
  }: SearchClientOptions) {
    this.#options = { connections, urlTemplate, fence, pollMs, clock, nowMs };
    this.#pacer = new RequestPacer(clock);
  }

  /**
   * Runs a search job, and deletes it however the search ends. A job that is paused has no pages. Rejects with a SumoLogicError, with the error of a callback,
   * or with the reason of `signal`.
   */
  async search(
    access: SumoLogicAccess,
    { query, from, to }: SearchQuery,
    { onCreated, onPage, onDeleted }: SearchEvents,
    signal: AbortSignal,
  ): Promise<SearchEnd> {
    const session = this.#open(access);
    const body = {
      query,
      from: String(from.getTime()),
      to: String(to.getTime()),
      timeZone: 'UTC',
      byReceiptTime: true,
      requiresRawMessages: true,
    };
    const { id } = parsed(createdJob, await this.#call(session, 'POST', jobsPath, signal, body));
    try {
      await onCreated(id);
      const { isPaused, messageCount } = await this.#finished(session, id, signal);
      if (isPaused) return 'paused';
      for (let offset = 0; offset < messageCount; ) {
        const path = `${jobsPath}/${id}/messages?offset=${String(offset)}&limit=${String(pageSize)}`;
        const { messages } = parsed(messagePage, await this.#call(session, 'GET', path, signal));
        if (messages.length === 0) throw new SumoLogicError('Unavailable', { status: 200 });
        await onPage(messages);
        offset += messages.length;
      }
      return 'done';
    } finally {
      // The signal of the search may be aborted, and its job has to be deleted all the same.
      await this.#delete(session, id).then(
        () => onDeleted(id),
        () => {},
      );
    }
  }

  /**
   * Deletes a job of a former process. A job that SumoLogic no longer shows counts as deleted: its session has ended, and SumoLogic cancels it. Rejects with a
   * SumoLogicError, with the reason of `signal`, and with a TypeError for an ID that SumoLogic cannot have made.
   */
  async deleteJob(access: SumoLogicAccess, id: string, signal: AbortSignal): Promise<void> {
    if (!jobID.test(id)) throw new TypeError('not the ID of a search job');
    return this.#delete(this.#open(access), id, signal);
  }

  async #finished(
    session: Session,
    id: string,
    signal: AbortSignal,
  ): Promise<{ isPaused: boolean; messageCount: number }> {
    for (let polls = 0; polls < maxPolls; polls += 1) {
      const { pollMs, clock } = this.#options;
      await sleep(polls === 0 ? Math.min(firstPollMs, pollMs) : pollMs, signal, clock);
      const { state, messageCount } = parsed(jobStatus, await this.#call(session, 'GET', `${jobsPath}/${id}`, signal));
      if (state === 'DONE GATHERING RESULTS') return { isPaused: false, messageCount };
      if (state === 'FORCE PAUSED') return { isPaused: true, messageCount };
      if (state === 'CANCELLED') throw new SumoLogicError('JobGone', { status: 200 });
    }
    throw new SumoLogicError('Unavailable', { code: 'SEARCH_TAKES_TOO_LONG' });
  }

  async #delete(session: Session, id: string, signal?: AbortSignal): Promise<void> {
    try {
      const timedOut = () => new SumoLogicError('Unavailable', { code: 'DELETION_TAKES_TOO_LONG' });
      await withTimeout({ signal, timeoutMs: deletionMs, timedOut }, (until) =>
        this.#call(session, 'DELETE', `${jobsPath}/${id}`, until),
      );
    } catch (error) {
      if (!(error instanceof SumoLogicError && error.kind === 'JobGone')) throw error;
    }
  }

  #open(access: SumoLogicAccess): Session {
    const base = sumoLogicURLFor(this.#options.urlTemplate, access.deployment);
    return { base, access, cookies: new Map() };
  }

  /** Returns the body of a 2xx. Repeats what SumoLogic has not done for certain: every 429, and everything else but a POST. */
  async #call(
    session: Session,
    method: 'POST' | 'GET' | 'DELETE',
    path: string,
    signal: AbortSignal,
    body?: object,
  ): Promise<unknown> {
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.#send(session, method, path, signal, body);
      signal.throwIfAborted();
      const error = errorOf(outcome, method);
      if (outcome.kind === 'answer' && error === undefined) return outcome.body;
      const isTransient = error?.kind === 'RateLimited' || (error?.kind === 'Unavailable' && method !== 'POST');
      if (!isTransient || attempt === maxAttempts) throw error;
      const header = outcome.kind === 'answer' ? outcome.headers['retry-after'] : undefined;
      const askedMs = retryAfterMs(header, this.#options.nowMs()) ?? 0;
      const waitMs = Math.max(firstRetryMs * 2 ** (attempt - 1), askedMs);
      // SumoLogic would cancel the job during a longer wait.
      if (waitMs > maxRetryMs) throw error;
      await sleep(waitMs, signal, this.#options.clock);
    }
  }

  async #send(
    { base, access, cookies }: Session,
    method: 'POST' | 'GET' | 'DELETE',
    path: string,
    signal: AbortSignal,
    body?: object,
  ): Promise<HTTPOutcome> {
    const { accessID, accessKey } = access;
    await this.#pacer.turn(`${base.href} ${accessID}`, signal);
    const outcome = await this.#options.connections.send({
      method,
      url: new URL(path, base),
      headers: {
        accept: 'application/json',
        authorization: `Basic ${Buffer.from(`${accessID}:${accessKey}`).toString('base64')}`,
        ...(cookies.size === 0 ? {} : { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') }),
      },
      body,
      signal,
      fence: method === 'POST' ? this.#options.fence : undefined,
    });
    if (outcome.kind === 'answer') keepCookies(cookies, outcome.headers['set-cookie'] ?? []);
    return outcome;
  }
}

const maxCookies = 16;

function keepCookies(cookies: Map<string, string>, lines: readonly string[]): void {
  for (const line of lines) {
    const [, name, value] = /^([\w!#$%&'*+.^`|~-]{1,128})=([\x21-\x3a\x3c-\x7e]{0,4096})(?:;|$)/.exec(line) ?? [];
    if (name !== undefined && value !== undefined && (cookies.has(name) || cookies.size < maxCookies))
      cookies.set(name, value);
  }
}

/** Returns the error of an outcome, or undefined for a 2xx with an object. */
function errorOf(outcome: HTTPOutcome, method: string): SumoLogicError | undefined {
  if (outcome.kind === 'none') return new SumoLogicError('Unavailable', { code: outcome.code });
  const { status, headers, body } = outcome;
  switch (status) {
    case 301:
      return new SumoLogicError('WrongDeployment', { status, deployment: deploymentIn(headers.location) });
    case 400:
      return new SumoLogicError(method === 'POST' ? 'InvalidQuery' : 'Unavailable', { status });
    case 401:
      return new SumoLogicError('Unauthorized', { status });
    case 403:
      return new SumoLogicError('Forbidden', { status });
    case 404:
      return new SumoLogicError(method === 'POST' ? 'Unavailable' : 'JobGone', { status });
    case 429:
      return new SumoLogicError('RateLimited', { status });
  }
  const isAnswer = status >= 200 && status < 300 && body !== 'unreadable';
  return isAnswer ? undefined : new SumoLogicError('Unavailable', { status });
}

function parsed<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  throw new SumoLogicError('Unavailable', { status: 200 });
}
