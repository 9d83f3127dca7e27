import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Agent, request } from 'undici';
import * as z from 'zod';
import { type Authority, createAuthority } from '../../../../sandbox/certificates.ts';
import { type SumoLogicServer, startSumoLogic } from '../../../../sandbox/sumologic/server.ts';

const startMs = Date.parse('2025-06-23T15:00:00Z');
const credentials = `Basic ${Buffer.from('access-id:access-key').toString('base64')}`;
const gatheringMs = 4000;
const lines = [
  '2025-06-23T14:28:47Z konghq.com CEF:0|KongInc|Dev-Portal|1.0|A|B|0|rt=1',
  '2025-06-23T14:28:49Z konghq.com CEF:0|KongInc|Konnect|1.0|C|D|0|rt=3',
  '2025-06-23T14:28:48Z konghq.com CEF:0|KongInc|Konnect|1.0|E|F|0|rt=2',
];

const messagesOf = z.array(z.object({ map: z.record(z.string(), z.string()) }));

let authority: Authority;
let agent: Agent;
let server: SumoLogicServer;
let nowMs = startMs;

beforeAll(async () => {
  authority = await createAuthority('test');
  agent = new Agent({ connect: { ca: authority.certificate } });
});

beforeEach(async () => {
  nowMs = startMs;
  server = await startSumoLogic({
    authority,
    sources: [{ code: 'portal' }, { code: 'konnect', name: 'Konnect' }],
    accessKeys: [
      { id: 'access-id', key: 'access-key' },
      { id: 'other', key: 'access-key' },
    ],
    clock: () => new Date(nowMs),
    gatheringMs,
  });
  await call('POST', server.receiverURL('portal'), { body: lines[0] });
  await call('POST', server.receiverURL('konnect'), { body: lines.slice(1).join('\n') });
});

afterEach(() => server.stop());
afterAll(() => agent.destroy());

interface Reply {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly cookie: string;
  readonly location: string;
}

/** Calls the API. Unless `noWait` is set, the clock advances first, so that the rate limit of four requests a second does not apply. */
async function call(
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  url: string,
  options: { body?: string | undefined; headers?: Record<string, string>; noWait?: boolean } = {},
): Promise<Reply> {
  if (options.noWait !== true) nowMs += 250;
  const response = await request(url, {
    method,
    dispatcher: agent,
    headers: { authorization: credentials, ...options.headers },
    ...(options.body === undefined ? {} : { body: options.body }),
  });
  const text = await response.body.text();
  return {
    status: response.statusCode,
    body: text === '' ? {} : z.record(z.string(), z.unknown()).parse(JSON.parse(text)),
    cookie: [response.headers['set-cookie'] ?? []]
      .flat()
      .map((line) => line.split(';')[0])
      .join('; '),
    location: [response.headers['location'] ?? ''].flat()[0] ?? '',
  };
}

const search = {
  query: '_sourcecategory="Http Input"',
  from: '2025-06-23T14:00:00',
  to: '2025-06-23T15:00:00',
  timeZone: 'UTC',
  requiresRawMessages: true,
};

function create(body: unknown, headers: Record<string, string> = {}): Promise<Reply> {
  return call('POST', `${server.url}/api/v1/search/jobs`, {
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  });
}

/** The lines of a search that has been waited for. */
async function found(body: unknown, page = 'offset=0&limit=100'): Promise<unknown[]> {
  const job = await create(body);
  nowMs += gatheringMs;
  const { body: answer } = await call('GET', `${job.location}/messages?${page}`, { headers: { cookie: job.cookie } });
  return messagesOf.parse(answer['messages']).map(({ map }) => map['_raw']);
}

