import { type ContractClient, cursorOf, itemsOf, type Json } from '../contract-client.ts';
import { describeTime, type Finding, finding, howSoon } from '../finding.ts';

const collection = '/v3/audit-log-destinations';

/** Checks destinations that are not attached. */
export async function* askDestinations(client: ContractClient): AsyncGenerator<Finding> {
  yield* askCreation(client);
  yield* askNames(client);
  yield* askChanges(client);
  yield* askLists(client);
  yield* askDeletion(client);
}

async function* askCreation({ make, settings }: ContractClient): AsyncGenerator<Finding> {
  const made = await make();
  if (typeof made.body['id'] !== 'string')
    throw new Error(`no destination can be created: POST answered ${made.status}`);
  yield finding('create-status', 'What does POST of a destination answer?', made.status);
  yield finding(
    'authorization-shown',
    'Does any answer show the authorization?',
    'authorization' in made.body || made.text.includes('Bearer contract') ? 'yes' : 'no',
  );
  yield finding(
    'first-updated-at',
    'What is updated_at before the first change?',
    describeTime(made.body['updated_at'], made.body['created_at']),
  );
  for (const [name, question, changes] of [
    ['authorization-required', 'Can a destination be made without authorization?', { authorization: undefined }],
    ['http-endpoint', 'Can an endpoint be plain http?', { endpoint: settings.endpoint.replace('https:', 'http:') }],
    ['unknown-field', 'Is a field that it does not know accepted?', { color: 'red' }],
  ] as const) {
    const { status } = await make(changes);
    yield finding(name, question, status < 300 ? 'yes' : `no, ${status}`);
  }
}

async function* askNames({ askItem, make, name }: ContractClient): AsyncGenerator<Finding> {
  const taken = name();
  await make({ name: taken });
  const again = await make({ name: taken });
  yield finding(
    'unique-names',
    'Are names unique?',
    again.status < 300 ? 'no, a second one is made' : `yes, ${again.status}`,
  );
  const other = await make();
  const { status } = await askItem('PATCH', idOf(other.body), {
    body: { ...fieldsOf(other.body), name: taken },
  });
  yield finding('unique-names-on-rename', 'Is a taken name refused to PATCH?', status < 300 ? 'no' : `yes, ${status}`);
}

async function* askChanges({ askItem, make, name }: ContractClient): AsyncGenerator<Finding> {
  const { body: made } = await make();
  const id = idOf(made);
  const get = async () => (await askItem('GET', id)).body;
  const patched = await askItem('PATCH', id, { body: { ...fieldsOf(made), name: name() } });
  yield finding('patch-status', 'What does PATCH of a destination answer?', patched.status);
  yield finding(
    'patch-updated-at',
    'Does the answer to PATCH carry updated_at?',
    carries(patched.body['updated_at'], (await get())['updated_at']),
  );

  const before = (await get())['updated_at'];
  const same = fieldsOf(await get());
  await askItem('PATCH', id, { body: { ...same, authorization: 'Bearer changed' } });
  const between = (await get())['updated_at'];
  yield finding(
    'authorization-moves-updated-at',
    'Does a change of the authorization alone move updated_at?',
    between === before ? 'no' : 'yes',
  );
  await askItem('PATCH', id, { body: { ...same, authorization: 'Bearer changed' } });
  yield finding(
    'same-again-moves-updated-at',
    'Does a PATCH that changes nothing move updated_at?',
    (await get())['updated_at'] === between ? 'no' : 'yes',
  );

  const defaults: Json = { log_format: 'cef', skip_ssl_verification: false };
  await askItem('PATCH', id, { body: { name: name() } });
  const left = await get();
  const filled = Object.keys(defaults).filter((field) => left[field] === defaults[field]);
  yield finding(
    'patch-defaults',
    'Does PATCH of a destination fill in what is left out?',
    filled.length === 0 ? 'no, it keeps it' : `yes: ${filled.join(', ')}`,
  );
  await askItem('PATCH', id, { body: { ...same, authorization: 'Bearer changed' } });
  const nulls = await askItem('PATCH', id, {
    body: { name: name(), log_format: null, skip_ssl_verification: null },
  });
  const after = await get();
  const alike = Object.keys(defaults).every((field) => after[field] === left[field]);
  yield finding(
    'patch-null',
    'Is a null in PATCH the same as leaving the field out?',
    nulls.status >= 300 ? `no, ${nulls.status}` : alike ? 'yes' : 'no, it does something else',
  );
}

