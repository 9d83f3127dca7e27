/** Forwardings that the API server accepts, with any status, reconciled with a local Konnect. */

import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { apiVersion, finalizer, kind, reconcileAnnotation, type Spec } from '../../src/api/v1alpha1.ts';
import { KubeError } from '../../src/kube/errors.ts';
import { parseForwarding } from '../../src/resources/forwarding-resource.ts';
import { anyCharacter } from '../support/any-character.ts';
import { blue, forum, garden, green, laden, shop } from '../support/konnect-fixtures.ts';
import { illegalities } from '../validators/legal-status.ts';
import { faultOfStatus, specSchema, statusSchema } from './crd.ts';
import { Environment } from './environment.ts';
import { fromSchema, withDefaults } from './from-schema.ts';
import { foreignID } from './json-mutation.ts';
import { leaksIn, secrets } from './leaks.ts';
import { alone, type Part } from './part.ts';

const ours = 'd0000000-0000-4000-8000-000000000008';
const nil = '00000000-0000-0000-0000-000000000000';

const common = [
  shop,
  forum,
  laden,
  garden,
  'ffffffff-227d-4297-b911-e68fd5d77c17',
  'us',
  'eu',
  'au',
  'konnect',
  'siem',
  'token',
  'endpoint',
  'authorization',
  'platform/sumologic',
  'Bearer',
  'constructor',
  '1m',
  '60s',
  '10m',
  '24h',
  '23h59m60s',
  '000h1m000000s',
  '1440m',
  '86400s',
];
const ofSpec = [...common, foreignID, nil, 'theirs'];
/** Status records what the operator owns. A user who writes another destination into it makes it ours. */
const ofStatus = [
  ...common,
  ours,
  blue,
  green,
  nil,
  '',
  '0d9ac7a8-4f65-4bd8-8f0a-3f1f3b1c5a11/3',
  '2026-01-02T03:04:05.000Z',
  '2026-01-02T03:03:55.000Z',
  'uid-1',
  '3/3',
  'Ready',
  'Stalled',
  'Reconciling',
  'SecretsResolved',
  'DestinationReady',
  'WebhooksReady',
  'Delivering',
  'InSync',
  'Contested',
  'Applying',
  'destination',
  'organization',
  `portal/${shop}`,
];

const name = fc.oneof(fc.constant('sumologic'), fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,250}[a-z0-9])?$/));

export const spec = fromSchema(specSchema, ofSpec);
export const status = fromSchema(statusSchema, ofStatus);

const situation = fc.record({
  spec,
  status: fc.option(status, { freq: 4 }),
  name,
  annotation: fc.option(
    fc.oneof(
      fc.constant('now'),
      fc.string({ unit: anyCharacter, maxLength: 100 }),
      fc.constant('\u{1F980}'.repeat(40)),
      fc.constant(`x${'\u{1F980}'.repeat(40)}`),
    ),
    { freq: 2 },
  ),
  held: fc.boolean(),
  deleting: fc.boolean(),
  generation: fc.constantFrom(1, 2, 7),
  neighbor: fc.boolean(),
  secrets: fc.constantFrom('there', 'there', 'there', 'there', 'missing'),
});

type Situation = typeof situation extends fc.Arbitrary<infer T> ? T : never;

