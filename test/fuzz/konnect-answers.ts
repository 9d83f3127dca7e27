/** Invalid answers of Konnect during the creation, a resync, drift, a move and the deletion of a forwarding. */
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import type * as z from 'zod';
import { changeDestination } from '../../sandbox/konnect/model/destinations.ts';
import { type Destination, webhookIn } from '../../sandbox/konnect/model.ts';
import { apiVersion, kind, type Spec } from '../../src/api/v1alpha1.ts';
import { replayJobSchema } from '../../src/konnect/replay-job.ts';
import {
  destinationPageSchema,
  destinationSchema,
  destinationSchemaOf,
  identifiedSchema,
  inlineWebhookSchema,
  webhookSchema,
  webhookStatusSchema,
} from '../../src/konnect/schema.ts';
import type { KonnectRequest } from '../../src/konnect/transport.ts';
import { specOf } from '../support/forwarding-spec.ts';
import type { RawAnswer } from '../support/in-memory-konnect.ts';
import { forum, green, laden, shop } from '../support/konnect-fixtures.ts';
import { illegalities } from '../validators/legal-status.ts';
import { faultOfStatus } from './crd.ts';
import { Environment } from './environment.ts';
import { foreignID, type Mutation, mutate, mutation } from './json-mutation.ts';
import { leaksIn } from './leaks.ts';
import { alone, type Part } from './part.ts';

const key = 'platform/sumologic';
const patienceMs = 15 * 60_000;

const stories = ['come', 'stand', 'drift', 'rotate', 'rename', 'move', 'go', 'refer'] as const;
const statuses = [
  200, 200, 200, 201, 202, 204, 226, 299, 301, 302, 400, 401, 403, 404, 408, 409, 418, 422, 429, 500, 503, 599,
];

interface Change {
  /** Number of the first changed answer. */
  readonly from: number;
  readonly count: number;
  readonly mutations: readonly Mutation[];
  readonly status: number | undefined;
  readonly whole: 'unreadable' | 'absent' | undefined;
}

const change: fc.Arbitrary<Change> = fc.record({
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
  changes: fc.array(change, { minLength: 1, maxLength: 3 }),
  passes: fc.integer({ min: 1, max: 3 }),
});

type Situation = typeof situation extends fc.Arbitrary<infer T> ? T : never;

