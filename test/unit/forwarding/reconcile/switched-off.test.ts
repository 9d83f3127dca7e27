import { describe, expect, test } from '@jest/globals';
import { switchWebhook } from '../../../../sandbox/konnect/model/webhooks.ts';
import type { Webhook } from '../../../../sandbox/konnect/model.ts';
import { reconcileAnnotation } from '../../../../src/api/v1alpha1.ts';
import type { SpecChoice } from '../../../support/forwarding-spec.ts';
import { otherSiem, shop } from '../../../support/konnect-fixtures.ts';
import { attempt, next } from '../support/deliveries.ts';
import type { Harness } from '../support/harness.ts';
import { useHarness } from '../support/use-harness.ts';

const { inPlace } = useHarness();
const minuteMs = 60_000;

/** Konnect fails to deliver three times, and switches the webhook off. */
function switchOff(harness: Harness, webhook: Webhook): void {
  harness.konnect.control.behave({ switchOffAfter: 3 });
  for (let count = 0; count < 3; count += 1) attempt(harness, webhook, 503);
}

const kinds: readonly { title: string; choice: SpecChoice; key: string; find: (harness: Harness) => Webhook }[] = [
  { title: 'portal', choice: { portals: [{ id: shop, enabled: true }] }, key: shop, find: (h) => h.portal(shop) },
  { title: 'organization', choice: { organization: { enabled: true } }, key: 'organization', find: (h) => h.webhook() },
  {
    title: 'inline',
    choice: { api: 'v2', organization: { enabled: true } },
    key: 'organization',
    find: (h) => h.webhook(),
  },
];

describe.each(kinds)('a webhook ($title) that Konnect switches off', ({ choice, key, find }) => {
  test('is switched on again and again, with a growing wait, and is never Contested', async () => {
    const harness = await inPlace(choice);
    const webhook = find(harness);
    const waits: number[] = [];
    let afterMs = 600_000;
    while (waits.length < 5) {
      if (webhook.enabled) switchOff(harness, webhook);
      afterMs = await next(harness, afterMs);
      expect(harness.readiness).toBe('True InSync');
      if (webhook.enabled) waits.push(afterMs / minuteMs);
    }
    expect(waits).toEqual([2, 4, 8, 10, 10]);
    expect(harness.status.delivery).toMatchObject([{ key, switchOn: { attempts: 5 } }]);
    expect(harness.status.corrections).toBeUndefined();
    expect(harness.reasons.filter((reason) => reason !== 'WebhookSwitchedOn')).toEqual(['SwitchedOff']);
    expect(harness.konnectWrites).toHaveLength(5);
  });

  test('loses its wait after the first delivery', async () => {
    const harness = await inPlace(choice);
    const webhook = find(harness);
    switchOff(harness, webhook);
    await next(harness, await next(harness, 600_000));
    expect(webhook.enabled).toBe(true);
    attempt(harness, webhook, 200);
    await next(harness, 2 * minuteMs);
    expect(harness.status.delivery).toMatchObject([{ key, state: 'Delivered' }]);
    expect(harness.status.delivery?.[0]).not.toHaveProperty('switchOn');
    expect(harness.condition('Delivering')).toMatchObject({ status: 'True', reason: 'Delivered' });
    harness.clearRecords();
    await next(harness, 600_000);
    expect(harness.cluster.writes).toBe(0);
  });

  test('keeps its wait over a restart', async () => {
    const harness = await inPlace(choice);
    const webhook = find(harness);
    for (let afterMs = 600_000; (harness.status.delivery?.[0]?.switchOn?.attempts ?? 0) < 4; ) {
      if (webhook.enabled) switchOff(harness, webhook);
      afterMs = await next(harness, afterMs);
    }
    switchOff(harness, webhook);
    harness.restart();
    for (let minutes = 0; minutes < 16; minutes += 5) {
      await harness.reconcile();
      expect(webhook.enabled).toBe(false);
      harness.clock.ms += 5 * minuteMs;
    }
    await harness.reconcile();
    expect(webhook.enabled).toBe(true);
  });

  test('is switched on at once with a new Secret, and if a user requests it', async () => {
    const harness = await inPlace(choice);
    const webhook = find(harness);
    switchOff(harness, webhook);
    harness.cluster.putSecret('siem', otherSiem);
    await harness.reconcile();
    expect([webhook.enabled, harness.readiness]).toEqual([true, 'True InSync']);
    switchOff(harness, webhook);
    harness.cluster.annotate(reconcileAnnotation, 'now');
    await harness.reconcile();
    expect(webhook.enabled).toBe(true);
    expect(harness.status.corrections).toBeUndefined();
  });

  test('that comes back by itself was changed by no client', async () => {
    const harness = await inPlace(choice);
    const webhook = find(harness);
    switchOff(harness, webhook);
    await harness.reconcile();
    switchWebhook(harness.konnect.model, webhook, true);
    attempt(harness, webhook, 200);
    await harness.reconcile();
    await harness.reconcile();
    expect(harness.readiness).toBe('True InSync');
    expect(harness.status.corrections).toBeUndefined();
  });

  test('is no drift with mode Observe, and stays off', async () => {
    const harness = await inPlace(choice);
    harness.cluster.edit((spec) => ({ ...spec, mode: 'Observe' }));
    await harness.reconcile();
    switchOff(harness, find(harness));
    harness.clearRecords();
    for (let count = 0; count < 3; count += 1) await next(harness, 600_000);
    expect(harness.readiness).toBe('True InSync');
    expect(harness.status.drift).toBeUndefined();
    expect(harness.konnectWrites).toEqual([]);
  });

  test('waits if Konnect does not say who switched it off, and counts as corrected by nobody', async () => {
    const harness = await inPlace(choice);
    const webhook = find(harness);
    switchOff(harness, webhook);
    const fault = harness.konnect.control.fail({ kind: 'status', status: 503, match: { path: '*/status' } });
    harness.clock.ms += 600_000;
    await harness.reconcile();
    expect(webhook.enabled).toBe(false);
    expect(harness.condition('Ready')).toMatchObject({ status: 'True', reason: 'InSync' });
    fault.remove();
    await harness.settle();
    await next(harness, minuteMs);
    expect(webhook.enabled).toBe(true);
    expect(harness.status.corrections).toBeUndefined();
  });
});

test('a webhook that a client switched off is corrected at once, and counts', async () => {
  const harness = await inPlace({ portals: [{ id: shop, enabled: true }] });
  attempt(harness, harness.portal(shop), 200);
  harness.portal(shop).enabled = false;
  await next(harness, 600_000);
  expect(harness.reasons).toEqual(['WebhookCorrected', 'Delivered']);
  expect(harness.status.corrections).toMatchObject([{ object: `portal/${shop}` }]);
});

test('a webhook that spec wants to be off stays off, and its status is not read', async () => {
  const harness = await inPlace({ portals: [{ id: shop, enabled: false }] });
  await next(harness, 600_000);
  expect(harness.calls.filter((call) => call.endsWith('/status'))).toEqual([]);
});
