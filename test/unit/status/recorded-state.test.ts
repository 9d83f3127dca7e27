import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { CleanupStatus, PortalStatus, Status } from '../../../src/api/v1alpha1.ts';
import {
  type DesiredScope,
  mayBeAttached,
  moveUnwantedToCleanup,
  nothingWanted,
  ownsAnything,
  withoutCleanup,
  withPortal,
} from '../../../src/status/recorded-state.ts';

const organizationID = 'o';
const digest = 'd'.repeat(64);

function wanted(over: Partial<DesiredScope> = {}): DesiredScope {
  return {
    region: 'us',
    api: 'v3',
    organizationID,
    needsOwn: true,
    usesDestination: true,
    organization: { enabled: true },
    portals: [{ id: 'p1' }, { id: 'p2' }],
    ...over,
  };
}

const portal = (id: string): PortalStatus => ({ id, destinationID: 'D', enabled: true, state: 'on' });

const memory: Status = {
  konnect: { organizationID, region: 'us' },
  destination: { id: 'D', name: 'n', managed: true, secretVersion: 'u/1' },
  organization: { api: 'v3', destinationID: 'D', enabled: true, state: 'on' },
  portals: [portal('p1'), portal('p2')],
};

const entry = { organizationID, region: 'us', api: 'v3' } as const;

describe('what is no longer wanted moves into cleanup', () => {
  test('nothing, where all is wanted', () => {
    expect(moveUnwantedToCleanup(memory, wanted())).toEqual(memory);
  });

  test('a portal', () => {
    const found = moveUnwantedToCleanup(memory, wanted({ portals: [{ id: 'p2' }] }));
    expect(found.portals).toEqual([portal('p2')]);
    expect(found.cleanup).toEqual([{ ...entry, kind: 'portal', id: 'p1', destinationID: 'D' }]);
  });

  test('a portal that was never ours is forgotten', () => {
    const refused: Status = { ...memory, portals: [{ id: 'p1', enabled: true, state: 'refused' }] };
    expect(moveUnwantedToCleanup(refused, wanted({ portals: [] })).cleanup).toBeUndefined();
  });

  test('a webhook that may have been pointed at the destination that spec refers to, although status still names the one before', () => {
    const referring: Status = {
      konnect: { organizationID, region: 'us' },
      destination: { id: 'T', name: 't', managed: false },
      organization: { api: 'v3', destinationID: 'T', enabled: true, state: 'on' },
      portals: [portal('p1')],
    };
    expect(moveUnwantedToCleanup(referring, nothingWanted('us', 'v3', organizationID)).cleanup).toEqual([
      { ...entry, kind: 'portal', id: 'p1', destinationID: 'D' },
      { ...entry, kind: 'portal', id: 'p1', destinationID: 'T' },
      { ...entry, kind: 'organization', destinationID: 'T' },
    ]);
    const left = moveUnwantedToCleanup(referring, wanted({ needsOwn: false, portals: [], organization: undefined }));
    const again = moveUnwantedToCleanup(
      left,
      wanted({ needsOwn: false, portals: [{ id: 'p1' }], organization: undefined }),
    );
    expect(again.portals).toMatchObject([{ id: 'p1', destinationID: 'D' }]);
  });

  test('the organization webhook', () => {
    const found = moveUnwantedToCleanup(memory, wanted({ organization: undefined }));
    expect(found.organization).toBeUndefined();
    expect(found.cleanup).toEqual([{ ...entry, kind: 'organization', destinationID: 'D' }]);
  });

  test('its old view, where the API changed', () => {
    const found = moveUnwantedToCleanup(memory, wanted({ api: 'v2' }));
    expect(found.organization).toBeUndefined();
    expect(found.cleanup).toEqual([{ ...entry, kind: 'organization', destinationID: 'D' }]);
    const inline: Status = {
      ...memory,
      organization: { api: 'v2', endpointDigest: digest, enabled: true, state: 'on' },
    };
    expect(moveUnwantedToCleanup(inline, wanted()).cleanup).toEqual([
      { ...entry, api: 'v2', kind: 'organization', endpointDigest: digest },
    ]);
  });

  test('all webhooks of another region, and not the destination, which belongs to the organization', () => {
    const found = moveUnwantedToCleanup(memory, wanted({ region: 'eu' }));
    expect(found.konnect).toEqual({ organizationID, region: 'eu' });
    expect(found.destination).toEqual(memory.destination);
    expect(found.portals).toBeUndefined();
    expect(found.cleanup?.map(({ kind, region }) => `${kind} ${region}`)).toEqual([
      'portal us',
      'portal us',
      'organization us',
    ]);
  });

  test('the destination that nothing needs, if it is ours', () => {
    const found = moveUnwantedToCleanup(
      memory,
      wanted({ needsOwn: false, usesDestination: false, portals: [], api: 'v2' }),
    );
    expect(found.destination).toBeUndefined();
    expect(found.cleanup?.at(-1)).toEqual({ ...entry, api: 'v2', kind: 'destination', destinationID: 'D' });
    const foreign: Status = { ...memory, destination: { id: 'D', name: 'n', managed: false } };
    const left = moveUnwantedToCleanup(
      foreign,
      wanted({ needsOwn: false, usesDestination: false, portals: [], organization: undefined }),
    );
    expect(left.cleanup?.some(({ kind }) => kind === 'destination')).toBe(false);
  });

  test('but not an intent whose POST may be under way', () => {
    const creating = { name: 'n', since: '2026-01-01T00:00:00Z', secretVersion: 'u/1', endpointDigest: digest };
    const found = moveUnwantedToCleanup(
      { destination: { name: 'n', creating } },
      wanted({ needsOwn: false, usesDestination: false }),
    );
    expect(found.destination).toEqual({ name: 'n', creating });
  });

  test('everything, on deletion', () => {
    const found = moveUnwantedToCleanup(memory, nothingWanted('us', 'v3', organizationID));
    expect(found.cleanup?.map(({ kind }) => kind)).toEqual(['portal', 'portal', 'organization', 'destination']);
    expect({ ...found, cleanup: undefined }).toEqual({ konnect: memory.konnect });
  });
});

