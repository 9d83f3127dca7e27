import { describe, expect, test } from '@jest/globals';
import { clientOf, rejection, type Script, scriptedKonnect } from '../unit/konnect/scripted-konnect.ts';

const signal = new AbortController().signal;
const id = '07ec3858-066b-4629-bdc5-d4aa893b424d';
const mebibyte = 1024 * 1024;

type Client = ReturnType<typeof clientOf>['client'];

async function answering<T>(script: Script, use: (client: Client) => Promise<T>): Promise<T> {
  await using server = await scriptedKonnect(() => script);
  using konnect = clientOf(server.urlTemplate);
  return await use(konnect.client);
}

const failure = (script: Script) => answering(script, (client) => rejection(client.organization(signal)));

describe('a malicious Konnect', () => {
  // If the time grew with the square of the length, one such answer would block all organizations for hours.
  test.each([
    ['that is very long', 'a'.repeat(3 * mebibyte) + '.'],
    ['of dots only', '.'.repeat(3 * mebibyte)],
    ['of brackets', '[]'.repeat(mebibyte)],
  ])('cannot block the process with a refused field %s', async (_what, field) => {
    const error = await failure({ status: 400, body: { invalid_parameters: [{ field }, { field: `body.endpoint` }] } });
    expect(error).toMatchObject({ kind: 'Refused', refusedFields: ['endpoint'] });
  });

  test.each([
    ['objects', `${'{"a":'.repeat(600_000)}1${'}'.repeat(600_000)}`],
    ['lists', `${'['.repeat(1_500_000)}${']'.repeat(1_500_000)}`],
    ['lists inside a page', `{"data":${'['.repeat(1_500_000)}${']'.repeat(1_500_000)}}`],
  ])('cannot exhaust the stack with nested %s', async (_what, body) => {
    const error = await answering({ status: 200, body }, (client) => rejection(client.listDestinations('v3', signal)));
    expect(error).toMatchObject({ kind: 'UnexpectedAnswer', status: 200 });
  });

  test('cannot change the prototype of objects', async () => {
    const body = `{"__proto__":{"id":"${id}","polluted":true},"constructor":{"prototype":{"polluted":true}},"enabled":true}`;
    expect(await failure({ status: 200, body })).toMatchObject({ kind: 'UnexpectedAnswer' });
    const webhook = await answering({ status: 200, body }, (client) => client.getOrganizationWebhook('us', signal));
    expect(webhook).toEqual({ destinationID: undefined, enabled: true });
    expect(Object.keys(Object.getPrototypeOf({}))).toEqual([]);
    expect('polluted' in {}).toBe(false);
  });

  test.each([
    ['few huge destinations', 3 * mebibyte, 1],
    ['many small destinations', 0, 30_000],
  ])('cannot fill the memory with an endless list of %s', async (_what, nameLength, count) => {
    let page = 0;
    await using server = await scriptedKonnect(() => {
      page += 1;
      const data = Array.from({ length: count }, (_, index) => ({
        id: `${page.toString(16).padStart(8, '0')}-0000-4000-8000-${index.toString(16).padStart(12, '0')}`,
        name: 'x'.repeat(nameLength),
      }));
      return { status: 200, body: { data, meta: { next: `/x?page[after]=${String(page)}` } } };
    });
    using konnect = clientOf(server.urlTemplate);
    expect(await rejection(konnect.client.listDestinations('v3', signal))).toMatchObject({ kind: 'UnexpectedAnswer' });
    expect(page).toBeLessThan(8);
  });

  test.each(['../../v3/portals', `${id}/../x`, '..%2f..', `${id}?x=`, ''])(
    'cannot put an invalid ID into a path: %j',
    async (path) => {
      const error = await answering({ status: 200, body: { audit_log_destination_id: path, id: path } }, (client) =>
        rejection(client.organization(signal)),
      );
      expect(error).toMatchObject({ kind: 'UnexpectedAnswer' });
      await using server = await scriptedKonnect(() => ({ status: 200, body: {} }));
      using konnect = clientOf(server.urlTemplate);
      expect(await rejection(konnect.client.deleteDestination('v3', path, signal))).toBeInstanceOf(TypeError);
      expect(await rejection(konnect.client.getPortalWebhook('us', path, signal))).toBeInstanceOf(TypeError);
      expect(server.requests).toEqual([]);
    },
  );
});
