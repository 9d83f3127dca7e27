import { describe, expect, test } from '@jest/globals';
import { pointWebhook } from '../../../../sandbox/konnect/model/webhooks.ts';
import { key, type SpecChoice, specOf } from '../../../support/forwarding-spec.ts';
import { forum, shop } from '../../../support/konnect-fixtures.ts';
import type { Harness } from '../support/harness.ts';
import { recordTargets, useHarness } from '../support/use-harness.ts';

const { open, inPlace } = useHarness();
const onePortal: SpecChoice = { portals: [{ id: shop, enabled: true }] };
const organizationOnly: SpecChoice = { organization: { enabled: true } };
const dayMs = 86_400_000;

function point(harness: Harness, portal: string, name: string): void {
  const id = harness.destinations.find((one) => one.name === name)?.id ?? '';
  pointWebhook(harness.konnect.model, harness.organization, harness.portal(portal), { kind: 'destination', id });
}

function failOnce(harness: Harness, match: { method: string; path?: string }): void {
  harness.konnect.control.fail({ kind: 'status', status: 503, times: 1, match });
}

function everyTarget(harness: Harness): string {
  return [harness.portal(shop), harness.portal(forum), harness.webhook()].map((one) => harness.pointsAt(one)).join();
}

describe('where Konnect deletes a destination in use, no webhook is left pointing at a deleted one', () => {
  interface Case {
    readonly title: string;
    readonly before?: SpecChoice;
    readonly change: (harness: Harness) => Promise<void> | void;
  }

  const cases: readonly Case[] = [
    {
      title: 'destinationRef matches no destination',
      change: ({ cluster }) => cluster.edit(() => specOf({ ...onePortal, destinationRef: { name: 'misspelt' } })),
    },
    {
      title: 'the PATCH to the destination of destinationRef fails',
      change(harness) {
        harness.createForeign('theirs');
        failOnce(harness, { method: 'PATCH' });
        harness.cluster.edit(() => specOf({ ...onePortal, destinationRef: { name: 'theirs' } }));
      },
    },
    {
      title: 'the DELETE of the v3 webhook fails during a change to v2',
      before: organizationOnly,
      change(harness) {
        failOnce(harness, { method: 'DELETE', path: '/v3/audit-log-webhook' });
        harness.cluster.edit(() => specOf({ ...organizationOnly, api: 'v2' }));
      },
    },
    {
      title: 'a deletion cannot read a portal that another client pointed at the destination',
      async change(harness) {
        harness.createForeign('theirs');
        point(harness, forum, 'theirs');
        harness.cluster.edit(() => specOf({ portals: [shop, forum].map((id) => ({ id, enabled: true })) }));
        await harness.work();
        expect(harness.readiness).toBe('False WebhookInUse Stalled');
        point(harness, forum, key);
        failOnce(harness, { method: 'GET', path: `/v3/portals/${forum}/audit-log-webhook` });
        harness.delete();
      },
    },
  ];

  test.each(cases)('$title', async ({ before = onePortal, change }) => {
    const harness = await inPlace(before, { usedDestination: 'deleted' });
    const seen = recordTargets(harness, everyTarget);
    await change(harness);
    await harness.work();
    expect(seen.filter((one) => one.includes('gone'))).toEqual([]);
  });
});

test('a destination that the forwarding itself uses is not said to be in use by others', async () => {
  const harness = await inPlace(onePortal);
  harness.cluster.edit(() => specOf({ ...onePortal, destinationRef: { name: 'misspelt' } }));
  for (let count = 0; count < 3; count += 1) await harness.resync();
  expect(harness.readiness).toBe('False DestinationNotFound Stalled');
  expect(harness.condition('Ready')?.message).not.toContain('in use');
  expect(harness.konnectWrites).toEqual([]);
});

test('a second wait for a destination in use begins at zero, and the deletion removes the destination', async () => {
  const harness = await inPlace(onePortal, { releaseDelayMs: 20_000 });
  harness.createForeign('theirs');
  harness.cluster.edit(() => specOf({ ...onePortal, destinationRef: { name: 'theirs' } }));
  await harness.reconcile();
  expect(harness.condition('Ready')?.reason).toBe('DestinationInUse');
  harness.cluster.edit(() => specOf(onePortal));
  await harness.work();
  harness.clock.ms += dayMs;
  await harness.resync();
  harness.delete();
  await harness.work();
  expect(harness.cluster.object).toBeUndefined();
  expect(harness.destinations.map(({ name }) => name)).toEqual(['theirs']);
});

test('a portal that another client pointed at the destination of destinationRef stays attached', async () => {
  const harness = await inPlace({ portals: [shop, forum].map((id) => ({ id, enabled: true })) });
  harness.createForeign('theirs');
  point(harness, forum, 'theirs');
  harness.cluster.edit(() => specOf({ ...onePortal, destinationRef: { name: 'theirs' } }));
  await harness.work();
  expect(harness.readiness).toBe('True InSync');
  expect([shop, forum].map((id) => harness.pointsAt(harness.portal(id)))).toEqual(['theirs on', 'theirs on']);
});

test('a duplicate that Konnect does not delete keeps no webhook from being attached', async () => {
  const harness = await open(onePortal, { duplicateNames: 'allowed', staleListMs: 60_000 });
  harness.konnect.control.fail({ kind: 'drop-after', times: 2, match: { method: 'POST' } });
  await harness.reconcile();
  harness.clock.ms += 31_000;
  await harness.reconcile();
  expect(harness.destinations).toHaveLength(2);
  harness.konnect.control.behave({ staleListMs: 0 });
  harness.konnect.control.fail({ kind: 'status', status: 403, match: { method: 'DELETE' } });
  for (let count = 0; count < 3; count += 1) await harness.resync();
  expect(harness.pointsAt(harness.portal(shop))).toBe(`${key} on`);
  expect(harness.condition('Ready')?.reason).toBe('PermissionDenied');
  harness.konnect.control.clearFaults();
  await harness.resync();
  expect(harness.destinations).toHaveLength(1);
  expect([harness.readiness, harness.pointsAt(harness.portal(shop))]).toEqual(['True InSync', `${key} on`]);
});