describe('what is wanted again leaves cleanup', () => {
  const elsewhere = moveUnwantedToCleanup(memory, wanted({ region: 'eu' }));

  test('the webhooks of a region, as ours but not yet seen so', () => {
    const back = moveUnwantedToCleanup(elsewhere, wanted());
    expect(back.cleanup).toBeUndefined();
    expect(back.portals).toEqual([
      { id: 'p1', destinationID: 'D', enabled: false, state: 'pending' },
      { id: 'p2', destinationID: 'D', enabled: false, state: 'pending' },
    ]);
    expect(back.organization).toEqual({ api: 'v3', destinationID: 'D', enabled: false, state: 'pending' });
  });

  test('some of them, while the others stay', () => {
    const back = moveUnwantedToCleanup(elsewhere, wanted({ portals: [{ id: 'p2' }], organization: undefined }));
    expect(back.cleanup?.map(({ kind, id }) => [kind, id])).toEqual([
      ['portal', 'p1'],
      ['organization', undefined],
    ]);
  });

  test('the destination, whose settings are then applied anew', () => {
    const released = moveUnwantedToCleanup(
      memory,
      wanted({ needsOwn: false, usesDestination: false, portals: [], api: 'v2' }),
    );
    const back = moveUnwantedToCleanup(released, wanted());
    expect(back.destination).toEqual({ id: 'D', name: '', managed: true });
    expect(back.cleanup).toBeUndefined();
  });
});

test('an entry that is done leaves, and the last takes the list with it', () => {
  const first: CleanupStatus = { ...entry, kind: 'portal', id: 'p1' };
  const second: CleanupStatus = { ...entry, kind: 'portal', id: 'p2' };
  const one = withoutCleanup({ cleanup: [first, second] }, first);
  expect(one).toEqual({ cleanup: [second] });
  expect(withoutCleanup(one, second)).toEqual({});
});

