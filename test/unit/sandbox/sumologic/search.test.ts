import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Agent, request } from 'undici';
import { type Authority, createAuthority } from '../../../../sandbox/certificates.ts';
import { SearchError, searchMessages } from '../../../../sandbox/sumologic/search.ts';
import { type SumoLogicServer, startSumoLogic } from '../../../../sandbox/sumologic/server.ts';

let authority: Authority;
let server: SumoLogicServer;
/** 300 ms ahead every time it is read, so that neither waiting nor the rate limit takes real time. */
let readings = 0;
const startMs = Date.parse('2025-06-23T15:00:00Z');

beforeAll(async () => {
  authority = await createAuthority('test');
  server = await startSumoLogic({
    authority,
    sources: [{ code: 'konnect', name: 'Konnect' }],
    accessKeys: [{ id: 'access-id', key: 'access-key' }],
    clock: () => new Date(startMs + (readings += 1) * 300),
    gatheringMs: 3000,
    searchBehavior: { maxJobs: 10 },
  });
  const agent = new Agent({ connect: { ca: authority.certificate } });
  const body = Array.from({ length: 20 }, (_, index) => `line ${index}`).join('\n');
  const response = await request(server.receiverURL('konnect'), { method: 'POST', dispatcher: agent, body });
  await response.body.dump();
  await agent.destroy();
});

afterAll(() => server.stop());

function search(
  options: { query?: string; accessKey?: string; signal?: AbortSignal; pollMs?: number } = {},
): Promise<string[]> {
  return searchMessages({
    url: server.url,
    accessId: 'access-id',
    accessKey: 'access-key',
    query: '_source=Konnect',
    from: new Date(startMs),
    to: new Date(startMs + 3_600_000),
    authority: authority.certificate,
    pollMs: 1,
    ...options,
  });
}

describe('a search through the API', () => {
  test('polls until the job is done and returns the raw messages', async () => {
    const messages = await search();
    expect(messages).toHaveLength(20);
    expect(messages).toContain('line 7');
    expect(await search({ query: '_source=Konnect "line 7"' })).toStrictEqual(['line 7']);
    expect(await search({ query: '_source=Nobody' })).toStrictEqual([]);
  });

  test('deletes its job, so that more searches succeed than jobs are allowed at a time', async () => {
    for (let count = 0; count < 12; count += 1) expect(await search({ query: '"line 3"' })).toStrictEqual(['line 3']);
  });

  test('fails with what SumoLogic answered, and without the credentials', async () => {
    const wrongKey = search({ accessKey: 'wrong-access-key' });
    await expect(wrongKey).rejects.toMatchObject({ name: 'SearchError', status: 401, code: 'unauthorized' });
    await expect(wrongKey).rejects.not.toThrow('wrong-access-key');
    await expect(search({ query: 'a OR b' })).rejects.toThrow(SearchError);
    await expect(search({ query: 'a OR b' })).rejects.toMatchObject({ status: 400, code: 'searchjob.parse.error' });
  });

  test('ends when its signal is aborted', async () => {
    const abort = new AbortController();
    const searching = search({ signal: abort.signal, pollMs: 60_000 });
    abort.abort();
    await expect(searching).rejects.toThrow('aborted');
  });
});
