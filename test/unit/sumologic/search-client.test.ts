import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Agent, request } from 'undici';
import { type Authority, createAuthority } from '../../../sandbox/certificates.ts';
import { type SumoLogicServer, startSumoLogic } from '../../../sandbox/sumologic/server.ts';
import { HTTPConnections, type HTTPOutcome, type HTTPRequest } from '../../../src/http/http-connections.ts';
import type { Clock } from '../../../src/runtime/clock.ts';
import { FencedError } from '../../../src/runtime/write-fence.ts';
import type { SumoLogicError } from '../../../src/sumologic/errors.ts';
import {
  type FoundMessage,
  SearchClient,
  type SearchEnd,
  type SearchEvents,
} from '../../../src/sumologic/search-client.ts';

const startMs = Date.parse('2026-01-02T03:00:00Z');
const gatheringMs = 30_000;
const { signal } = new AbortController();
const access = { deployment: 'us1', accessID: 'access-id', accessKey: 'access-key' };

let authority: Authority;
let agent: Agent;
let server: SumoLogicServer;
let connections: HTTPConnections;
/** Waiting moves this clock of the client and of SumoLogic, and takes no time. */
let nowMs: number;
let waits: number[];

beforeAll(async () => {
  authority = await createAuthority('test');
  agent = new Agent({ connect: { ca: authority.certificate } });
});

beforeEach(async () => {
  nowMs = startMs;
  waits = [];
  server = await startSumoLogic({
    authority,
    sources: [{ code: 'konnect', name: 'Konnect' }],
    accessKeys: [{ id: access.accessID, key: access.accessKey }],
    clock: () => new Date(nowMs),
    gatheringMs,
  });
  connections = new HTTPConnections({
    userAgent: 'test',
    timeoutMs: 5_000,
    maxAnswerBytes: 8 * 1024 * 1024,
    maxSockets: 4,
  });
});

afterEach(async () => {
  connections.close();
  await server.stop();
});

afterAll(() => agent.destroy());

const clock: Clock = {
  now: () => nowMs,
  schedule(callback, delayMs) {
    waits.push(delayMs);
    nowMs += delayMs;
    const timer = setImmediate(callback);
    return () => clearImmediate(timer);
  },
};

function client(fence?: () => void): SearchClient {
  return new SearchClient({ connections, urlTemplate: server.plainURL, clock, nowMs: () => nowMs, fence });
}

async function receive(lines: readonly string[]): Promise<void> {
  const url = server.receiverURL('konnect');
  const response = await request(url, { method: 'POST', dispatcher: agent, body: lines.join('\n') });
  await response.body.dump();
}

interface Search {
  readonly end: SearchEnd;
  readonly messages: readonly FoundMessage[];
  readonly pages: number;
  readonly created: readonly string[];
  readonly deleted: readonly string[];
}

async function search(
  changes: Partial<SearchEvents & { query: string; signal: AbortSignal; fence: () => void }> = {},
): Promise<Search> {
  const pages: (readonly FoundMessage[])[] = [];
  const [created, deleted]: [string[], string[]] = [[], []];
  const { query = '_source=Konnect', signal: until = signal, fence, ...events } = changes;
  const range = { query, from: new Date(startMs - 60_000), to: new Date(startMs + 3_600_000) };
  const end = await client(fence).search(
    access,
    range,
    {
      onCreated: async (id) => void created.push(id),
      onPage: async (page) => void pages.push(page),
      onDeleted: (id) => deleted.push(id),
      ...events,
    },
    until,
  );
  return { end, messages: pages.flat(), pages: pages.length, created, deleted };
}

