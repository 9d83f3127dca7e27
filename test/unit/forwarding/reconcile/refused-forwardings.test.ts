import { expect, test } from '@jest/globals';
import { RefusedForwardings } from '../../../../src/forwarding/reconcile/refused-forwardings.ts';

test('a forwarding waits ten seconds for each forwarding of its organization that is refused', () => {
  const refused = new RefusedForwardings();
  expect(['a', 'b', 'c'].map((key) => refused.add(key, 'acme'))).toEqual([10_000, 20_000, 30_000]);
  expect(refused.add('d', 'other')).toBe(10_000);
  expect(refused.add('a', 'acme')).toBe(30_000);
});

test('one that recovers names three others of its organization, those first that have waited longest', () => {
  const refused = new RefusedForwardings();
  for (const key of ['a', 'b', 'c', 'd', 'e']) refused.add(key, 'acme');
  refused.add('a', 'acme');
  refused.add('x', 'other');
  expect(refused.remove('c')).toEqual(['b', 'd', 'e']);
  expect(refused.remove('c')).toEqual([]);
  expect(refused.remove('x')).toEqual([]);
});

test('one whose organization becomes known leaves the group of its token', () => {
  const refused = new RefusedForwardings();
  refused.add('a', 'platform/konnect');
  refused.add('b', 'platform/konnect');
  expect(refused.add('a', 'acme')).toBe(10_000);
  expect(refused.add('b', 'platform/konnect')).toBe(10_000);
});
