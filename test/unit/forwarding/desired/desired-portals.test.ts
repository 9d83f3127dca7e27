import { describe, expect, test } from '@jest/globals';
import { AuditLogForwarding, apiVersion, kind, type Status } from '../../../../src/api/v1alpha1.ts';
import { resolvePortals } from '../../../../src/forwarding/desired/desired-portals.ts';
import type { PortalObject } from '../../../../src/forwarding/ports.ts';
import { type SpecChoice, specOf } from '../../../support/forwarding-spec.ts';
import { blue, forum, green, shop } from '../../../support/konnect-fixtures.ts';

const here: Status = { konnect: { organizationID: blue, region: 'us' } };
const known: Status = { ...here, portals: [{ id: shop, ref: 'shop', enabled: true, state: 'on' }] };
const nilUUID = '00000000-0000-0000-0000-000000000000';
const good: PortalObject = { kind: 'portal', id: shop, organizationID: blue, serverURL: 'https://us.api.konghq.com' };

function refs(...names: string[]): SpecChoice {
  return { portalRefs: names.map((name) => ({ name, enabled: true })) };
}

async function resolve(
  choice: SpecChoice,
  objects: Readonly<Record<string, PortalObject>>,
  recorded: Status = here,
): Promise<Awaited<ReturnType<typeof resolvePortals>> & { reads: string[] }> {
  const reads: string[] = [];
  const metadata = { namespace: 'platform', name: 'sumologic', uid: 'u', resourceVersion: '1' };
  const forwarding = AuditLogForwarding.parse({ apiVersion, kind, metadata, spec: specOf(choice) });
  const wanted = await resolvePortals(forwarding, {
    cluster: {
      async readPortal(namespace, name) {
        reads.push(`${namespace}/${name}`);
        return objects[name] ?? { kind: 'absent' };
      },
    },
    recorded,
    organizationID: blue,
    tokenSource: 'Secret konnect, key token',
    signal: new AbortController().signal,
  });
  return { ...wanted, reads };
}

test('without references nothing is read', async () => {
  const portals = [
    { id: shop, enabled: true },
    { id: forum, enabled: false },
  ];
  expect(await resolve({ portals }, {})).toEqual({
    portals: [
      { id: shop, enabled: true, field: 'spec.portals[0]' },
      { id: forum, enabled: false, field: 'spec.portals[1]' },
    ],
    unresolved: [],
    reads: [],
  });
});

test('the ID of a portal comes from a Portal of the namespace, with one read', async () => {
  const { portals, unresolved, reads } = await resolve(refs('shop'), { shop: good });
  expect(portals).toEqual([{ id: shop, enabled: true, field: 'spec.portalRefs[shop]', ref: 'shop' }]);
  expect({ unresolved, reads }).toEqual({ unresolved: [], reads: ['platform/shop'] });
});

describe('of a Portal', () => {
  test.each([
    'https://us.api.konghq.com',
    'https://us.api.konghq.com/',
    'https://US.api.konghq.com:443/v3/portals?x=y',
    'us.api.konghq.com',
    'us.api.konghq.com/v3',
    'https://us.api.konghq.tech',
    // Of these only Konnect can tell.
    'https://konnect.example.com',
    'http://127.0.0.1:8080/eu',
    'eu',
    '',
    undefined,
  ])('with serverURL %j region us is accepted', async (serverURL) => {
    const { portals, unresolved } = await resolve(refs('shop'), { shop: { ...good, serverURL } });
    expect([portals.map(({ id }) => id), unresolved]).toEqual([[shop], []]);
  });

  test.each(['https://eu.api.konghq.com', 'eu.api.konghq.com/v3', 'HTTPS://EU.api.konghq.com'])(
    'with serverURL %j region us is refused',
    async (serverURL) => {
      const { portals, unresolved } = await resolve(refs('shop'), { shop: { ...good, serverURL } });
      expect(portals).toEqual([]);
      expect(unresolved).toMatchObject([{ reason: 'PortalRefMismatch', severity: 'stalled' }]);
      expect(unresolved[0]?.message).toMatch(/^Portal shop, .* is in region eu, but spec\.konnect\.region is us: /);
    },
  );

  test('of another organization both organizations are named', async () => {
    const { portals, unresolved } = await resolve(refs('shop'), { shop: { ...good, organizationID: green } });
    expect(portals).toEqual([]);
    expect(unresolved).toMatchObject([{ reason: 'PortalRefMismatch', severity: 'stalled' }]);
    for (const word of [green, blue, 'Secret konnect, key token', 'spec.portalRefs[shop]']) {
      expect(unresolved[0]?.message).toContain(word);
    }
  });
});

