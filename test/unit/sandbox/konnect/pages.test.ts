import { describe, expect, test } from '@jest/globals';
import { type Bench, bench, itemsOf, type Json, textAt } from './support.ts';

const path = '/global/v3/audit-log-destinations';

function names(page: Json): unknown[] {
  return itemsOf(page).map((item) => item['name']);
}

/** What a client does with a link: it takes the query, since the path's prefix does not exist. */
async function follow(konnect: Bench, link: string): Promise<Json> {
  const { body } = await konnect.call('GET', `${path}?${link.split('?')[1]}`);
  return body;
}

async function withFive(): Promise<Bench> {
  const konnect = await bench();
  for (const name of ['a1', 'a2', 'a3', 'b4', 'b5']) await konnect.createDestination({ name });
  return konnect;
}

describe('pages of destinations', () => {
  test('are read by cursor, forward and backward', async () => {
    await using konnect = await withFive();
    const { body: first } = await konnect.call('GET', `${path}?page[size]=2`);
    expect(names(first)).toEqual(['a1', 'a2']);
    expect(first['meta']).toEqual({
      next: expect.stringMatching(/^\/api\/v3\/audit-log-destinations\?page%5Bafter%5D=/),
      previous: null,
      size: 2,
    });
    const second = await follow(konnect, textAt(first, 'meta', 'next'));
    expect(names(second)).toEqual(['a3', 'b4']);
    const third = await follow(konnect, textAt(second, 'meta', 'next'));
    expect(names(third)).toEqual(['b5']);
    expect(third['meta']).toMatchObject({ next: null });
    expect(names(await follow(konnect, textAt(third, 'meta', 'previous')))).toEqual(['a3', 'b4']);
  });

  test('a link cannot be followed as it is', async () => {
    await using konnect = await withFive();
    const { body } = await konnect.call('GET', `${path}?page[size]=2`);
    expect((await konnect.call('GET', `/global${textAt(body, 'meta', 'next')}`)).status).toBe(404);
  });

  test('a list continues if the item of its cursor is deleted', async () => {
    await using konnect = await withFive();
    const { body: first } = await konnect.call('GET', `${path}?page[size]=2`);
    await konnect.call('DELETE', `${path}/${textAt(first, 'data', 1, 'id')}`);
    expect(names(await follow(konnect, textAt(first, 'meta', 'next')))).toEqual(['a3', 'b4']);
  });

  test('have ten items by default and no more than Konnect allows, and v2 names its own path', async () => {
    await using konnect = await bench({ behavior: { pageSizeMax: 11 } });
    for (let n = 0; n < 12; n += 1) await konnect.createDestination({ name: `d${n}` });
    expect((await konnect.call('GET', path)).body['data']).toHaveLength(10);
    expect((await konnect.call('GET', `${path}?page[size]=&page[after]=`)).body['data']).toHaveLength(10);
    const { body } = await konnect.call('GET', '/us/v2/audit-log-destinations?page[size]=500');
    expect(body['data']).toHaveLength(11);
    expect(body['meta']).toMatchObject({ size: 11, next: expect.stringMatching(/^\/api\/v2\//) });
  });

  test.each([
    'page[size]=0',
    'page[size]=ten',
    'page[after]=nonsense',
    'page[number]=2',
    'filter[color][eq]=red',
    'filter[name][like]=a',
  ])('%s is refused', async (query) => {
    await using konnect = await bench();
    const { status, body } = await konnect.call('GET', `${path}?${query}`);
    expect(status).toBe(400);
    expect(body['invalid_parameters']).toMatchObject([{ field: query.split('=')[0], source: 'query' }]);
  });

  test('are filtered by name, in the short form only in v2, and links keep the filter', async () => {
    await using konnect = await withFive();
    const eq = await konnect.call('GET', `${path}?filter[name][eq]=a2`);
    expect(names(eq.body)).toEqual(['a2']);
    const contains = await konnect.call('GET', `${path}?filter[name][contains]=A&page[size]=2`);
    expect(names(contains.body)).toEqual(['a1', 'a2']);
    expect(names(await follow(konnect, textAt(contains.body, 'meta', 'next')))).toEqual(['a3']);
    expect(names((await konnect.call('GET', '/us/v2/audit-log-destinations?filter[name]=b4')).body)).toEqual(['b4']);
    expect((await konnect.call('GET', `${path}?filter[name]=b4`)).status).toBe(400);
    expect((await konnect.call('GET', `${path}?filter[name][eq]=a1&filter[name][contains]=a`)).status).toBe(400);
  });
});

describe('pages of portals and control planes', () => {
  test('have nested meta and page numbers', async () => {
    await using konnect = await bench();
    for (const [index, name] of ['Zoo', 'Bar'].entries()) {
      await konnect.call('POST', '/__sandbox/organizations/998db3e4-5cb7-4dd5-b51c-9878096a6999/portals', {
        body: { id: `0e551b39-227d-4297-b911-e68fd5d77c1${index}`, name, region: 'us' },
      });
    }
    const { body } = await konnect.call('GET', '/us/v3/portals?page[size]=2&page[number]=2');
    expect(body['meta']).toEqual({ page: { number: 2, size: 2, total: 3 } });
    expect(names(body)).toEqual(['Bar']);
    expect(names((await konnect.call('GET', '/us/v3/portals?sort=name desc')).body)).toEqual(['Zoo', 'Shop', 'Bar']);
    expect(names((await konnect.call('GET', '/us/v3/portals?filter[name][oeq]=Zoo,Bar')).body)).toEqual(['Zoo', 'Bar']);
    expect((await konnect.call('GET', '/us/v3/portals?sort=color')).status).toBe(400);
    expect((await konnect.call('GET', '/us/v2/control-planes')).body).toMatchObject({
      meta: { page: { number: 1, size: 10, total: 1 } },
      data: [{ name: 'default' }],
    });
  });
});