describe('a search job', () => {
  test('changes from not started to gathering to done, finds the latest lines first, and no longer exists after its deletion', async () => {
    const job = await create(search);
    expect(job).toMatchObject({ status: 202, body: { id: expect.stringMatching(/^[0-9A-F]{16}$/) } });
    const headers = { cookie: job.cookie };

    expect((await call('GET', job.location, { headers })).body).toMatchObject({
      state: 'NOT STARTED',
      messageCount: 0,
    });
    nowMs += gatheringMs / 2;
    expect((await call('GET', job.location, { headers })).body).toMatchObject({ state: 'GATHERING RESULTS' });
    nowMs += gatheringMs / 2;
    expect((await call('GET', job.location, { headers })).body).toStrictEqual({
      state: 'DONE GATHERING RESULTS',
      messageCount: 3,
      recordCount: 0,
      histogramBuckets: [],
      pendingErrors: [],
      pendingWarnings: [],
    });

    const { body } = await call('GET', `${job.location}/messages?offset=0&limit=10`, { headers });
    expect(body['messages']).toMatchObject([
      { map: { _raw: lines[1], _source: 'Konnect', _messagetime: String(Date.parse('2025-06-23T14:28:49Z')) } },
      { map: { _raw: lines[2], _sourcecategory: 'Http Input' } },
      { map: { _raw: lines[0], _source: 'Http Input' } },
    ]);
    expect((await call('DELETE', job.location, { headers })).status).toBe(200);
    expect((await call('GET', job.location, { headers })).status).toBe(404);
  });

  test('finds the lines of a query and a time range, by page', async () => {
    expect(await found({ ...search, query: '_source=Konnect' })).toStrictEqual([lines[1], lines[2]]);
    expect(await found(search, 'offset=1&limit=1')).toStrictEqual([lines[2]]);
    expect(await found({ ...search, to: '2025-06-23T14:28:49' })).toStrictEqual([lines[2], lines[0]]);
    expect(
      await found({ ...search, from: '2025-06-23T16:28:48', to: '2025-06-23T16:28:49', timeZone: 'Europe/Berlin' }),
    ).toStrictEqual([lines[2]]);
    const late = { ...search, from: startMs, to: startMs + 60_000 };
    expect(await found(late)).toStrictEqual([]);
    expect(await found({ ...late, byReceiptTime: true })).toHaveLength(3);
    expect(await found({ ...search, requiresRawMessages: undefined })).toStrictEqual([]);
  });

  test('is canceled after more than 30 s without a request', async () => {
    const job = await create(search);
    const headers = { cookie: job.cookie };
    nowMs += 30_000 - 250;
    expect((await call('GET', job.location, { headers })).status).toBe(200);
    nowMs += 30_000;
    expect(await call('GET', job.location, { headers })).toMatchObject({
      status: 404,
      body: { status: 404, id: expect.stringMatching(/^(?:[A-Z]{5}-){2}[A-Z]{5}$/), code: 'searchjob.jobid.invalid' },
    });
  });

  test('is found neither without its cookie nor by another key', async () => {
    const job = await create(search);
    const other = { authorization: `Basic ${Buffer.from('other:access-key').toString('base64')}`, cookie: job.cookie };
    expect((await call('GET', job.location)).status).toBe(404);
    expect((await call('GET', `${job.location}/messages?offset=0&limit=1`)).status).toBe(404);
    expect((await call('GET', job.location, { headers: other })).status).toBe(404);
    expect((await call('GET', job.location, { headers: { cookie: job.cookie } })).status).toBe(200);
  });

  test('is refused beyond the jobs of the organization, whichever key they belong to', async () => {
    server.control.behave({ maxJobs: 2 });
    const other = { authorization: `Basic ${Buffer.from('other:access-key').toString('base64')}` };
    const first = await create(search);
    expect((await create(search, other)).status).toBe(202);
    expect(await create(search)).toMatchObject({ status: 429, body: { code: 'rate.limit.exceeded' } });
    expect(server.control.searchJobs()).toHaveLength(2);
    await call('DELETE', first.location, { headers: { cookie: first.cookie } });
    expect((await create(search)).status).toBe(202);
  });

  test('is paused when it has found its maximum of messages, and returns no more', async () => {
    server.control.behave({ maxMessages: 2 });
    const job = await create(search);
    const headers = { cookie: job.cookie };
    nowMs += gatheringMs;
    expect((await call('GET', job.location, { headers })).body).toMatchObject({
      state: 'FORCE PAUSED',
      messageCount: 2,
    });
    const { body } = await call('GET', `${job.location}/messages?offset=0&limit=10`, { headers });
    expect(body['messages']).toHaveLength(2);
  });

  test('is found without its cookie where none is needed', async () => {
    server.control.behave({ needsCookies: false });
    const job = await create(search);
    expect((await call('GET', job.location)).status).toBe(200);
    expect((await call('DELETE', job.location)).status).toBe(200);
    expect(server.control.searchJobs()).toEqual([]);
  });
});