describe('a search', () => {
  test('asks after 5 s and then every 20 s, returns every message with its time of receipt by pages, and deletes its job', async () => {
    const lines = Array.from({ length: 2_500 }, (_, index) => `line ${String(index)}`);
    await receive(lines);
    const { end, messages, pages, created, deleted } = await search();
    expect(end).toBe('done');
    expect(new Set(messages.map(({ text }) => text))).toEqual(new Set(lines));
    expect(messages[0]?.receivedMs).toBe(startMs);
    expect(pages).toBe(3);
    expect(waits.filter((ms) => ms >= 5_000)).toEqual([5_000, 20_000, 20_000]);
    expect(deleted).toEqual(created);
    expect(server.control.searchJobs()).toEqual([]);
  });

  test('needs no cookies and keeps those that it gets', async () => {
    await receive(['line']);
    await expect(search()).resolves.toMatchObject({ end: 'done', pages: 1 });
    server.control.behave({ needsCookies: false });
    await expect(search()).resolves.toMatchObject({ end: 'done', pages: 1 });
  });

  test('ends as paused if SumoLogic returns no more messages, without any', async () => {
    server.control.behave({ maxMessages: 2 });
    await receive(['a', 'b', 'c']);
    await expect(search()).resolves.toMatchObject({ end: 'paused', pages: 0 });
    expect(server.control.searchJobs()).toEqual([]);
  });

  test('waits longer after each 429 and 5xx, and gives up after five answers', async () => {
    server.control.respondToSearch(429, 3);
    await expect(search()).resolves.toMatchObject({ end: 'done' });
    expect(waits.filter((ms) => ms < 5_000 && ms >= 1_000)).toEqual([1_000, 2_000, 4_000]);
    server.control.respondToSearch(429, 5);
    await expect(search()).rejects.toMatchObject({ kind: 'RateLimited', status: 429 });
  });

  test('does not repeat a creation that may have happened', async () => {
    server.control.respondToSearch(503, 1);
    await expect(search()).rejects.toMatchObject({ kind: 'Unavailable', status: 503 });
    await expect(search()).resolves.toMatchObject({ end: 'done' });
  });

  test('creates nothing if this process may not write', async () => {
    const fence = () => {
      throw new FencedError('not the leader');
    };
    await expect(search({ fence })).rejects.toThrow(FencedError);
    expect(server.control.searchJobs()).toEqual([]);
  });

  test('deletes its job when it is aborted or a callback fails', async () => {
    const abort = new AbortController();
    const aborted = search({
      signal: abort.signal,
      onCreated: async () => abort.abort(new Error('stop')),
    });
    await expect(aborted).rejects.toThrow('stop');
    await expect(search({ onCreated: async () => Promise.reject(new Error('conflict')) })).rejects.toThrow('conflict');
    expect(server.control.searchJobs()).toEqual([]);
  });

  test('says that a job is not deleted if SumoLogic does not delete it', async () => {
    const [created, deleted]: [string[], string[]] = [[], []];
    const failing = search({
      onCreated: async (id) => {
        created.push(id);
        server.control.respondToSearch(503, 100);
      },
      onDeleted: (id) => deleted.push(id),
    });
    await expect(failing).rejects.toMatchObject({ kind: 'Unavailable' });
    expect([created.length, deleted]).toEqual([1, []]);
  });
});

describe('a refused search', () => {
  test.each<[string, Partial<Parameters<SumoLogicServer['control']['setAccessKey']>[0]>, Partial<SumoLogicError>]>([
    ['a wrong key', { key: 'another' }, { kind: 'Unauthorized', status: 401 }],
    ['a key without the role', { maySearch: false }, { kind: 'Forbidden', status: 403 }],
    ['a key of another deployment', { deployment: 'us2' }, { kind: 'WrongDeployment', status: 301, deployment: 'us2' }],
  ])('names the cause: %s', async (_name, key, error) => {
    server.control.setAccessKey({ id: access.accessID, key: access.accessKey, ...key });
    await expect(search()).rejects.toMatchObject(error);
  });

  test('names an invalid query', async () => {
    await expect(search({ query: 'a OR b' })).rejects.toMatchObject({ kind: 'InvalidQuery', status: 400 });
  });

  test('has no credentials in its error', async () => {
    server.control.setAccessKey({ id: access.accessID, key: 'another' });
    const error: unknown = await search().catch((caught: unknown) => caught);
    expect(String(error)).toBe('SumoLogicError: SumoLogic: Unauthorized (HTTP 401)');
    expect(JSON.stringify(error)).not.toContain(access.accessKey);
  });
});

describe('the deletion of a former job', () => {
  test('succeeds if SumoLogic deletes it, or no longer shows it', async () => {
    server.control.behave({ needsCookies: false });
    let id = '';
    await search({
      onCreated: async (created) => {
        id = created;
        await client().deleteJob(access, created, signal);
      },
    }).catch(() => {});
    expect(server.control.searchJobs()).toEqual([]);
    await expect(client().deleteJob(access, id, signal)).resolves.toBeUndefined();
  });

  test('fails while SumoLogic refuses the key', async () => {
    server.control.setAccessKey({ id: access.accessID, key: 'another' });
    await expect(client().deleteJob(access, '0123456789ABCDEF', signal)).rejects.toMatchObject({
      kind: 'Unauthorized',
    });
  });

  test('ends when it is aborted', async () => {
    const abort = new AbortController();
    const send = async (): Promise<HTTPOutcome> => {
      abort.abort(new Error('stop'));
      return new Promise(() => {});
    };
    const silent = new SearchClient({ connections: { send }, urlTemplate: server.plainURL, clock });
    await expect(silent.deleteJob(access, '0123456789ABCDEF', abort.signal)).rejects.toThrow('stop');
  });

  test('fails as unavailable if SumoLogic does not answer within five seconds', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
    const send = async (sent: HTTPRequest): Promise<HTTPOutcome> => {
      await new Promise((resolve) => sent.signal.addEventListener('abort', resolve, { once: true }));
      return { kind: 'none', code: 'ABORT_ERR', isSent: true };
    };
    const silent = new SearchClient({ connections: { send }, urlTemplate: server.plainURL, clock });
    const deletion = silent.deleteJob(access, '0123456789ABCDEF', signal).catch((error: unknown) => error);
    await jest.advanceTimersByTimeAsync(5_000);
    jest.useRealTimers();
    await expect(deletion).resolves.toMatchObject({ name: 'SumoLogicError', kind: 'Unavailable', status: undefined });
  });
});