async function play(one: Situation): Promise<boolean> {
  const environment = new Environment();
  const key = `platform/${one.name}`;
  environment.createDestination('theirs', 'https://other.example.com/x');
  if (one.neighbor) environment.createDestination('platform/sumologic', secrets.endpoint);
  const [theirs] = environment.destinations;
  assert.equal(theirs?.id, foreignID);
  environment.attach(theirs, forum);
  const object = {
    apiVersion,
    kind,
    metadata: {
      namespace: 'platform',
      name: one.name,
      uid: 'uid-1',
      resourceVersion: '1',
      generation: one.generation,
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...(one.annotation === null ? {} : { annotations: { [reconcileAnnotation]: one.annotation } }),
      ...(one.held ? { finalizers: ['example.com/other', finalizer] } : {}),
      ...(one.held && one.deleting ? { deletionTimestamp: '2026-01-02T03:04:00Z' } : {}),
    },
    spec: withDefaults(specSchema, one.spec),
    status: withDefaults(statusSchema, one.status ?? { observedGeneration: -1 }),
  };
  const parsed = parseForwarding(object);
  assert.deepEqual(
    parsed.kind === 'invalid' ? parsed.fields : [],
    [],
    'not understood, although the API server takes it',
  );
  if (parsed.kind === 'invalid') return true;
  if (one.secrets === 'there') furnish(environment, parsed.forwarding.spec);
  const { conditions = [] } = parsed.forwarding.status;
  environment.cluster.isHandMade = ({ type, message }) =>
    conditions.some((each) => each.type === type && each.message === message);
  environment.cluster.create(object);
  const before = untouchable(environment, parsed.forwarding);

  // A condition that a user has written may stay.
  const known = illegalities(parsed.forwarding).filter((fault) => !/^both|^Stalled|^Reconciling/.test(fault));
  let isQuiet = false;
  for (let count = 0; count < 15 && !isQuiet; count += 1) {
    environment.clearRecords();
    await environment.reconcile(key).catch((error: unknown) => {
      // After a conflict, a second reconciliation is correct.
      if (!(error instanceof KubeError && error.kind === 'Conflict')) throw error;
    });
    checkInvariants(environment, key, known);
    assert.deepEqual(untouchable(environment, parsed.forwarding), before, 'something of another was touched');
    const { mode, suspend } = parsed.forwarding.spec;
    if ((mode === 'Observe' || suspend) && !(one.held && one.deleting)) assert.deepEqual(environment.writes, []);
    isQuiet = environment.writes.length === 0 && environment.cluster.writes === 0;
    if (!isQuiet) environment.clock.ms += 60_000;
  }
  assert.ok(
    isQuiet,
    `writes again and again: ${JSON.stringify(environment.writes)} ${String(environment.cluster.writes)}`,
  );
  environment.clearRecords();
  if (!environment.cluster.objects.has(key)) return true;
  await environment.reconcile(key);
  assert.deepEqual([environment.writes, environment.cluster.writes], [[], 0], 'a second look writes');
  return true;
}

/** Returns the Secrets and keys that a spec names. */
function furnish(environment: Environment, { konnect, destination }: Spec): void {
  const { tokenSecretRef = { name: 'konnect', key: 'token' }, authRef } = konnect;
  if (authRef !== undefined)
    environment.cluster.authConfigurations.set(authRef.name, { kind: 'secret', name: tokenSecretRef.name });
  const values = new Map<string, Record<string, string>>([
    [tokenSecretRef.name, { [tokenSecretRef.key]: secrets.token }],
  ]);
  if (destination !== undefined) {
    const { name: of, endpointKey, authorizationKey } = destination.secretRef;
    const siem = { [endpointKey]: secrets.endpoint, [authorizationKey]: secrets.authorization };
    values.set(of, { ...siem, ...values.get(of) });
  }
  for (const [of, one] of values) {
    const data = Object.entries(one).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
    const uid = '0d9ac7a8-4f65-4bd8-8f0a-3f1f3b1c5a11';
    environment.cluster.secrets.set(of, { uid, resourceVersion: '3', data: Object.fromEntries(data) });
  }
}

function checkInvariants(environment: Environment, key: string, known: readonly string[]): void {
  for (const written of environment.cluster.statuses) assert.equal(faultOfStatus(written), undefined);
  const object = environment.cluster.objects.get(key);
  if (object !== undefined && environment.cluster.statuses.length > 0) {
    const faults = illegalities({ ...object, apiVersion, kind }).filter((fault) => !known.includes(fault));
    assert.deepEqual(faults, []);
  }
  assert.deepEqual(leaksIn(environment.output), [], 'a secret came out');
}

/** Returns the state that no forwarding with this spec and status may change. */
function untouchable(
  environment: Environment,
  { spec: wanted, status: remembered }: { spec: object; status: object },
): unknown {
  const named = JSON.stringify([wanted, remembered]);
  const isAdopted = named.includes('"theirs"') && named.includes('"Always"');
  return structuredClone({
    theirs: isAdopted ? undefined : environment.destinations.find(({ id }) => id === foreignID),
    green: [
      environment.organization(green).destinations,
      [...environment.organization(green).portals.values()].map(({ webhook }) => webhook),
    ],
    portals: [...environment.organization().portals.values()]
      .filter(({ id }) => !named.includes(id))
      .map(({ webhook }) => webhook),
    organization: named.includes('organization')
      ? undefined
      : [...environment.organization().webhooks.values()].filter(({ target }) => target.kind !== 'none'),
  });
}

export const resource: Part = { name: 'resource', runsInTest: 250, open: alone(fc.asyncProperty(situation, play)) };
