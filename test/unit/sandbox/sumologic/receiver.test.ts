import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Agent, request } from 'undici';
import { type Authority, createAuthority } from '../../../../sandbox/certificates.ts';
import { type SumoLogicOptions, type SumoLogicServer, startSumoLogic } from '../../../../sandbox/sumologic/server.ts';

let authority: Authority;
let agent: Agent;
const started: SumoLogicServer[] = [];

beforeAll(async () => {
  authority = await createAuthority('test');
  agent = new Agent({ connect: { ca: authority.certificate } });
});

afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.stop()));
});

afterAll(() => agent.destroy());

async function start(options: Partial<SumoLogicOptions> = {}): Promise<SumoLogicServer> {
  const server = await startSumoLogic({ authority, sources: [{ code: 'portal-code' }], ...options });
  started.push(server);
  return server;
}

async function post(url: string, body: string | Buffer, headers: Record<string, string> = {}): Promise<number> {
  const response = await request(url, { method: 'POST', dispatcher: agent, body, headers });
  await response.body.dump();
  return response.statusCode;
}

describe('an HTTP source', () => {
  test.each(['gzip', 'application/gzip'])('keeps the lines of a body packed with %s', async (encoding) => {
    const server = await start();
    const body = gzipSync('one\ntwo');
    expect(await post(server.receiverURL('portal-code'), body, { 'content-encoding': encoding })).toBe(200);
    expect(server.lines('portal-code')).toStrictEqual([
      { line: 'one', receivedAt: expect.any(Date), source: 'Http Input', category: 'Http Input' },
      { line: 'two', receivedAt: expect.any(Date), source: 'Http Input', category: 'Http Input' },
    ]);
  });

  test('keeps the lines of a plain body under its own name and category', async () => {
    const server = await start({ sources: [{ code: 'a', name: 'Konnect', category: 'audit' }, { code: 'b' }] });
    expect(await post(server.receiverURL('a'), 'one\r\n\ntwo\n')).toBe(200);
    expect(server.lines('a').map(({ line, source, category }) => [line, source, category])).toStrictEqual([
      ['one', 'Konnect', 'audit'],
      ['two', 'Konnect', 'audit'],
    ]);
    expect(server.lines('b')).toStrictEqual([]);
    expect(server.lines()).toHaveLength(2);
  });

  test('answers 401 to an unknown code, and to another Authorization if one is set', async () => {
    const server = await start({ sources: [{ code: 'a', authorization: 'Bearer right' }] });
    expect(await post(server.receiverURL('b'), 'line')).toBe(401);
    expect(await post(server.receiverURL('a'), 'line')).toBe(401);
    expect(await post(server.receiverURL('a'), 'line', { authorization: 'Bearer wrong' })).toBe(401);
    expect(await post(server.receiverURL('a'), 'line', { authorization: 'Bearer right' })).toBe(200);
    expect(server.requests().map(({ code, status }) => [code, status])).toStrictEqual([
      ['b', 401],
      ['a', 401],
      ['a', 401],
      ['a', 200],
    ]);
    expect(server.lines()).toHaveLength(1);
  });

  test('of the kind Auth Header wants its code in a header and not in the URL', async () => {
    const server = await start({ sources: [{ code: 'a', kind: 'auth-header' }, { code: 'b' }] });
    const url = server.receiverURL('a');
    expect(url).toBe(`${server.url}/receiver/v1/http`);
    expect(await post(url, 'line', { authorization: 'Bearer a' })).toBe(401);
    expect(await post(`${url}/a`, 'line')).toBe(401);
    expect(await post(url, 'line', { 'x-sumo-token': 'b' })).toBe(401);
    expect(await post(url, 'line', { 'x-sumo-token': 'a' })).toBe(200);
    expect(server.lines('a')).toHaveLength(1);
  });

  test('refuses a body that it cannot unpack', async () => {
    const server = await start();
    const url = server.receiverURL('portal-code');
    expect(await post(url, 'no gzip', { 'content-encoding': 'gzip' })).toBe(400);
    expect(await post(url, 'x', { 'content-encoding': 'br' })).toBe(400);
    expect(server.lines()).toStrictEqual([]);
  });

  test('answers 200 and drops the lines over its budget', async () => {
    const server = await start({ sources: [{ code: 'a', budgetBytes: 10 }] });
    expect(await post(server.receiverURL('a'), '12345\n67890\nx')).toBe(200);
    expect(await post(server.receiverURL('a'), 'y')).toBe(200);
    expect(server.lines('a').map(({ line }) => line)).toStrictEqual(['12345', '67890']);
    expect(server.control.droppedLines('a')).toBe(2);

    server.control.setSource({ code: 'a' });
    await post(server.receiverURL('a'), 'z');
    expect(server.lines('a').map(({ line }) => line)).toStrictEqual(['12345', '67890', 'z']);
  });

  test('gives injected answers a number of times, or until the next injection', async () => {
    const server = await start();
    const url = server.receiverURL('portal-code');
    server.control.respond('portal-code', 503, 2);
    server.control.respond('portal-code', 429, 1);
    const answers = [await post(url, 'a'), await post(url, 'b'), await post(url, 'c'), await post(url, 'd')];
    expect(answers).toStrictEqual([503, 503, 429, 200]);

    server.control.respond('portal-code', 408);
    expect([await post(url, 'e'), await post(url, 'f')]).toStrictEqual([408, 408]);
    server.control.respond('portal-code', 200);
    expect(await post(url, 'g')).toBe(200);
    expect(server.lines().map(({ line }) => line)).toStrictEqual(['d', 'g']);
    expect(() => server.control.respond('nobody', 503)).toThrow('no source');
  });

  test('is served with a certificate that a client without the sandbox authority rejects', async () => {
    const server = await start();
    const stranger = new Agent();
    const response = request(server.receiverURL('portal-code'), { method: 'POST', dispatcher: stranger, body: 'x' });
    await expect(response).rejects.toThrow('certificate');
    await stranger.destroy();
  });
});

