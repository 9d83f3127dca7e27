import { describe, expect, test } from '@jest/globals';
import { createFaults, type FaultRule } from '../../../../sandbox/konnect/faults.ts';
import { bench, destination, full, other } from './support.ts';

const path = '/global/v3/audit-log-destinations';

describe('faults', () => {
  test('a status replaces the answer, and Konnect does not execute the call', async () => {
    await using konnect = await bench();
    konnect.server.control.fail({ kind: 'status', status: 503, retryAfter: 7, match: { method: 'POST' }, times: 1 });
    const failed = await konnect.call('POST', path, { body: destination });
    expect(failed).toMatchObject({ status: 503, type: 'application/problem+json', body: { status: 503 } });
    expect(failed.headers.get('retry-after')).toBe('7');
    expect(failed.body['detail']).toContain(destination.endpoint);
    expect((await konnect.call('GET', path)).body['data']).toEqual([]);
    expect((await konnect.call('POST', path, { body: destination })).status).toBe(201);
  });

  test('a status can replace the answer to an executed call', async () => {
    await using konnect = await bench();
    konnect.server.control.fail({ kind: 'status', status: 502, done: true, body: 'html', times: 1 });
    expect(await konnect.call('POST', path, { body: destination })).toMatchObject({ status: 502, type: 'text/html' });
    expect((await konnect.call('GET', path)).body['data']).toHaveLength(1);
  });

  test('429 has the form that the gateway sends, with and without Retry-After', async () => {
    await using konnect = await bench();
    const fault = konnect.server.control.fail({ kind: 'status', status: 429 });
    const bare = await konnect.call('GET', path);
    expect(bare).toMatchObject({ status: 429, type: 'application/json' });
    expect([bare.headers.get('retry-after'), bare.headers.get('ratelimit-limit')]).toEqual([null, '3000']);
    fault.remove();
    konnect.server.control.fail({ kind: 'status', status: 429, retryAfter: 77 });
    expect((await konnect.call('GET', path)).headers.get('retry-after')).toBe('77');
  });

  test('a limit counts all calls of an organization in a window, and says when the next window begins', async () => {
    await using konnect = await bench();
    const limit = konnect.server.control.fail({ kind: 'rate-limit', requests: 2, windowMs: 60_000 });
    const asked = ['/global/v3/organizations/me', path, path, '/us/v3/audit-log-webhook'];
    const answers = await Promise.all(asked.slice(0, 2).map((one) => konnect.call('GET', one)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    const refused = await konnect.call('GET', path);
    expect(refused).toMatchObject({ status: 429, type: 'application/json' });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(55);
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(60);
    expect((await konnect.call('GET', '/us/v3/audit-log-webhook')).status).toBe(429);
    expect((await konnect.call('GET', path, { token: other })).status).toBe(200);
    expect((await konnect.call('GET', path, { token: 'kpat_nobody' })).status).toBe(401);
    expect(limit.hits()).toBe(2);
  });

  test('a limit allows the same number of calls in the next window', () => {
    let nowMs = 0;
    const faults = createFaults(() => nowMs);
    faults.add({ kind: 'rate-limit', requests: 3, windowMs: 10_000, match: { region: 'us' } });
    const subject = { method: 'GET', region: 'us', path: '/', token: 't', organizationID: 'blue' };
    const refusals = () => Array.from({ length: 5 }, () => faults.take(subject)).filter((met) => met.length > 0);
    expect(refusals()).toEqual([
      [{ kind: 'status', status: 429, retryAfter: 10 }],
      [{ kind: 'status', status: 429, retryAfter: 10 }],
    ]);
    nowMs = 9_001;
    expect(faults.take(subject)).toEqual([{ kind: 'status', status: 429, retryAfter: 1 }]);
    expect(faults.take({ ...subject, organizationID: 'green' })).toEqual([]);
    expect(faults.take({ ...subject, region: 'eu' })).toEqual([]);
    nowMs = 10_000;
    expect(refusals()).toHaveLength(2);
  });

  test('bodies can be truncated, huge or empty', async () => {
    await using konnect = await bench();
    konnect.server.control.fail({ kind: 'status', status: 200, body: 'truncated', times: 1 });
    konnect.server.control.fail({ kind: 'status', status: 200, body: 'huge', times: 1 });
    konnect.server.control.fail({ kind: 'status', status: 200, body: 'empty', times: 1 });
    await expect(konnect.call('GET', path)).rejects.toThrow('terminated');
    expect((await konnect.call('GET', path)).text.length).toBeGreaterThan(16_000_000);
    expect(await konnect.call('GET', path)).toMatchObject({ status: 200, text: '' });
  });

  test('a connection can drop before or after the call is executed', async () => {
    await using konnect = await bench();
    konnect.server.control.fail({ kind: 'drop-before', match: { method: 'POST' }, times: 1 });
    await expect(konnect.call('POST', path, { body: destination })).rejects.toThrow('fetch failed');
    expect((await konnect.call('GET', path)).body['data']).toEqual([]);
    konnect.server.control.fail({ kind: 'drop-after', match: { method: 'POST' }, times: 1 });
    await expect(konnect.call('POST', path, { body: destination })).rejects.toThrow('fetch failed');
    expect((await konnect.call('GET', path)).body['data']).toHaveLength(1);
    expect(konnect.server.control.calls().map(({ method, status }) => [method, status])).toEqual([
      ['POST', undefined],
      ['GET', 200],
      ['POST', 201],
      ['GET', 200],
    ]);
  });

  test('latency delays a call before anything else happens', async () => {
    await using konnect = await bench();
    konnect.server.control.fail({ kind: 'latency', ms: 60, times: 1 });
    konnect.server.control.fail({ kind: 'status', status: 500, times: 1 });
    const start = performance.now();
    expect((await konnect.call('GET', path)).status).toBe(500);
    expect(performance.now() - start).toBeGreaterThan(50);
    expect(konnect.server.control.calls()).toMatchObject([{ faults: ['latency', 'status'], status: 500 }]);
  });

  test('stopping does not wait for latency', async () => {
    await using konnect = await bench();
    konnect.server.control.fail({ kind: 'latency', ms: 600_000 });
    const asked = konnect.call('GET', path).catch(String);
    while (konnect.server.control.calls().length === 0) await new Promise(setImmediate);
    await konnect.server.stop();
    expect(await asked).toContain('fetch failed');
    konnect.server.stop = () => Promise.resolve();
  });

  test('a redirect leads to an address that records a client that follows it', async () => {
    await using konnect = await bench();
    konnect.server.control.fail({ kind: 'redirect', times: 1 });
    const redirected = await konnect.call('GET', path);
    expect(redirected.status).toBe(307);
    await konnect.call('GET', redirected.headers.get('location') ?? '');
    expect(konnect.server.control.calls().at(-1)).toMatchObject({
      path: '/redirected/v3/audit-log-destinations',
      status: 404,
    });
  });

  test('all types can be wrong', async () => {
    await using konnect = await bench();
    await konnect.createDestination();
    konnect.server.control.fail({ kind: 'wrong-types', times: 1 });
    const { status, body } = await konnect.call('GET', path);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      data: { items: [{ id: 36, skip_ssl_verification: 'false' }] },
      meta: { size: '10', next: 'null' },
    });
  });

  test.each<[string, FaultRule['match'], boolean]>([
    ['its method', { method: 'get' }, true],
    ['another method', { method: 'POST' }, false],
    ['its path', { path: '/v3/audit-log-destinations' }, true],
    ['a part of its path', { path: '/v3/audit-log' }, false],
    ['a glob', { path: '/v*/audit-log-*' }, true],
    ['the source of a RegExp', { path: '^/v3/audit' }, true],
    ['a RegExp', { path: /destinations$/g }, true],
    ['its operation', { operation: 'get-audit-log-destinations' }, true],
    ['another operation', { operation: 'create-audit-log-destination' }, false],
    ['its region', { region: 'global' }, true],
    ['another region', { region: 'us' }, false],
    ['its token', { token: full }, true],
    ['another token', { token: other }, false],
  ])('a rule matches a request by %s', async (_, match = {}, hit) => {
    await using konnect = await bench();
    const fault = konnect.server.control.fail({ kind: 'status', status: 500, match });
    expect((await konnect.call('GET', path)).status).toBe(hit ? 500 : 200);
    expect(fault.hits()).toBe(hit ? 1 : 0);
  });

  test('a rule can skip some calls first, and all rules are removed at once', async () => {
    await using konnect = await bench();
    konnect.server.control.fail({ kind: 'status', status: 500, skip: 1, times: 1 });
    const statuses: number[] = [];
    for (let n = 0; n < 3; n += 1) statuses.push((await konnect.call('GET', path)).status);
    expect(statuses).toEqual([200, 500, 200]);
    konnect.server.control.fail({ kind: 'drop-before' });
    konnect.server.control.clearFaults();
    expect((await konnect.call('GET', path)).status).toBe(200);
  });
});