describe('the Search Job API', () => {
  test('accepts four requests a second for each key', async () => {
    const url = `${server.url}/api/v1/search/jobs/0`;
    nowMs += 10_000;
    const statuses: number[] = [];
    for (let count = 0; count < 6; count += 1) statuses.push((await call('GET', url, { noWait: true })).status);
    expect(statuses).toStrictEqual([404, 404, 404, 404, 429, 429]);
    nowMs += 1000;
    expect((await call('GET', url, { noWait: true })).status).toBe(404);
  });

  test('redirects a key of another deployment there, and refuses one without the role', async () => {
    server.control.setAccessKey({ id: 'access-id', key: 'access-key', deployment: 'us2' });
    expect(await create(search)).toMatchObject({
      status: 301,
      location: 'https://api.us2.sumologic.com/api/v1/search/jobs',
    });
    server.control.setAccessKey({ id: 'access-id', key: 'access-key', maySearch: false });
    expect(await create(search)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
  });

  test('gives injected answers a number of times', async () => {
    server.control.respondToSearch(503, 1);
    server.control.respondToSearch(429, 1);
    const statuses = [await create(search), await create(search), await create(search)].map(({ status }) => status);
    expect(statuses).toStrictEqual([503, 429, 202]);
  });

  test.each(['', 'Bearer access-key', `Basic ${Buffer.from('access-id:wrong').toString('base64')}`])(
    'answers 401 to the credentials "%s"',
    async (authorization) => {
      expect(await create(search, { authorization })).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
    },
  );

  test.each([
    [{ ...search, query: undefined }, 'searchjob.no.query'],
    [{ ...search, query: 'a OR b' }, 'searchjob.parse.error'],
    [{ ...search, from: '-15m' }, 'searchjob.invalid.timestamp.from'],
    [{ ...search, to: undefined }, 'searchjob.invalid.timestamp.to'],
    [{ ...search, from: search.to, to: search.from }, 'searchjob.to.smaller.than.from'],
    [{ ...search, timeZone: undefined }, 'searchjob.empty.timezone'],
    [{ ...search, timeZone: 'Moon/Crater' }, 'searchjob.unknown.timezone'],
    [{ ...search, byReceiptTime: 'yes' }, 'searchjob.generic'],
    [{ ...search, limit: 10 }, 'searchjob.generic'],
    [[], 'searchjob.generic'],
  ])('refuses the body %j with %s', async (body, code) => {
    expect(await create(body)).toMatchObject({
      status: 400,
      body: { status: 400, id: expect.any(String), code, message: expect.any(String) },
    });
  });

  test('refuses other content types, methods, records and pages without an offset or a limit', async () => {
    expect(await create(search, { 'content-type': 'text/plain' })).toMatchObject({ status: 415 });
    expect(await call('PUT', `${server.url}/api/v1/search/jobs`)).toMatchObject({ status: 405 });
    const job = await create(search);
    const headers = { cookie: job.cookie };
    const pages = [
      'messages?limit=1',
      'messages?offset=-1&limit=1',
      'messages?offset=0',
      'messages?offset=0&limit=0',
      'records',
    ];
    const codes: unknown[] = [];
    for (const page of pages) codes.push((await call('GET', `${job.location}/${page}`, { headers })).body['code']);
    expect(codes).toStrictEqual([
      'searchjob.offset.missing',
      'searchjob.offset.negative',
      'searchjob.limit.missing',
      'searchjob.limit.zero',
      'searchjob.no.records.not.an.aggregation.query',
    ]);
  });
});