test('portals are remembered once each, in the order of their IDs', () => {
  const found = ['p3', 'p1', 'p2', 'p1'].reduce<Status>((status, id) => withPortal(status, portal(id)), {});
  expect(found.portals?.map(({ id }) => id)).toEqual(['p1', 'p2', 'p3']);
});

/** Everything of ours that a memory names, one line each. */
function names({ konnect, destination, organization, portals = [], cleanup = [] }: Status): Set<string> {
  const region = konnect?.region ?? '';
  const organizationName = (api: string, where: string, trace = '') => `organization ${api} ${where} ${trace}`;
  return new Set([
    ...(destination?.id === undefined ? [] : [`destination ${destination.id}`]),
    ...(destination?.creating === undefined ? [] : [`intent ${destination.creating.name}`]),
    ...(organization === undefined || !mayBeAttached(organization)
      ? []
      : [organizationName(organization.api, region, organization.destinationID ?? organization.endpointDigest)]),
    ...portals.filter(mayBeAttached).map(({ id, destinationID }) => `portal ${region} ${id} ${destinationID ?? ''}`),
    ...cleanup.map((one) => {
      if (one.kind === 'destination') return `destination ${one.destinationID ?? ''}`;
      if (one.kind === 'portal') return `portal ${one.region} ${one.id ?? ''} ${one.destinationID ?? ''}`;
      return organizationName(one.api, one.region, one.destinationID ?? one.endpointDigest);
    }),
  ]);
}

const aWanted: fc.Arbitrary<DesiredScope> = fc
  .record({
    region: fc.constantFrom('us', 'eu'),
    api: fc.constantFrom('v3' as const, 'v2' as const),
    organization: fc.option(fc.constant({}), { nil: undefined }),
    portals: fc.subarray(['p1', 'p2', 'p3']).map((ids) => ids.map((id) => ({ id }))),
  })
  .map((one) => {
    const usesDestination = one.portals.length > 0 || (one.organization !== undefined && one.api === 'v3');
    return { ...one, organizationID, usesDestination, needsOwn: usesDestination };
  });

/** What a pass that got through makes of the memory: everything wanted is attached. */
function attached(status: Status, { api, organization, portals }: DesiredScope, id: string): Status {
  const destinationID = status.destination?.id ?? id;
  const needs = portals.length > 0 || (organization !== undefined && api === 'v3');
  return {
    ...status,
    ...(needs ? { destination: { ...status.destination, id: destinationID, name: 'n', managed: true } } : {}),
    ...(portals.length === 0 ? {} : { portals: portals.map((one) => ({ ...portal(one.id), destinationID })) }),
    ...(organization === undefined
      ? {}
      : {
          organization: {
            api,
            enabled: true,
            state: 'on',
            ...(api === 'v3' ? { destinationID } : { endpointDigest: digest }),
          },
        }),
  };
}

test('whatever is wanted one after another, and whether or not it comes to pass: nothing of ours is forgotten', () => {
  const steps = fc.array(fc.record({ extent: aWanted, comesToPass: fc.boolean() }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(steps, (sequence) => {
      let status: Status = {};
      for (const [index, { extent, comesToPass }] of sequence.entries()) {
        const before = names(status);
        const released = moveUnwantedToCleanup(status, extent);
        const after = names(released);
        expect([...before].filter((one) => !after.has(one))).toEqual([]);
        expect(moveUnwantedToCleanup(released, extent)).toEqual(released);
        status = comesToPass ? attached(released, extent, `D${String(index)}`) : released;
      }
      const all = moveUnwantedToCleanup(status, nothingWanted('us', 'v3', organizationID));
      expect([...names(status)].filter((one) => !names(all).has(one))).toEqual([]);
      expect(all.cleanup?.length ?? 0).toBe(names(status).size);
      expect(ownsAnything(all)).toBe(names(status).size > 0);
    }),
    { numRuns: 500 },
  );
});
