import { expect, test } from '@jest/globals';
import type { Spec } from '../../../../src/api/v1alpha1.ts';
import { type SpecChoice, usual } from '../../../support/forwarding-spec.ts';
import { forum, shop } from '../../../support/konnect-fixtures.ts';
import { useHarness } from '../support/use-harness.ts';

const { inPlace } = useHarness();

const v2: SpecChoice = { ...usual, api: 'v2' };
const without = ({ organization: _removed, ...spec }: Spec): Spec => spec;
const withPortals =
  (...portals: NonNullable<Spec['portals']>) =>
  (spec: Spec): Spec => ({ ...spec, portals });
const off = (spec: Spec): Spec => ({ ...spec, organization: { enabled: false } });
const [onShop, offForum] = [
  { id: shop, enabled: true },
  { id: forum, enabled: false },
];

test.each<[string, SpecChoice, (spec: Spec) => Spec, string, string]>([
  ['removes spec.organization', usual, without, 'WebhookDetached', "the organization's webhook"],
  ['removes spec.organization with v2', v2, without, 'WebhookDetached', "the organization's webhook"],
  ['removes a portal', usual, withPortals(onShop), 'WebhookDetached', `portal ${forum}`],
  ['switches a portal off', usual, withPortals(onShop, offForum), 'WebhookSwitchedOff', `portal ${forum}`],
  ['switches the organization off', usual, off, 'WebhookSwitchedOff', "the organization's webhook"],
  ['switches the organization off with v2', v2, off, 'WebhookSwitchedOff', "the organization's webhook"],
])('a Warning says that audit logs stop if a user %s', async (_title, before, change, reason, object) => {
  const harness = await inPlace(before);
  harness.cluster.edit(change);
  await harness.work();
  expect(harness.readiness).toBe('True InSync');
  const warnings = harness.cluster.announcements.filter(({ type }) => type === 'Warning');
  expect(warnings).toMatchObject([{ reason, note: expect.stringContaining(object) }]);
  expect(warnings[0]?.note).toContain('Konnect no longer sends its audit logs');
});

test.each<[string, SpecChoice, (spec: Spec) => Spec]>([
  [
    'of the API version, which goes on in the other view',
    usual,
    (spec) => ({ ...spec, konnect: { ...spec.konnect, auditLogsAPI: 'v2' } }),
  ],
  ['that removes a portal which was off', { ...usual, portals: [onShop, offForum] }, withPortals(onShop)],
])('there is no Warning after a change %s', async (_title, before, change) => {
  const harness = await inPlace(before);
  harness.cluster.edit(change);
  await harness.work();
  expect(harness.readiness).toBe('True InSync');
  expect(harness.cluster.announcements.filter(({ type }) => type === 'Warning')).toEqual([]);
  expect(harness.reasons).toContain('WebhookDetached');
});