async function* askLists({ ask, make, name, polling }: ContractClient): AsyncGenerator<Finding> {
  const wanted = name();
  const { body: made } = await make({ name: wanted });
  await make();
  const found = (place: 'global' | 'region') => async () => {
    const { body } = await ask('GET', place, `${collection}?filter[name][eq]=${wanted}`);
    return itemsOf(body).some(({ id }) => id === idOf(made));
  };
  for (const place of ['global', 'region'] as const) {
    const where = place === 'global' ? 'global' : 'the region’s host';
    yield finding(
      `list-after-create-${place}`,
      `How soon does a list on ${where} show a new destination?`,
      await howSoon(found(place), polling),
    );
  }
  await howSoon(found('global'), polling);

  const page = await ask('GET', 'global', `${collection}?page[size]=1`);
  const next = Object(page.body['meta'])['next'];
  const path = typeof next === 'string' ? new URL(next, 'http://konnect.invalid').pathname : 'absent';
  yield finding('next-page', 'What path does meta.next have?', path);
  const cursor = cursorOf(page.body);
  const second =
    cursor === undefined
      ? undefined
      : await ask('GET', 'global', `${collection}?page[size]=1&page[after]=${encodeURIComponent(cursor)}`);
  yield finding(
    'next-cursor',
    'Does its page[after] lead to the next page?',
    second !== undefined &&
      itemsOf(second.body).length === 1 &&
      itemsOf(second.body)[0]?.['id'] !== itemsOf(page.body)[0]?.['id']
      ? 'yes'
      : 'no',
  );
  const plain = await ask('GET', 'global', collection);
  yield finding('default-page-size', 'How long is a page of a list without page[size]?', sizeOf(plain.body));
  const large = await ask('GET', 'global', `${collection}?page[size]=1000`);
  yield finding(
    'page-size',
    'What becomes of page[size]=1000?',
    large.status === 200 ? `it is ${sizeOf(large.body)}` : `refused, ${large.status}`,
  );
  const bare = await ask('GET', 'global', `${collection}?filter[name]=${wanted}`);
  const others = itemsOf(bare.body).filter(({ id }) => id !== idOf(made)).length;
  yield finding(
    'bare-filter',
    'Does v3 know filter[name]= without an operator?',
    bare.status !== 200 ? `no, ${bare.status}` : others === 0 ? 'yes' : 'no, it is passed over',
  );
}

async function* askDeletion({ ask, askItem, make, name, polling }: ContractClient): AsyncGenerator<Finding> {
  const wanted = name();
  const { body: made } = await make({ name: wanted });
  const id = idOf(made);
  const gone = async () =>
    !itemsOf((await ask('GET', 'global', `${collection}?filter[name][eq]=${wanted}`)).body).some(
      (one) => one['id'] === id,
    );
  await howSoon(async () => !(await gone()), polling);
  yield finding('delete-status', 'What does DELETE of a destination answer?', (await askItem('DELETE', id)).status);
  yield finding('get-after-delete', 'What does GET answer right after that?', (await askItem('GET', id)).status);
  yield finding('list-after-delete', 'How soon do lists on global no longer show it?', await howSoon(gone, polling));
  yield finding('delete-again', 'What does a second DELETE answer?', (await askItem('DELETE', id)).status);
}

export function carries(answered: unknown, shown: unknown): string {
  if (typeof answered !== 'string') return 'no';
  return typeof shown === 'string' && Date.parse(answered) === Date.parse(shown)
    ? 'yes, the one that GET shows'
    : 'yes, but another one than GET shows';
}

function sizeOf({ meta }: Json): string {
  const { size } = Object(meta);
  return typeof size === 'number' ? String(size) : 'not told';
}

function idOf({ id }: Json): string {
  if (typeof id !== 'string') throw new Error('no destination could be created');
  return id;
}

/** Returns all present values that PATCH can set. The authorization is set again, since nobody can read it. */
function fieldsOf({ name, endpoint, log_format, skip_ssl_verification }: Json): Json {
  return { name, endpoint, log_format, skip_ssl_verification, authorization: 'Bearer contract' };
}
