import { describe, expect, test } from '@jest/globals';
import type { CleanupStatus, Status } from '../../../../src/api/v1alpha1.ts';
import { successorOf } from '../../../../src/forwarding/ownership/ownership.ts';
import type { SpecChoice } from '../../../support/forwarding-spec.ts';
import { shop } from '../../../support/konnect-fixtures.ts';
import {
  attached,
  cleanup,
  contest,
  inlineOn,
  organizationID,
  stalledBy,
  wantsBoth,
  wantsPortal,
} from './forwardings.ts';

describe('the next owner', () => {
  const entry: CleanupStatus = { ...cleanup, destinationID: 'A' };
  const pointedAtA = { kind: 'attached', destinationID: 'A' } as const;
  test.each([
    ['does not exist', {}, undefined],
    [
      'is the oldest one that can take it',
      { b: { age: 3 }, c: { age: 2 }, d: { age: 1, spec: { ...wantsPortal, suspend: true } } },
      { by: 'n/c', hasIt: false },
    ],
    [
      'is the one that owns it already',
      { b: { age: 1 }, c: { age: 2, status: attached('A') } },
      { by: 'n/c', hasIt: true },
    ],
    [
      'is not of another organization',
      { b: { age: 1, status: { konnect: { organizationID: 'p', region: 'us' } } } },
      undefined,
    ],
    ['is not one that is deleted itself', { b: { age: 1, deleted: true } }, undefined],
  ] as const)('%s', (_title, others, expected) => {
    expect(
      successorOf(contest({ age: 1, deleted: true }, others), entry, { kind: 'attached', destinationID: 'A' }),
    ).toEqual(expected);
  });

  test.each([
    ['that still names it', 'shop', 'us', true],
    ['that no longer names it', 'other', 'us', false],
    ['that named it in another region', 'shop', 'eu', false],
  ])('a portal is wanted by a forwarding with a reference %s: %s', (_title, name, region, isWanted) => {
    const spec: SpecChoice = { portalRefs: [{ name, enabled: true }] };
    const konnect = { organizationID, region };
    const status: Status = { konnect, portals: [{ id: shop, ref: 'shop', enabled: true, state: 'refused' }] };
    const self = { age: 1, deleted: true } as const;
    const found = successorOf(contest(self, { b: { age: 2, spec, status } }), entry, pointedAtA);
    expect(found).toEqual(isWanted ? { by: 'n/b', hasIt: false } : undefined);
  });

  test('has the webhook of v2 that its status names, although a refused call stalls it', () => {
    const left = { organizationID, region: 'us', api: 'v2', kind: 'organization' } as const;
    const spec: SpecChoice = { ...wantsBoth, api: 'v2' };
    const others = { b: { age: 2, spec, status: { ...inlineOn, ...stalledBy('RequestRefused') } } };
    const self = { age: 1, spec, deleted: true, status: { cleanup: [left] } };
    expect(successorOf(contest(self, others), left, { kind: 'inline' })).toEqual({ by: 'n/b', hasIt: true });
  });

  test('does not exist for a destination', () => {
    const all = contest({ age: 1, deleted: true }, { b: { age: 2 } });
    expect(successorOf(all, { ...entry, kind: 'destination' }, pointedAtA)).toBeUndefined();
  });

  test('does not exist while this forwarding wants the other view of the webhook', () => {
    expect(successorOf(contest({ age: 1 }, { b: { age: 2 } }), entry, pointedAtA)).toBeUndefined();
  });
});
