import { describe, expect, test } from '@jest/globals';
import type { Status } from '../../../../src/api/v1alpha1.ts';
import { claimsOf, ownershipFingerprint } from '../../../../src/forwarding/ownership/claims.ts';
import { type SpecChoice, specOf } from '../../../support/forwarding-spec.ts';
import { shop } from '../../../support/konnect-fixtures.ts';
import { attached, cleanup, forwarding, stalledBy, wantsBoth, wantsPortal } from './forwardings.ts';

describe('claims', () => {
  test('are what spec wants, what status records and what cleanup lists, each in its organization', () => {
    const status: Status = {
      portals: [{ id: 'old', enabled: true, state: 'on' }],
      organization: { api: 'v3', enabled: true, state: 'on' },
      destination: { name: 'was' },
      cleanup: [
        { ...cleanup, organizationID: 'p', region: 'eu' },
        { ...cleanup, organizationID: 'p', region: 'eu', kind: 'organization' },
        { ...cleanup, kind: 'destination' },
      ],
    };
    expect(claimsOf(forwarding('a', { age: 1, status }), 'is', 'q').toSorted()).toEqual(
      [
        `q/us/portal/${shop}`,
        'q/destination/is',
        'o/us/portal/old',
        'o/us/organization',
        'o/destination/was',
        `p/eu/portal/${shop}`,
        'p/eu/organization',
      ].toSorted(),
    );
  });

  test('are on the portals that references resolve to, or on those that status records', () => {
    const spec: SpecChoice = { portalRefs: [{ name: 'shop', enabled: true }] };
    const status: Status = { portals: [{ id: 'old', ref: 'shop', enabled: true, state: 'on' }] };
    const one = forwarding('a', { age: 1, spec, status });
    expect(claimsOf(one, undefined, 'o', [{ id: 'new' }])).toEqual(['o/us/portal/new', 'o/us/portal/old']);
    expect(claimsOf(one, undefined)).toEqual(['o/us/portal/old']);
  });

  test('are none before the token has proved its organization', () => {
    expect(claimsOf(forwarding('a', { age: 1, spec: wantsBoth, status: { konnect: undefined } }), 'is')).toEqual([]);
  });

  test('contain each object once', () => {
    const claims = claimsOf(
      forwarding('a', { age: 1, status: { ...attached('A'), destination: { name: 'is' } } }),
      'is',
    );
    expect(claims).toEqual([`o/us/portal/${shop}`, 'o/destination/is']);
  });
});

describe('changes that other forwardings depend on', () => {
  const before = forwarding('a', { age: 1, status: attached('A') });
  const status = (change: Status) => ({ ...before, status: { ...before.status, ...change } });
  test.each([
    ['a new state of a portal', status(attached('B')), true],
    ['another organization', status({ konnect: { organizationID: 'p', region: 'us' } }), true],
    ['being stalled', status(stalledBy('TokenRejected')), true],
    ['another name of its destination', status({ destination: { name: 'x' } }), true],
    ['another spec', { ...before, spec: specOf({ ...wantsPortal, suspend: true }) }, true],
    ['deletion', forwarding('a', { age: 1, status: attached('A'), deleted: true }), true],
    ['a Secret applied', status({ destination: undefined, portalsReady: '1/1' }), false],
    ['a generation answered', status({ observedGeneration: 9 }), false],
    ['an answered annotation', status({ lastHandledReconcileAt: 'now' }), false],
  ] as const)('%s: %j', (_title, after, isNews) => {
    expect(ownershipFingerprint(after) !== ownershipFingerprint(before)).toBe(isNews);
  });
});