describe('the control by HTTP', () => {
  async function control(url: string, body?: object): Promise<{ status: number; body: unknown }> {
    const response = await request(url, {
      dispatcher: agent,
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });
    const text = await response.body.text();
    return { status: response.statusCode, body: text === '' ? undefined : JSON.parse(text) };
  }

  test('shows lines and requests, adds sources and makes them fail', async () => {
    const server = await start();
    const base = `${server.url}/__sandbox`;
    expect((await control(`${base}/sources`, { code: 'new', name: 'Konnect' })).status).toBe(200);
    expect((await control(`${base}/respond`, { code: 'new', status: 504, times: 1 })).status).toBe(204);
    expect([await post(server.receiverURL('new'), 'a'), await post(server.receiverURL('new'), 'b')]).toStrictEqual([
      504, 200,
    ]);
    expect((await control(`${base}/lines?code=new`)).body).toMatchObject([{ line: 'b', source: 'Konnect' }]);
    expect((await control(`${base}/lines?code=portal-code`)).body).toStrictEqual([]);
    expect((await control(`${base}/requests`)).body).toMatchObject([{ status: 504 }, { status: 200, lines: 1 }]);
    expect((await control(`${base}/sources`)).body).toMatchObject([
      { code: 'portal-code' },
      { code: 'new', keptBytes: 1 },
    ]);
  });

  test('makes searches fail, changes access keys and shows the search jobs', async () => {
    const server = await start();
    const base = `${server.url}/__sandbox`;
    expect((await control(`${base}/access-keys`, { id: 'id', key: 'key' })).status).toBe(204);
    expect((await control(`${base}/search`, { status: 503 })).status).toBe(204);
    const authorization = `Basic ${Buffer.from('id:key').toString('base64')}`;
    const search = await request(`${server.url}/api/v1/search/jobs`, { dispatcher: agent, headers: { authorization } });
    expect(search.statusCode).toBe(503);
    expect((await control(`${base}/search-jobs`)).body).toStrictEqual([]);
  });

  test('refuses invalid requests', async () => {
    const server = await start();
    const base = `${server.url}/__sandbox`;
    expect((await control(`${base}/respond`, { code: 'portal-code', status: 500 })).status).toBe(400);
    expect((await control(`${base}/respond`, { code: 'nobody', status: 503 })).status).toBe(404);
    expect((await control(`${base}/sources`, { code: 'a/b' })).status).toBe(400);
    expect((await control(`${base}/search`, { status: 404 })).status).toBe(400);
    expect((await control(`${base}/access-keys`, { id: 'a' })).status).toBe(400);
    expect((await control(`${base}/elsewhere`)).status).toBe(404);
  });
});