function changedAnswer(faithful: RawAnswer, { mutations, status, whole }: Change): RawAnswer {
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

/** Reconciles until no retry is requested. */
async function settle(environment: Environment, most: number): Promise<void> {
  for (let count = 0; count < most; count += 1) {
    if (!environment.cluster.objects.has(key)) return;
    const next = await environment.reconcile(key);
    if (next.kind !== 'retry') return;
    environment.clock.ms += Math.max(20_000, next.minDelayMs ?? 0);
  }
}

async function tell(environment: Environment, { story }: Situation): Promise<void> {
  if (story === 'come' || story === 'refer') return;
  await settle(environment, 10);
  await environment.reconcile(key);
  environment.clock.ms += 600_000;
  switch (story) {
    case 'stand':
      return;
    case 'drift': {
      const ours = environment.destinations.find(({ name }) => name === key);
      if (ours !== undefined)
        changeDestination(environment.model, environment.organization(), ours.id, { logFormat: 'json' });
      webhookIn(environment.organization(), 'us').enabled = false;
      return;
    }
    case 'rotate':
      return environment.cluster.putSecret('siem', {
        endpoint: 'https://siem.example.com/2/CanaryCODE',
        authorization: 'canaryAUTH2',
      });
    case 'rename':
      return environment.cluster.edit((spec) => ({
        ...spec,
        ...(spec.destination === undefined ? {} : { destination: { ...spec.destination, name: 'another name' } }),
      }));
    case 'move':
      return environment.cluster.edit((spec) => ({
        ...spec,
        konnect: { ...spec.konnect, region: 'eu' },
        portals: [{ id: laden, enabled: true }],
      }));
    case 'go':
      return environment.cluster.delete(new Date(environment.clock.ms));
  }
}

async function play(one: Situation): Promise<boolean> {
  const environment = new Environment();
  const theirs = environment.createDestination('theirs', 'https://other.example.com/x');
  assert.equal(theirs.id, foreignID);
  environment.cluster.create({
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
  await tell(environment, one);
  if (one.story !== 'move') environment.attach(theirs, laden);
  const before = foreign(environment, one, theirs);
  environment.clearRecords();

  let answers = 0;
  let hasFalseContent = false;
  environment.intercept = (request, carryOut) => {
    const at = answers;
    answers += 1;
    const met = one.changes.find(({ from, count }) => at >= from && at < from + count);
    // An error without `mayHaveHappened` must not follow an executed write.
    const refuses = met?.status !== undefined && met.status >= 400 && met.status < 500 && met.status !== 408;
    const faithful = refuses
      ? { status: 200, body: { status: met.status, title: 'x', instance: 'x', detail: 'x' } }
      : carryOut();
    if (met === undefined) return faithful;
    const answer = changedAnswer(faithful, met);
    const isFalseContent = !refuses && tellsAnother(request, faithful, answer);
    // The operator cannot check the organization of a token, so it believes the ID of another one.
    if (isFalseContent && request.operation === 'get organization') return faithful;
    hasFalseContent ||= isFalseContent || (answer.status === 404 && answer.body !== 'unreadable');
    return answer;
  };
  for (let pass = 0; pass < one.passes; pass += 1) {
    if (!environment.cluster.objects.has(key)) break;
    const next = await environment.reconcile(key);
    if (next.kind === 'retry') assert.ok((next.minDelayMs ?? 0) <= 3_600_000, 'waits for more than an hour');
    environment.clock.ms += next.kind === 'requeue' ? next.afterMs : 20_000;
    checkInvariants(environment);
    assert.deepEqual(foreign(environment, one, theirs), before, 'an object of another client was changed');
  }

  environment.intercept = (_request, carryOut) => carryOut();
  environment.clock.ms += patienceMs;
  await settle(environment, 40);
  if (environment.cluster.objects.has(key)) await environment.reconcile(key);
  checkInvariants(environment);
  assert.deepEqual(foreign(environment, one, theirs), before, 'an object of another client was changed');
  if (!hasFalseContent) atTheEnd(environment, one);
  return true;
}

/** True for a well-formed answer with other content, which the operator cannot detect. */
function tellsAnother({ operation, url }: KonnectRequest, faithful: RawAnswer, answer: RawAnswer): boolean {
  const schema = schemaOf(operation, url.pathname.split('/').at(-1) ?? '');
  if (schema === undefined || answer.status > 299) return false;
  const told = schema.safeParse(answer.body);
  return told.success && !isDeepStrictEqual(told.data, schema.safeParse(faithful.body).data);
}

/** Undefined if the operator ignores the body of the answer. */
function schemaOf(operation: KonnectRequest['operation'], id: string): z.ZodType | undefined {
  const schemas: Partial<Record<KonnectRequest['operation'], z.ZodType>> = {
    'get organization': identifiedSchema,
    'get portal': identifiedSchema,
    'list destinations': destinationPageSchema,
    'get destination': destinationSchemaOf(id),
    'update destination': destinationSchemaOf(id),
    'create destination': destinationSchema,
    'get portal webhook': webhookSchema,
    'get portal webhook status': webhookStatusSchema,
    'get organization webhook status': webhookStatusSchema,
    'get organization webhook': webhookSchema,
    'get replay job': replayJobSchema,
    'start replay job': replayJobSchema,
    'get inline webhook': inlineWebhookSchema,
    'update inline webhook': inlineWebhookSchema,
  };
  return schemas[operation];
}

function foreign(environment: Environment, { story }: Situation, theirs: Destination): unknown {
  const { target, enabled } = environment.organization().portals.get(laden)?.webhook ?? {
    target: undefined,
    enabled: false,
  };
  return structuredClone({
    destination: environment.destinations.find(({ id }) => id === theirs.id),
    laden: story === 'move' ? undefined : { target, enabled },
    green: environment.organization(green).destinations,
  });
}

function checkInvariants(environment: Environment): void {
  for (const status of environment.cluster.statuses) assert.equal(faultOfStatus(status), undefined);
  const object = environment.cluster.objects.get(key);
  if (object !== undefined) assert.deepEqual(illegalities({ ...object, apiVersion, kind }), []);
  assert.deepEqual(leaksIn(environment.output), [], 'a secret came out');
}

function atTheEnd(environment: Environment, one: Situation): void {
  assert.ok(environment.organization().destinationsCreated <= 2, 'a destination was made twice');
  const object = environment.cluster.objects.get(key);
  const rest = environment.destinations.filter(({ id }) => id !== foreignID);
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
  const [ours] = one.story === 'refer' ? environment.destinations : rest;
  for (const portal of object?.spec.portals ?? []) {
    const webhook = environment.organization().portals.get(portal.id)?.webhook;
    assert.deepEqual(webhook?.target, { kind: 'destination', id: ours?.id });
    assert.equal(webhook?.enabled, portal.enabled);
  }
  assert.equal(webhookIn(environment.organization(), region).enabled, true);
  environment.clearRecords();
}

export const konnectAnswers: Part = {
  name: 'konnect-answers',
  runsInTest: 250,
  open: alone(fc.asyncProperty(situation, play)),
};
