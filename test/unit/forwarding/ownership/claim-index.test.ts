import { expect, test } from '@jest/globals';
import { AuditLogForwarding, apiVersion, kind, type Status } from '../../../../src/api/v1alpha1.ts';
import { ClaimIndex } from '../../../../src/forwarding/ownership/claim-index.ts';
import { specOf } from '../../../support/forwarding-spec.ts';
import { forum, shop } from '../../../support/konnect-fixtures.ts';

const proved: Status = { konnect: { organizationID: 'o', region: 'us' } };

function forwarding(name: string, ids: readonly string[], status: Status = proved): AuditLogForwarding {
  const metadata = { namespace: 'n', name, uid: `uid-${name}`, resourceVersion: '1' };
  const portals = ids.map((id) => ({ id, enabled: true }));
  return AuditLogForwarding.parse({ apiVersion, kind, metadata, spec: specOf({ portals }), status });
}

function three(): ClaimIndex {
  const claims = new ClaimIndex(({ metadata }) => metadata.name);
  for (const [name, ids] of [
    ['a', [shop]],
    ['b', [shop, forum]],
    ['c', [forum]],
  ] as const) {
    claims.update(forwarding(name, ids));
  }
  return claims;
}

test('a change that other forwardings depend on returns those that share a claim, any other change none', () => {
  const claims = three();
  expect(claims.update(forwarding('a', [shop]))).toEqual([]);
  expect(claims.update(forwarding('a', [shop], { ...proved, portalsReady: '1/1' }))).toEqual([]);
  expect(claims.update(forwarding('b', [shop, forum], { ...proved, destination: { name: 'x' } })).toSorted()).toEqual([
    'n/a',
    'n/c',
  ]);
});

test('a claim that is given up returns those that shared it', () => {
  const claims = three();
  expect(claims.update(forwarding('b', [forum])).toSorted()).toEqual(['n/a', 'n/c']);
  expect(claims.update(forwarding('b', [forum], { ...proved, destination: { name: 'x' } }))).toEqual(['n/c']);
  expect(claims.delete('n/b')).toEqual(['n/c']);
  expect(claims.delete('n/b')).toEqual([]);
});

test('a forwarding without a known organization has no claims, but finds the forwardings that have them', () => {
  const claims = three();
  expect(claims.update(forwarding('d', [shop], {}))).toEqual([]);
  expect(claims.sharing('n/d', [`o/us/portal/${shop}`]).toSorted()).toEqual(['n/a', 'n/b']);
  expect(claims.sharing('n/d', [`p/us/portal/${shop}`])).toEqual([]);
  expect(claims.sharing('n/a', [`o/us/portal/${shop}`])).toEqual(['n/b']);
});
