import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Behavior } from '../../../sandbox/konnect/behavior.ts';
import { createDestination, currentDestinations } from '../../../sandbox/konnect/model/destinations.ts';
import { type KonnectServer, startKonnect } from '../../../sandbox/konnect/server.ts';
import type { KonnectClient } from '../../../src/konnect/client.ts';
import { listedButNotServedCode } from '../../../src/konnect/errors.ts';
import { KonnectHTTP } from '../../../src/konnect/http.ts';
import { Konnect } from '../../../src/konnect/session/konnect.ts';
import { blue, konnectSeed, tokens } from '../../support/konnect-fixtures.ts';
import { rejection } from './scripted-konnect.ts';

const signal = new AbortController().signal;
const body = {
  name: 'platform/sumologic',
  endpoint: 'https://siem.example.com/code',
  authorization: 'Bearer rotated',
  logFormat: 'json',
  skipSSLVerification: false,
} as const;
const gone = '07ec3858-066b-4629-bdc5-d4aa893b424d';

let server: KonnectServer;
let http: KonnectHTTP;
let konnect: Konnect;
let clock: { ms: number };

beforeEach(async () => {
  clock = { ms: Date.parse('2026-01-02T03:04:05Z') };
  server = await startKonnect({ seed: konnectSeed, clock: () => new Date(clock.ms) });
  http = new KonnectHTTP({ userAgent: 'test' });
  konnect = new Konnect({ http, urlTemplate: server.urlTemplate, nowMs: () => clock.ms });
});

afterEach(async () => {
  http.close();
  await server.stop();
});

function clientIn(region = 'eu'): KonnectClient {
  return konnect.forToken(tokens.blue, 'new', region).client;
}

function organization() {
  const found = server.model.organizations.get(blue);
  if (found === undefined) throw new TypeError('there is no such organization');
  return found;
}

function create(): string {
  return createDestination(server.model, organization(), { ...body, authorization: 'Bearer first' }).id;
}

/** Returns the requests since the last call, as `METHOD region/version`, with `list` at the end for a list. */
function requests(): string[] {
  const seen = server.control
    .calls()
    .map(
      ({ method, region, path }) =>
        `${method} ${region}/${path.split('/')[1] ?? ''}${path.endsWith('destinations') ? ' list' : ''}`,
    );
  server.control.clearCalls();
  return seen;
}

const calls: [string, (client: KonnectClient, id: string) => Promise<unknown>, (id: string) => unknown][] = [
  ['GET', (client, id) => client.getDestination('v3', id, signal), (id) => expect.objectContaining({ id })],
  ['PATCH', (client, id) => client.updateDestination('v3', id, body, signal), (id) => expect.objectContaining({ id })],
  ['DELETE', (client, id) => client.deleteDestination('v3', id, signal), () => 'deleted'],
];
const answers = ['problem', 'no-route', 'method-not-allowed'] as const;
const elsewhere: [Behavior['destinationItems'], string[]][] = [
  ['region-v3', ['eu/v3']],
  ['region-v2', ['eu/v3', 'eu/v2']],
];

