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

function desired(over: Partial<DesiredScope> = {}): DesiredScope {
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

const recorded: Status = {
  konnect: { organizationID, region: 'us' },
  destination: { id: 'D', name: 'n', managed: true, secretVersion: 'u/1' },
  organization: { api: 'v3', destinationID: 'D', enabled: true, state: 'on' },
  portals: [portal('p1'), portal('p2')],
};

const entry = { organizationID, region: 'us', api: 'v3' } as const;

describe('what is no longer wanted moves into cleanup', () => {
  test('nothing moves if spec wants everything', () => {
    expect(moveUnwantedToCleanup(recorded, desired())).toEqual(recorded);
  });

  test('a portal', () => {
    const found = moveUnwantedToCleanup(recorded, desired({ portals: [{ id: 'p2' }] }));
    expect(found.portals).toEqual([portal('p2')]);
    expect(found.cleanup).toEqual([{ ...entry, kind: 'portal', id: 'p1', destinationID: 'D' }]);
  });

  test('a portal that the operator never attached is dropped', () => {
    const refused: Status = { ...recorded, portals: [{ id: 'p1', enabled: true, state: 'refused' }] };
    expect(moveUnwantedToCleanup(refused, desired({ portals: [] })).cleanup).toBeUndefined();
  });

  test('a webhook that may point at the referenced destination, although status still names the previous one', () => {
    const referring: Status = {
      konnect: { organizationID, region: 'us' },
      destination: { id: 'T', name: 't', managed: false },
      organization: { api: 'v3', destinationID: 'T', enabled: true, state: 'on' },
      portals: [{ ...portal('p1'), updating: 'Change' as const }],
    };
    expect(moveUnwantedToCleanup(referring, nothingWanted('us', 'v3', organizationID)).cleanup).toEqual([
      { ...entry, kind: 'portal', id: 'p1', destinationID: 'D' },
      { ...entry, kind: 'portal', id: 'p1', destinationID: 'T' },
      { ...entry, kind: 'organization', destinationID: 'T' },
    ]);
    const left = moveUnwantedToCleanup(referring, desired({ needsOwn: false, portals: [], organization: undefined }));
    const again = moveUnwantedToCleanup(
      left,
      desired({ needsOwn: false, portals: [{ id: 'p1' }], organization: undefined }),
    );
    expect(again.portals).toMatchObject([{ id: 'p1', destinationID: 'D' }]);
  });

  test('the organization webhook', () => {
    const found = moveUnwantedToCleanup(recorded, desired({ organization: undefined }));
    expect(found.organization).toBeUndefined();
    expect(found.cleanup).toEqual([{ ...entry, kind: 'organization', destinationID: 'D' }]);
  });

  test('the old view of the organization webhook, if the API version changed', () => {
    const found = moveUnwantedToCleanup(recorded, desired({ api: 'v2' }));
    expect(found.organization).toBeUndefined();
    expect(found.cleanup).toEqual([{ ...entry, kind: 'organization', destinationID: 'D' }]);
    const inline: Status = {
      ...recorded,
      organization: { api: 'v2', endpointDigest: digest, enabled: true, state: 'on' },
    };
    expect(moveUnwantedToCleanup(inline, desired()).cleanup).toEqual([
      { ...entry, api: 'v2', kind: 'organization', endpointDigest: digest },
    ]);
  });

  test('all webhooks of another region, but not the destination, which belongs to the organization', () => {
    const found = moveUnwantedToCleanup(recorded, desired({ region: 'eu' }));
    expect(found.konnect).toEqual({ organizationID, region: 'eu' });
    expect(found.destination).toEqual(recorded.destination);
    expect(found.portals).toBeUndefined();
    expect(found.cleanup?.map(({ kind, region }) => `${kind} ${region}`)).toEqual([
      'portal us',
      'portal us',
      'organization us',
    ]);
  });

  test('a destination that nothing needs, if the operator created it', () => {
    const found = moveUnwantedToCleanup(
      recorded,
      desired({ needsOwn: false, usesDestination: false, portals: [], api: 'v2' }),
    );
    expect(found.destination).toBeUndefined();
    expect(found.cleanup?.at(-1)).toEqual({ ...entry, api: 'v2', kind: 'destination', destinationID: 'D' });
    const foreign: Status = { ...recorded, destination: { id: 'D', name: 'n', managed: false } };
    const left = moveUnwantedToCleanup(
      foreign,
      desired({ needsOwn: false, usesDestination: false, portals: [], organization: undefined }),
    );
    expect(left.cleanup?.some(({ kind }) => kind === 'destination')).toBe(false);
  });

  test('but not a pending creation whose POST may be in flight', () => {
    const creating = { name: 'n', since: '2026-01-01T00:00:00Z', secretVersion: 'u/1', endpointDigest: digest };
    const found = moveUnwantedToCleanup(
      { destination: { name: 'n', creating } },
      desired({ needsOwn: false, usesDestination: false }),
    );
    expect(found.destination).toEqual({ name: 'n', creating });
  });

  test('everything, on a deletion', () => {
    const found = moveUnwantedToCleanup(recorded, nothingWanted('us', 'v3', organizationID));
    expect(found.cleanup?.map(({ kind }) => kind)).toEqual(['portal', 'portal', 'organization', 'destination']);
    expect({ ...found, cleanup: undefined }).toEqual({ konnect: recorded.konnect });
  });
});

describe('what spec wants again leaves cleanup', () => {
  const elsewhere = moveUnwantedToCleanup(recorded, desired({ region: 'eu' }));

  test('the webhooks of a region, as pending', () => {
    const back = moveUnwantedToCleanup(elsewhere, desired());
    expect(back.cleanup).toBeUndefined();
    expect(back.portals).toEqual([
      { id: 'p1', destinationID: 'D', enabled: false, state: 'pending' },
      { id: 'p2', destinationID: 'D', enabled: false, state: 'pending' },
    ]);
    expect(back.organization).toEqual({ api: 'v3', destinationID: 'D', enabled: false, state: 'pending' });
  });

  test('some of them, while the rest stays', () => {
    const back = moveUnwantedToCleanup(elsewhere, desired({ portals: [{ id: 'p2' }], organization: undefined }));
    expect(back.cleanup?.map(({ kind, id }) => [kind, id])).toEqual([
      ['portal', 'p1'],
      ['organization', undefined],
    ]);
  });

  test('the destination, whose settings are then applied again', () => {
    const next = moveUnwantedToCleanup(
      recorded,
      desired({ needsOwn: false, usesDestination: false, portals: [], api: 'v2' }),
    );
    const back = moveUnwantedToCleanup(next, desired());
    expect(back.destination).toEqual({ id: 'D', name: '', managed: true });
    expect(back.cleanup).toBeUndefined();
  });
});

test('a finished entry is removed, and the last one removes the list', () => {
  const first: CleanupStatus = { ...entry, kind: 'portal', id: 'p1' };
  const second: CleanupStatus = { ...entry, kind: 'portal', id: 'p2' };
  const one = withoutCleanup({ cleanup: [first, second] }, first);
  expect(one).toEqual({ cleanup: [second] });
  expect(withoutCleanup(one, second)).toEqual({});
});

test('portals are recorded once each, in the order of their IDs', () => {
  const found = ['p3', 'p1', 'p2', 'p1'].reduce<Status>((status, id) => withPortal(status, portal(id)), {});
  expect(found.portals?.map(({ id }) => id)).toEqual(['p1', 'p2', 'p3']);
});

/** Everything that the recorded state says the operator owns, one text each. */
function names({ konnect, destination, organization, portals = [], cleanup = [] }: Status): Set<string> {
  const region = konnect?.region ?? '';
  const organizationName = (api: string, where: string, attachedTo = '') =>
    `organization ${api} ${where} ${attachedTo}`;
  return new Set([
    ...(destination?.id === undefined ? [] : [`destination ${destination.id}`]),
    ...(destination?.creating === undefined ? [] : [`pending creation ${destination.creating.name}`]),
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

const aScope: fc.Arbitrary<DesiredScope> = fc
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

/** The recorded state after a reconciliation without failures: everything in scope is attached. */
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

test('any sequence of specs, applied or not, loses nothing that the operator owns', () => {
  const steps = fc.array(fc.record({ scope: aScope, isApplied: fc.boolean() }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(steps, (sequence) => {
      let status: Status = {};
      for (const [index, { scope, isApplied }] of sequence.entries()) {
        const before = names(status);
        const next = moveUnwantedToCleanup(status, scope);
        const after = names(next);
        expect([...before].filter((one) => !after.has(one))).toEqual([]);
        expect(moveUnwantedToCleanup(next, scope)).toEqual(next);
        status = isApplied ? attached(next, scope, `D${String(index)}`) : next;
      }
      const all = moveUnwantedToCleanup(status, nothingWanted('us', 'v3', organizationID));
      expect([...names(status)].filter((one) => !names(all).has(one))).toEqual([]);
      expect(all.cleanup?.length ?? 0).toBe(names(status).size);
      expect(ownsAnything(all)).toBe(names(status).size > 0);
    }),
    { numRuns: 500 },
  );
});