const situations: readonly (readonly [
  string,
  PortalObject,
  { reason: string; severity: string; keeps: boolean; says: string[] },
])[] = [
  [
    'that is not there',
    { kind: 'absent' },
    { reason: 'PortalRefNotFound', severity: 'waiting', keeps: false, says: ['create it', 'the operator detaches'] },
  ],
  [
    'without an ID',
    { kind: 'portal' },
    { reason: 'PortalRefNotReady', severity: 'waiting', keeps: true, says: ['.status.id', 'kong-operator'] },
  ],
  [
    'with the nil UUID',
    { ...good, id: nilUUID },
    { reason: 'PortalRefNotReady', severity: 'waiting', keeps: true, says: ['.status.id'] },
  ],
  [
    'of another organization',
    { ...good, organizationID: green },
    { reason: 'PortalRefMismatch', severity: 'stalled', keeps: false, says: [green] },
  ],
  [
    'of another region',
    { ...good, serverURL: 'eu.api.konghq.com' },
    { reason: 'PortalRefMismatch', severity: 'stalled', keeps: false, says: ['region eu'] },
  ],
  [
    'of a kind that is not served',
    { kind: 'unserved' },
    { reason: 'PortalRefNotServed', severity: 'stalled', keeps: true, says: ['CRDs of kong-operator', 'spec.portals'] },
  ],
  [
    'that may not be read',
    { kind: 'forbidden' },
    {
      reason: 'PortalRefForbidden',
      severity: 'stalled',
      keeps: true,
      says: ['to get portals.konnect.konghq.com', 'ServiceAccount'],
    },
  ],
  [
    'that the API server fails to read',
    { kind: 'unreadable', retryAfterMs: 7_000 },
    { reason: 'PortalRefUnreadable', severity: 'unavailable', keeps: true, says: ['API server', 'conversion webhook'] },
  ],
];

describe.each(situations)('a Portal %s', (_title, object, { keeps, says, ...expected }) => {
  test('has its own reason and a message with the Portal, the field and the way out', async () => {
    const { portals, unresolved } = await resolve(refs('shop'), { shop: object });
    expect(portals).toEqual([]);
    expect(unresolved).toMatchObject([expected]);
    for (const word of ['Portal shop', 'spec.portalRefs[shop]', ...says])
      expect(unresolved[0]?.message).toContain(word);
  });

  test('does not affect the other entries', async () => {
    const portals = [{ id: forum, enabled: true }];
    const second = 'ffffffff-0000-4000-8000-000000000000';
    const wanted = await resolve({ portals, ...refs('bad', 'fine') }, { bad: object, fine: { ...good, id: second } });
    expect(wanted.portals).toMatchObject([
      { id: forum, field: 'spec.portals[0]' },
      { id: second, ref: 'fine' },
    ]);
    expect(wanted.portals.every(({ problem }) => problem === undefined)).toBe(true);
    expect(wanted.unresolved).toHaveLength(1);
  });

  test('keeps the recorded portal, or does not', async () => {
    const { portals, unresolved } = await resolve(refs('shop'), { shop: object }, known);
    expect(portals).toMatchObject(keeps ? [{ id: shop, ref: 'shop', problem: expected }] : []);
    expect(unresolved).toMatchObject(keeps ? [] : [expected]);
  });
});

test.each([
  ['another region', { organizationID: blue, region: 'eu' }],
  ['another organization', { organizationID: green, region: 'us' }],
])('an ID that was known in %s is not kept', async (_title, konnect) => {
  const { portals } = await resolve(refs('shop'), { shop: { kind: 'unserved' } }, { ...known, konnect });
  expect(portals).toEqual([]);
});

test('a delay that the API server asks for reaches the queue', async () => {
  const { unresolved } = await resolve(refs('shop'), { shop: { kind: 'unreadable', retryAfterMs: 7_000 } });
  expect(unresolved).toMatchObject([{ retryAfterMs: 7_000 }]);
});

test('a Portal that was created again refers to its new portal', async () => {
  const { portals } = await resolve(refs('shop'), { shop: { ...good, id: forum } }, known);
  expect(portals).toMatchObject([{ id: forum, ref: 'shop' }]);
});

describe('a portal that is named twice', () => {
  const listed = (enabled: boolean) => ({ portals: [{ id: shop, enabled }] });

  test('is one portal if both entries agree', async () => {
    const { portals, unresolved } = await resolve({ ...listed(true), ...refs('one', 'two') }, { one: good, two: good });
    expect(portals).toEqual([{ id: shop, enabled: true, field: 'spec.portals[0]', ref: 'one', problem: undefined }]);
    expect(unresolved).toEqual([]);
  });

  test.each([
    ['by ID and by a Portal', { ...listed(false), ...refs('one') }, ['spec.portals[0] (enabled: false)', 'one']],
    [
      'by two Portals',
      {
        portalRefs: [
          { name: 'two', enabled: false },
          { name: 'one', enabled: true },
        ],
      },
      ['spec.portalRefs[two] (enabled: false)', 'spec.portalRefs[one] (enabled: true)'],
    ],
  ])('%s is a problem where they disagree, and the first decides', async (_title, choice, says) => {
    const { portals } = await resolve(choice, { one: good, two: good });
    expect(portals).toMatchObject([
      { id: shop, enabled: false, problem: { reason: 'PortalRefConflict', severity: 'stalled' } },
    ]);
    for (const word of [shop, ...says]) expect(portals[0]?.problem?.message).toContain(word);
  });
});