describe.each(calls)('%s of a destination', (method, call, expected) => {
  test.each(['everywhere', 'global'] as const)('is one request where %s serves it', async (destinationItems) => {
    server.control.behave({ destinationItems });
    const id = create();
    expect(await call(clientIn(), id)).toEqual(expected(id));
    expect(requests()).toEqual([`${method} global/v3`]);
  });

  test.each(elsewhere.flatMap(([items, hosts]) => answers.map((answer) => [items, answer, hosts] as const)))(
    'reaches %s where global answers with %s, and goes there at once the next time',
    async (destinationItems, unservedDestinationItem, hosts) => {
      server.control.behave({ destinationItems, unservedDestinationItem });
      const id = create();
      expect(await call(clientIn(), id)).toEqual(expected(id));
      expect(requests()).toEqual([
        `${method} global/v3`,
        'GET global/v3 list',
        ...hosts.map((host) => `${method} ${host}`),
      ]);
      const next = createDestination(server.model, organization(), { ...body, name: 'next' }).id;
      expect(await clientIn('us').getDestination('v3', next, signal)).toMatchObject({ id: next });
      expect(requests()).toEqual([`GET ${(hosts.at(-1) ?? '').replace('eu', 'us')}`]);
    },
  );

  test('asks the other hosts again when the host that worked stops serving it', async () => {
    server.control.behave({ destinationItems: 'region-v3' });
    await clientIn().getDestination('v3', create(), signal);
    requests();
    server.control.behave({ destinationItems: 'global', duplicateNames: 'allowed' });
    const id = create();
    expect(await call(clientIn(), id)).toEqual(expected(id));
    expect(requests()).toEqual([`${method} eu/v3`, 'GET global/v3 list', `${method} global/v3`]);
    await clientIn().getDestination('v3', create(), signal);
    expect(requests()).toEqual(['GET global/v3']);
  });

  test('is an error if a list shows the destination and no host serves it', async () => {
    server.control.behave({ staleListMs: 10_000, usedDestination: 'deleted' });
    const id = create();
    clock.ms += 20_000;
    await clientIn().deleteDestination('v3', id, signal);
    const error = await rejection(call(clientIn(), id));
    expect(error).toMatchObject({ kind: 'UnexpectedAnswer', code: listedButNotServedCode, mayHaveHappened: false });
    requests();
    clock.ms += 20_000;
    // What worked is forgotten, so all hosts are asked again.
    await call(clientIn(), id).catch(() => undefined);
    expect(requests()).toHaveLength(4);
  });

  test('does not trust a list that is older than the destination', async () => {
    server.control.behave({ staleListMs: 10_000, destinationItems: 'region-v2' });
    const id = create();
    expect(await call(clientIn(), id)).toEqual(expected(id));
  });

  test.each([401, 403, 429, 503])('asks no other host after %i', async (status) => {
    server.control.fail({ kind: 'status', status });
    expect(await rejection(call(clientIn(), create()))).toMatchObject({ status });
    expect(requests()).toHaveLength(1);
  });

  test('rejects with the error of the list, and never reports the destination as gone', async () => {
    server.control.fail({ kind: 'status', status: 503, match: { path: '/v3/audit-log-destinations' } });
    const error = await rejection(call(clientIn(), gone));
    expect(error).toMatchObject({ kind: 'ServerError', operation: 'list destinations' });
  });

  test('rejects with the error of a gateway that has no route for it anywhere', async () => {
    const path = '/v?/audit-log-destinations/*';
    server.control.fail({ kind: 'status', status: 404, body: 'html', match: { path: path.replace('?', '3') } });
    server.control.fail({ kind: 'status', status: 404, body: 'html', match: { path: path.replace('?', '2') } });
    expect(await rejection(call(clientIn(), gone))).toMatchObject({ kind: 'UnexpectedAnswer', code: undefined });
  });
});

describe('a destination that is gone', () => {
  const results: [string, (client: KonnectClient) => Promise<unknown>, unknown][] = [
    ['GET', (client) => client.getDestination('v3', gone, signal), undefined],
    [
      'PATCH',
      (client) => rejection(client.updateDestination('v3', gone, body, signal)),
      expect.objectContaining({ kind: 'NotFound', operation: 'update destination' }),
    ],
    ['DELETE', (client) => client.deleteDestination('v3', gone, signal), 'absent'],
  ];

  test.each(results)('is known from a %s and a fresh list where a host is known', async (method, call, expected) => {
    await clientIn().getDestination('v3', create(), signal);
    requests();
    expect(await call(clientIn())).toEqual(expected);
    expect(requests()).toEqual([`${method} global/v3`, 'GET global/v3 list']);
    expect(currentDestinations(organization())).toHaveLength(1);
  });

  test.each(results)('is known from a %s to every host where none is known', async (method, call, expected) => {
    expect(await call(clientIn())).toEqual(expected);
    const [first, ...others] = ['global/v3', 'eu/v3', 'eu/v2'].map((host) => `${method} ${host}`);
    expect(requests()).toEqual([first, 'GET global/v3 list', ...others]);
  });
});
