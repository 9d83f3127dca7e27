import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import got from 'got';
import { destinationSchema } from '../../../src/konnect/schema.ts';
import { Konnect } from '../../../src/konnect/session/konnect.ts';
import { createLog } from '../../../src/telemetry/log.ts';
import { clientOf, rejection, type Script, scriptedKonnect } from './scripted-konnect.ts';

const signal = new AbortController().signal;
const id = '07ec3858-066b-4629-bdc5-d4aa893b424d';

function canaries() {
  const [token, code, authorization] = [1, 2, 3].map(() => randomBytes(24).toString('base64url'));
  return {
    token: `kpat_${token}`,
    endpoint: `https://siem.example.com/receiver/v1/http/${code}`,
    authorization: `Bearer ${authorization}`,
  };
}

/** Returns all texts that a value can become: printed, serialized, logged, as a cause and deep inside fields. */
function everyPrintOf(value: unknown): string {
  const lines: string[] = [];
  for (const format of ['json', 'text'] as const) {
    const log = createLog({ level: 'trace', format, output: { write: (line) => lines.push(line) } });
    log.error({ err: value }, 'failed');
    log.error({ deep: { inside: [{ value }] } }, 'failed');
    log.error({ err: new Error('outer', { cause: new TypeError('middle', { cause: value }) }) }, 'failed');
    if (typeof value === 'object' && value !== null) log.error(value, 'failed');
  }
  return lines.join('');
}

function everyInspectionOf(error: unknown): string {
  return [
    inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true, getters: true }),
    JSON.stringify(error),
    String(error),
    error instanceof Error ? `${error.stack} ${inspect(error.cause)}` : '',
  ].join('\n');
}

/** Returns the names of the secrets in `text`, plain or encoded. */
function leaksIn(text: string, secrets: ReturnType<typeof canaries>): string[] {
  return Object.entries(secrets)
    .filter(([, secret]) => {
      const tail = secret.slice(-20);
      const base64 = Buffer.from(secret).toString('base64').slice(4, 30);
      return [tail, encodeURIComponent(tail), base64].some((form) => text.includes(form));
    })
    .map(([name]) => name);
}

describe('no error of a request contains the token, the endpoint or the authorization', () => {
  const secrets = canaries();
  const echo = `${secrets.endpoint} ${secrets.authorization} ${secrets.token}`;
  const problem = {
    status: 400,
    title: echo,
    detail: echo,
    instance: secrets.endpoint,
    message: echo,
    invalid_parameters: [
      { field: secrets.endpoint, reason: echo },
      { field: 'endpoint', reason: echo },
    ],
  };
  const headers = { 'retry-after': secrets.token, location: secrets.endpoint, 'x-echo': secrets.authorization };
  test.each<[string, Script]>([
    ...[302, 400, 401, 403, 404, 409, 422, 429, 500].map((status): [string, Script] => [
      `${status}`,
      { status, body: problem, headers },
    ]),
    ['HTML', { status: 200, body: `<html>${echo}</html>` }],
    ['wrong types', { status: 200, body: { id: echo, name: 5, endpoint: [echo], [secrets.endpoint]: echo } }],
    ['a reset connection', (answer) => answer.destroy()],
    [
      'half an answer',
      (answer) => {
        answer.writeHead(200, { 'content-length': 10_000 });
        answer.write(echo, () => answer.destroy());
      },
    ],
    ['silence', () => {}],
  ])('%s', async (_, script) => {
    await using server = await scriptedKonnect(() => script);
    using konnect = clientOf(server.urlTemplate, { token: secrets.token, timeoutMs: 100 });
    const body = { ...secrets, name: 'n', logFormat: 'cef', skipSSLVerification: false } as const;
    for (const error of await Promise.all([
      rejection(konnect.client.createDestination('v3', body, signal)),
      rejection(konnect.client.updateInlineWebhook('us', { ...body, enabled: true }, signal)),
      rejection(konnect.client.listDestinations('v3', signal)),
    ])) {
      expect(error).toHaveProperty('name', 'KonnectError');
      expect(leaksIn(everyInspectionOf(error) + everyPrintOf(error), secrets)).toEqual([]);
    }
    expect(leaksIn(inspect(konnect.calls, { depth: 9 }), secrets)).toEqual([]);
    expect(leaksIn(everyInspectionOf(konnect.client) + everyPrintOf(konnect.client), secrets)).toEqual([]);
  });

  test('a refused connection', async () => {
    using konnect = clientOf('http://127.0.0.1:1/{region}', { token: secrets.token });
    const error = await rejection(konnect.client.getDestination('v3', id, signal));
    expect(leaksIn(everyInspectionOf(error) + everyPrintOf(error), secrets)).toEqual([]);
  });
});

describe('no log contains them', () => {
  const secrets = canaries();

  test('not for an unexpected error of the HTTP library', async () => {
    await using server = await scriptedKonnect(() => ({ status: 400, body: secrets }));
    const headers = { authorization: `Bearer ${secrets.token}` };
    const url = `http://127.0.0.1:${server.port}/${encodeURIComponent(secrets.endpoint)}`;
    const error = await rejection(got.post(url, { headers, json: secrets, retry: { limit: 0 } }));
    expect(everyInspectionOf(error)).toContain(secrets.token);
    expect(leaksIn(everyPrintOf(error), secrets)).toEqual([]);
  });

  test('not for an error of the schema library', () => {
    const { error } = destinationSchema.safeParse({
      id: secrets.token,
      name: [secrets.endpoint],
      [secrets.authorization]: 1,
    });
    expect(error).toBeDefined();
    expect(leaksIn(everyPrintOf(error), secrets)).toEqual([]);
  });

  test('not for the shared view, whose keys are hashes of tokens', async () => {
    await using server = await scriptedKonnect(() => ({ status: 200, body: { id } }));
    using konnect = clientOf(server.urlTemplate);
    const view = new Konnect({ http: konnect.http, urlTemplate: server.urlTemplate });
    await view.forToken(secrets.token).organization(signal);
    expect(leaksIn(everyInspectionOf(view) + everyPrintOf(view), secrets)).toEqual([]);
  });
});
