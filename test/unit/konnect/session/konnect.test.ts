import { describe, expect, test } from '@jest/globals';
import { KonnectHTTP } from '../../../../src/konnect/http.ts';
import { Konnect } from '../../../../src/konnect/session/konnect.ts';
import { eventually } from '../../../support/eventually.ts';
import { rejection, type Script, type SeenRequest, scriptedKonnect } from '../scripted-konnect.ts';

const signal = new AbortController().signal;
const id = '07ec3858-066b-4629-bdc5-d4aa893b424d';
const body = {
  name: 'n',
  endpoint: 'https://e.example.com',
  authorization: 'a',
  logFormat: 'cef',
  skipSSLVerification: false,
} as const;

/** Creates a view of a Konnect with one destination, whose answers a test can delay and replace. The clock of the view does not move by itself. */
async function sharedView({ maxTokens = 10 } = {}) {
  const clock = { ms: 0 };
  const held: { request: SeenRequest; answer: () => void }[] = [];
  let holding = false;
  let special: ((request: SeenRequest) => Script | undefined) | undefined;
  const server = await scriptedKonnect(async (request) => {
    const release = Promise.withResolvers<void>();
    if (holding) {
      held.push({ request, answer: () => release.resolve() });
      await release.promise;
    }
    const single = { id, name: 'one' };
    const list = { data: [single], meta: { next: null } };
    const usual = {
      status: 200,
      body: request.path.endsWith('destinations') && request.method === 'GET' ? list : single,
    };
    return special?.(request) ?? usual;
  });
  const http = new KonnectHTTP({ userAgent: 'test' });
  const konnect = new Konnect({ http, urlTemplate: server.urlTemplate, maxTokens, nowMs: () => clock.ms });
  return {
    konnect,
    clock,
    /** A list that is less than a second old. */
    young: () => ({ sinceMs: clock.ms - 1000 }),
    held,
    hold(on: boolean) {
      holding = on;
    },
    answerWith(script: typeof special) {
      special = script;
    },
    count: (method: string, end: string) =>
      server.requests.filter((request) => request.method === method && request.path.endsWith(end)).length,
    lists: () => server.requests.filter(({ method, path }) => method === 'GET' && path.endsWith('destinations')).length,
    async [Symbol.asyncDispose]() {
      for (const { answer } of held) answer();
      http.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe('the organization of a token', () => {
  test('is requested once for all callers, and remembered', async () => {
    await using view = await sharedView();
    const asked = Array.from({ length: 50 }, () => view.konnect.forToken('kpat_a').organization(signal));
    expect(new Set((await Promise.all(asked)).map((organization) => organization.id))).toEqual(new Set([id]));
    await view.konnect.forToken('kpat_a').organization(signal);
    expect(view.count('GET', '/me')).toBe(1);
    await view.konnect.forToken('kpat_b').organization(signal);
    expect(view.count('GET', '/me')).toBe(2);
  });

  test('a failure reaches all waiting callers, and is not remembered', async () => {
    await using view = await sharedView();
    view.answerWith(() => ({ status: 503 }));
    const access = view.konnect.forToken('kpat_a');
    const [first, second] = await Promise.all([
      rejection(access.organization(signal)),
      rejection(access.organization(signal)),
    ]);
    expect(first).toMatchObject({ kind: 'ServerError' });
    expect(second).toBe(first);
    view.answerWith(undefined);
    expect(await access.organization(signal)).toEqual({ id });
    expect(view.count('GET', '/me')).toBe(2);
  });

  test('is requested again after a 401 to any request with the token', async () => {
    await using view = await sharedView();
    const access = view.konnect.forToken('kpat_a');
    await access.organization(signal);
    view.answerWith(() => ({ status: 401 }));
    await rejection(access.client.getOrganizationWebhook('us', signal));
    expect(await rejection(access.organization(signal))).toMatchObject({ kind: 'Unauthorized' });
  });

  test('a caller can stop waiting on its own, and the request is aborted when no caller is left', async () => {
    await using view = await sharedView();
    view.hold(true);
    const access = view.konnect.forToken('kpat_a');
    const [one, two, three] = [new AbortController(), new AbortController(), new AbortController()];
    const first = rejection(access.organization(one.signal));
    const second = access.organization(two.signal);
    await eventually(() => expect(view.held).toHaveLength(1));
    one.abort();
    expect(await first).toMatchObject({ kind: 'Unreachable', code: 'ABORT_ERR', operation: 'get organization' });
    view.held[0]?.answer();
    expect(await second).toEqual({ id });

    const other = view.konnect.forToken('kpat_b');
    const abandoned = rejection(other.organization(three.signal));
    await eventually(() => expect(view.held).toHaveLength(2));
    three.abort();
    expect(await abandoned).toMatchObject({ kind: 'Unreachable', code: 'ABORT_ERR' });
    view.hold(false);
    expect(await other.organization(signal)).toEqual({ id });
    expect(view.count('GET', '/me')).toBe(3);
  });
});

describe('the list of destinations', () => {
  test('is shared while it is young enough, counted from the start of the request', async () => {
    await using view = await sharedView();
    const access = view.konnect.forToken('kpat_a');
    view.hold(true);
    const both = Promise.all([
      access.destinations('v3', view.young(), signal),
      access.destinations('v3', view.young(), signal),
    ]);
    await eventually(() => expect(view.held).toHaveLength(1));
    view.clock.ms = 900;
    view.hold(false);
    view.held[0]?.answer();
    expect((await both)[0]?.withID(id)).toEqual({ id, name: 'one' });
    await access.destinations('v3', view.young(), signal);
    expect(view.lists()).toBe(1);
    view.clock.ms = 1000;
    await access.destinations('v3', view.young(), signal);
    expect(view.lists()).toBe(2);
    await access.destinations('v3', { sinceMs: Number.POSITIVE_INFINITY }, signal);
    expect(view.lists()).toBe(3);
  });

  test('one that was requested too long ago is not joined', async () => {
    await using view = await sharedView();
    const access = view.konnect.forToken('kpat_a');
    view.hold(true);
    const early = access.destinations('v3', view.young(), signal);
    await eventually(() => expect(view.held).toHaveLength(1));
    view.clock.ms = 5000;
    const late = access.destinations('v3', view.young(), signal);
    await eventually(() => expect(view.held).toHaveLength(2));
    for (const { answer } of view.held) answer();
    await Promise.all([early, late]);
  });

  test.each<[string, string[], (access: ReturnType<Konnect['forToken']>) => Promise<unknown>]>([
    ['create', ['n'], (access) => access.client.createDestination('v3', body, signal)],
    ['update', ['n', 'one'], (access) => access.client.updateDestination('v2', id, body, signal)],
    ['delete', ['one'], (access) => access.client.deleteDestination('v3', id, signal)],
  ])('is kept after a %s, and no longer shows the destination', async (operation, names, write) => {
    await using view = await sharedView();
    const access = view.konnect.forToken('kpat_a');
    const shown = async () => {
      const list = await access.destinations('v3', view.young(), signal);
      const unknown = ['n', 'one', 'other'].filter((name) => list.named(name) === undefined);
      return { id: list.withID(id)?.id, unknown, isListed: list.has(id) };
    };
    expect(await shown()).toEqual({ id, unknown: [], isListed: true });
    const after = { id: operation === 'create' ? id : undefined, unknown: names, isListed: true };
    await write(access);
    expect(await shown()).toEqual(after);
    expect(view.lists()).toBe(1);

    // Konnect may have carried out a write whose answer was lost.
    view.clock.ms = 1000;
    expect(await shown()).toEqual({ id, unknown: [], isListed: true });
    view.answerWith(({ method }) => (method === 'GET' ? undefined : { status: 500 }));
    await rejection(write(access));
    expect(await shown()).toEqual(after);
    expect(view.lists()).toBe(2);
  });

  test('one in flight while a destination is written does not show it', async () => {
    await using view = await sharedView();
    const access = view.konnect.forToken('kpat_a');
    view.hold(true);
    const list = access.destinations('v3', view.young(), signal);
    await eventually(() => expect(view.held).toHaveLength(1));
    view.hold(false);
    await access.client.updateDestination('v3', id, body, signal);
    view.held[0]?.answer();
    expect((await list).withID(id)).toBeUndefined();
    expect((await list).has(id)).toBe(true);
  });

  test('one requested while a destination is being written does not show it after that', async () => {
    await using view = await sharedView();
    const access = view.konnect.forToken('kpat_a');
    view.hold(true);
    const written = access.client.updateDestination('v3', id, body, signal);
    await eventually(() => expect(view.held).toHaveLength(1));
    view.hold(false);
    const list = await access.destinations('v3', view.young(), signal);
    view.held[0]?.answer();
    await written;
    expect(list.withID(id)).toBeUndefined();
    expect(view.lists()).toBe(1);
  });

  test('is requested for single answers only after more than ten of them, and then again only after as many', async () => {
    await using view = await sharedView();
    const access = view.konnect.forToken('kpat_a');
    const wanted = { sinceMs: 0 };
    const ask = async () => (await access.destinationsIfMany('v3', wanted, signal)) !== undefined;
    view.clock.ms = 1;
    const answers: boolean[] = [];
    for (let time = 0; time < 13; time += 1) answers.push(await ask());
    expect(answers).toEqual([...Array.from({ length: 10 }, () => false), true, true, true]);
    wanted.sinceMs = 1;
    view.clock.ms = 2;
    const next: boolean[] = [];
    for (let time = 0; time < 12; time += 1) next.push(await ask());
    expect(next).toEqual([...Array.from({ length: 10 }, () => false), true, true]);
    expect(view.lists()).toBe(2);
  });

  test('with many pages is requested for single answers only after more of them than it has pages', async () => {
    await using view = await sharedView();
    const pageOf = (page: number) => ({
      data: Array.from({ length: 100 }, (_, index) => ({
        id: `${id.slice(0, -4)}${String(1000 + 100 * page + index)}`,
      })),
      meta: { next: page < 15 ? `/next?page%5Bafter%5D=${String(page)}` : null },
    });
    view.answerWith(({ path, query }) =>
      path.endsWith('destinations')
        ? { status: 200, body: pageOf(Number(query.get('page[after]') ?? 0) + 1) }
        : undefined,
    );
    const access = view.konnect.forToken('kpat_a');
    view.clock.ms = 1;
    await access.destinations('v3', { sinceMs: 0 }, signal);
    view.clock.ms = 2;
    const answers: boolean[] = [];
    for (let time = 0; time < 17; time += 1)
      answers.push((await access.destinationsIfMany('v3', { sinceMs: 1 }, signal)) !== undefined);
    expect(answers.indexOf(true)).toBe(15);
    expect(view.lists()).toBe(2 * 15);
  });

  test('v2 and v3 have separate lists', async () => {
    await using view = await sharedView();
    const access = view.konnect.forToken('kpat_a');
    await access.destinations('v3', view.young(), signal);
    await access.destinations('v2', view.young(), signal);
    expect(view.lists()).toBe(2);
  });
});

describe('tokens', () => {
  test('are remembered up to a limit, and the least recently used one is forgotten first', async () => {
    await using view = await sharedView({ maxTokens: 2 });
    const organizationOf = (token: string) => view.konnect.forToken(token).organization(signal);
    for (const token of ['kpat_a', 'kpat_b', 'kpat_a', 'kpat_c', 'kpat_a']) await organizationOf(token);
    expect(view.count('GET', '/me')).toBe(3);
    await organizationOf('kpat_b');
    expect(view.count('GET', '/me')).toBe(4);
  });
});

describe('two tokens of one organization', () => {
  test('share its list if any token will do', async () => {
    await using view = await sharedView();
    const [a, b] = [view.konnect.forToken('kpat_a'), view.konnect.forToken('kpat_b')];
    await Promise.all([a.organization(signal), b.organization(signal)]);
    const listed = await a.destinations('v3', view.young(), signal);
    expect(await b.destinations('v3', { ...view.young(), mayUseAnyToken: true }, signal)).toBe(listed);
    expect(view.lists()).toBe(1);
  });

  test('each have their own list if it has to be what this token sees', async () => {
    await using view = await sharedView();
    const [a, b] = [view.konnect.forToken('kpat_a'), view.konnect.forToken('kpat_b')];
    await Promise.all([a.organization(signal), b.organization(signal)]);
    await a.destinations('v3', { ...view.young(), mayUseAnyToken: true }, signal);
    const own = await b.destinations('v3', view.young(), signal);
    expect(await b.destinations('v3', view.young(), signal)).toBe(own);
    expect(view.lists()).toBe(2);
  });

  test('share nothing before their organization is known', async () => {
    await using view = await sharedView();
    const [a, b] = [view.konnect.forToken('kpat_a'), view.konnect.forToken('kpat_b')];
    await a.organization(signal);
    await a.destinations('v3', view.young(), signal);
    await b.destinations('v3', { ...view.young(), mayUseAnyToken: true }, signal);
    expect(view.lists()).toBe(2);
  });

  test('see the writes of the other', async () => {
    await using view = await sharedView();
    const [a, b] = [view.konnect.forToken('kpat_a'), view.konnect.forToken('kpat_b')];
    await Promise.all([a.organization(signal), b.organization(signal)]);
    const list = await a.destinations('v3', view.young(), signal);
    await b.client.updateDestination('v3', id, body, signal);
    expect(list.withID(id)).toBeUndefined();
  });

  test('that both need lists of their own do not take them from each other', async () => {
    await using view = await sharedView();
    const [a, b] = [view.konnect.forToken('kpat_a'), view.konnect.forToken('kpat_b')];
    await Promise.all([a.organization(signal), b.organization(signal)]);
    for (let time = 0; time < 3; time += 1)
      for (const one of [a, b]) await one.destinations('v3', view.young(), signal);
    expect(view.lists()).toBe(2);
  });

  test('are not affected by a refusal of the other', async () => {
    await using view = await sharedView();
    const [a, b] = [view.konnect.forToken('kpat_a'), view.konnect.forToken('kpat_b')];
    await Promise.all([a.organization(signal), b.organization(signal)]);
    view.answerWith(({ headers, path }) =>
      headers.authorization === 'Bearer kpat_a' && path.endsWith('destinations') ? { status: 403 } : undefined,
    );
    view.hold(true);
    const refused = rejection(a.destinations('v3', view.young(), signal));
    await eventually(() => expect(view.held).toHaveLength(1));
    const allowed = b.destinations('v3', { ...view.young(), mayUseAnyToken: true }, signal);
    view.hold(false);
    view.held[0]?.answer();
    expect(await refused).toMatchObject({ kind: 'Forbidden' });
    expect((await allowed).withID(id)).toEqual({ id, name: 'one' });
    expect(view.lists()).toBe(2);
  });

  test('lose a list only with the token that requested it', async () => {
    await using view = await sharedView();
    const [a, b] = [view.konnect.forToken('kpat_a'), view.konnect.forToken('kpat_b')];
    await Promise.all([a.organization(signal), b.organization(signal)]);
    await b.destinations('v3', view.young(), signal);
    view.answerWith(({ headers }) => (headers.authorization === 'Bearer kpat_a' ? { status: 401 } : undefined));
    await rejection(a.client.getOrganizationWebhook('us', signal));
    await b.destinations('v3', view.young(), signal);
    expect(view.lists()).toBe(1);
  });
});

describe('a token that is refused', () => {
  test.each([401, 403, 404])(
    'with %i is asked about once a minute for all that are looked at again',
    async (status) => {
      await using view = await sharedView();
      view.answerWith(() => ({ status }));
      const resync = view.konnect.forToken('kpat_a', 'resync');
      for (let count = 0; count < 20; count += 1) {
        expect(await rejection(resync.organization(signal))).toMatchObject({ status });
      }
      expect(view.count('GET', '/me')).toBe(1);
      view.clock.ms = 60_000;
      await rejection(resync.organization(signal));
      expect(view.count('GET', '/me')).toBe(2);
    },
  );

  test('is requested at once for new or changed forwardings, and the answer serves all', async () => {
    await using view = await sharedView();
    view.answerWith(() => ({ status: 401 }));
    await rejection(view.konnect.forToken('kpat_a', 'resync').organization(signal));
    view.answerWith(undefined);
    expect(await view.konnect.forToken('kpat_a', 'new').organization(signal)).toEqual({ id });
    expect(await view.konnect.forToken('kpat_a', 'resync').organization(signal)).toEqual({ id });
    expect(view.count('GET', '/me')).toBe(2);
  });
});
