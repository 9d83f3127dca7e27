/** Konnect's answers, bent out of shape one by one, under a forwarding that comes, stands, drifts, moves and goes. */
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import type * as z from 'zod';
import { changeDestination } from '../../sandbox/konnect/model/destinations.ts';
import { type Destination, webhookIn } from '../../sandbox/konnect/model.ts';
import { apiVersion, kind, type Spec } from '../../src/api/v1alpha1.ts';
import {
  destinationPageSchema,
  destinationSchema,
  destinationSchemaOf,
  identifiedSchema,
  inlineWebhookSchema,
  webhookSchema,
} from '../../src/konnect/schema.ts';
import type { KonnectRequest } from '../../src/konnect/transport.ts';
import { specOf } from '../support/forwarding-spec.ts';
import { forum, green, laden, shop } from '../support/konnect-fixtures.ts';
import { illegalities } from '../validators/legal-status.ts';
import { faultOfStatus } from './crd.ts';
import { type RawAnswer, World } from './environment.ts';
import { foreignID, type Mutation, mutate, mutation } from './json-mutation.ts';
import { leaksIn } from './leaks.ts';
import { alone, type Part } from './part.ts';

const key = 'platform/sumologic';
const patienceMs = 15 * 60_000;

const stories = ['come', 'stand', 'drift', 'rotate', 'rename', 'move', 'go', 'refer'] as const;
const statuses = [
  200, 200, 200, 201, 202, 204, 226, 299, 301, 302, 400, 401, 403, 404, 408, 409, 418, 422, 429, 500, 503, 599,
];

interface Bend {
  /** Counted over the answers that come, from the moment when bending begins. */
  readonly from: number;
  readonly count: number;
  readonly mutations: readonly Mutation[];
  readonly status: number | undefined;
  readonly whole: 'unreadable' | 'absent' | undefined;
}

const bend: fc.Arbitrary<Bend> = fc.record({
  from: fc.nat({ max: 14 }),
  count: fc.constantFrom(1, 1, 2, 5, 20),
  mutations: fc.array(mutation, { minLength: 1, maxLength: 3 }),
  status: fc.option(fc.constantFrom(...statuses), { nil: undefined, freq: 3 }),
  whole: fc.option(fc.constantFrom('unreadable' as const, 'absent' as const), { nil: undefined, freq: 8 }),
});

const situation = fc.record({
  story: fc.constantFrom(...stories),
  api: fc.constantFrom('v3' as const, 'v3' as const, 'v2' as const),
  adoptionPolicy: fc.constantFrom('IfMatching' as const, 'Never' as const),
  bends: fc.array(bend, { minLength: 1, maxLength: 3 }),
  passes: fc.integer({ min: 1, max: 3 }),
});

type Situation = typeof situation extends fc.Arbitrary<infer T> ? T : never;

function bent(faithful: RawAnswer, { mutations, status, whole }: Bend): RawAnswer {
  const answered = status ?? faithful.status;
  if (answered === 204 || whole === 'absent') return { status: answered, body: undefined };
  if (whole === 'unreadable') return { status: answered, body: 'unreadable' };
  const body = mutate(faithful.body, mutations);
  return {
    status: answered,
    body: typeof body === 'object' && body !== null && !Array.isArray(body) ? body : 'unreadable',
  };
}

function specFor({ story, api, adoptionPolicy }: Situation): Spec {
  return specOf({
    ...(story === 'refer' ? { destinationRef: { id: foreignID } } : { api }),
    adoptionPolicy,
    organization: { enabled: true },
    portals: [
      { id: shop, enabled: true },
      { id: forum, enabled: false },
    ],
  });
}

/** Passes until one asks for no retry. */
async function settle(world: World, most: number): Promise<void> {
  for (let count = 0; count < most; count += 1) {
    if (!world.cluster.objects.has(key)) return;
    const next = await world.pass(key);
    if (next.kind !== 'retry') return;
    world.clock.ms += Math.max(20_000, next.minDelayMs ?? 0);
  }
}

async function tell(world: World, { story }: Situation): Promise<void> {
  if (story === 'come' || story === 'refer') return;
  await settle(world, 10);
  await world.pass(key);
  world.clock.ms += 600_000;
  switch (story) {
    case 'stand':
      return;
    case 'drift': {
      const ours = world.destinations.find(({ name }) => name === key);
      if (ours !== undefined) changeDestination(world.model, world.organization(), ours.id, { logFormat: 'json' });
      webhookIn(world.organization(), 'us').enabled = false;
      return;
    }
    case 'rotate':
      return world.cluster.putSecret('siem', {
        endpoint: 'https://siem.example.com/2/CanaryCODE',
        authorization: 'canaryAUTH2',
      });
    case 'rename':
      return world.cluster.edit((spec) => ({
        ...spec,
        ...(spec.destination === undefined ? {} : { destination: { ...spec.destination, name: 'another name' } }),
      }));
    case 'move':
      return world.cluster.edit((spec) => ({
        ...spec,
        konnect: { ...spec.konnect, region: 'eu' },
        portals: [{ id: laden, enabled: true }],
      }));
    case 'go':
      return world.cluster.delete(new Date(world.clock.ms));
  }
}

async function play(one: Situation): Promise<boolean> {
  const world = new World();
  const theirs = world.createDestination('theirs', 'https://other.example.com/x');
  assert.equal(theirs.id, foreignID);
  world.cluster.create({
    apiVersion,
    kind,
    metadata: {
      namespace: 'platform',
      name: 'sumologic',
      uid: 'u1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      resourceVersion: '1',
      generation: 1,
    },
    spec: specFor(one),
    status: { observedGeneration: -1 },
  });
  await tell(world, one);
  if (one.story !== 'move') world.attach(theirs, laden);
  const before = foreign(world, one, theirs);
  world.forget();

  let answers = 0;
  let lied = false;
  world.between = (request, carryOut) => {
    const at = answers;
    answers += 1;
    const met = one.bends.find(({ from, count }) => at >= from && at < from + count);
    // Who says that nothing was done has done nothing.
    const refuses = met?.status !== undefined && met.status >= 400 && met.status < 500 && met.status !== 408;
    const faithful = refuses
      ? { status: 200, body: { status: met.status, title: 'x', instance: 'x', detail: 'x' } }
      : carryOut();
    if (met === undefined) return faithful;
    const answer = bent(faithful, met);
    const isLie = !refuses && tellsAnother(request, faithful, answer);
    // Whose token it is cannot be checked against anything: another organization's id is believed.
    if (isLie && request.operation === 'get organization') return faithful;
    lied ||= isLie || (answer.status === 404 && answer.body !== 'unreadable');
    return answer;
  };
  for (let pass = 0; pass < one.passes; pass += 1) {
    if (!world.cluster.objects.has(key)) break;
    const next = await world.pass(key);
    if (next.kind === 'retry') assert.ok((next.minDelayMs ?? 0) <= 3_600_000, 'waits for more than an hour');
    world.clock.ms += next.kind === 'requeue' ? next.afterMs : 20_000;
    judge(world);
    assert.deepEqual(foreign(world, one, theirs), before, 'something of another was touched');
  }

  world.between = (_request, carryOut) => carryOut();
  world.clock.ms += patienceMs;
  await settle(world, 40);
  if (world.cluster.objects.has(key)) await world.pass(key);
  judge(world);
  assert.deepEqual(foreign(world, one, theirs), before, 'something of another was touched');
  if (!lied) atTheEnd(world, one);
  return true;
}

/** True for an answer that is as Konnect words them and says something else than the truth: nobody can find that out. */
function tellsAnother({ operation, url }: KonnectRequest, faithful: RawAnswer, answer: RawAnswer): boolean {
  const schema = schemaOf(operation, url.pathname.split('/').at(-1) ?? '');
  if (schema === undefined || answer.status > 299) return false;
  const told = schema.safeParse(answer.body);
  return told.success && !isDeepStrictEqual(told.data, schema.safeParse(faithful.body).data);
}

/** Undefined where the body of an answer is not looked at. */
function schemaOf(operation: KonnectRequest['operation'], id: string): z.ZodType | undefined {
  const schemas: Partial<Record<KonnectRequest['operation'], z.ZodType>> = {
    'get organization': identifiedSchema,
    'get portal': identifiedSchema,
    'list destinations': destinationPageSchema,
    'get destination': destinationSchemaOf(id),
    'update destination': destinationSchemaOf(id),
    'create destination': destinationSchema,
    'get portal webhook': webhookSchema,
    'get organization webhook': webhookSchema,
    'get inline webhook': inlineWebhookSchema,
    'update inline webhook': inlineWebhookSchema,
  };
  return schemas[operation];
}

function foreign(world: World, { story }: Situation, theirs: Destination): unknown {
  const { target, enabled } = world.organization().portals.get(laden)?.webhook ?? {
    target: undefined,
    enabled: false,
  };
  return structuredClone({
    destination: world.destinations.find(({ id }) => id === theirs.id),
    laden: story === 'move' ? undefined : { target, enabled },
    green: world.organization(green).destinations,
  });
}

function judge(world: World): void {
  for (const status of world.cluster.statuses) assert.equal(faultOfStatus(status), undefined);
  const object = world.cluster.objects.get(key);
  if (object !== undefined) assert.deepEqual(illegalities({ ...object, apiVersion, kind }), []);
  assert.deepEqual(leaksIn(world.said), [], 'a secret came out');
}

function atTheEnd(world: World, one: Situation): void {
  assert.ok(world.organization().destinationsCreated <= 2, 'a destination was made twice');
  const object = world.cluster.objects.get(key);
  const rest = world.destinations.filter(({ id }) => id !== foreignID);
  if (one.story === 'go') {
    assert.equal(object, undefined, 'the deletion hangs');
    assert.deepEqual(rest, [], 'a destination is left behind');
    return;
  }
  const ready = object?.status.conditions?.find(({ type }) => type === 'Ready');
  assert.equal(`${ready?.status} ${ready?.reason}`, 'True InSync', ready?.message);
  const region = one.story === 'move' ? 'eu' : 'us';
  const name = one.story === 'rename' ? 'another name' : key;
  assert.deepEqual(
    rest.map((each) => each.name),
    one.story === 'refer' ? [] : [name],
    'not one destination',
  );
  const [ours] = one.story === 'refer' ? world.destinations : rest;
  for (const portal of object?.spec.portals ?? []) {
    const webhook = world.organization().portals.get(portal.id)?.webhook;
    assert.deepEqual(webhook?.target, { kind: 'destination', id: ours?.id });
    assert.equal(webhook?.enabled, portal.enabled);
  }
  assert.equal(webhookIn(world.organization(), region).enabled, true);
  world.forget();
}

export const konnectAnswers: Part = {
  name: 'konnect-answers',
  runsInTest: 250,
  open: alone(fc.asyncProperty(situation, play)),
};
