import { describe, expect, test } from '@jest/globals';
import { finalizer } from '../../../../src/api/v1alpha1.ts';
import { key, usual } from '../../../support/forwarding-spec.ts';
import { forum, laden, shop } from '../../../support/konnect-fixtures.ts';
import type { Harness } from '../support/harness.ts';
import { recordTargets, useHarness } from '../support/use-harness.ts';

const { open, inPlace } = useHarness();

function finalizers(harness: Harness): readonly string[] | undefined {
  return harness.cluster.object?.metadata.finalizers;
}

describe('a finalizer that another client has removed', () => {
  const situations: Record<string, (harness: Harness) => void> = {
    'in normal operation': () => undefined,
    'while suspended': (harness) => harness.cluster.edit((spec) => ({ ...spec, suspend: true })),
    'while only observing': (harness) => harness.cluster.edit((spec) => ({ ...spec, mode: 'Observe' })),
    'without a token': (harness) => harness.cluster.secrets.clear(),
    'while Konnect is unavailable': (harness) => void harness.konnect.control.fail({ kind: 'drop-before' }),
  };

  test.each(Object.entries(situations))('is added again at once %s, and an event says so', async (_title, begin) => {
    const harness = await inPlace();
    await harness.work();
    begin(harness);
    // From here on, only the watch enqueues the forwarding.
    await harness.work();
    harness.clearRecords();
    harness.cluster.replace();
    await harness.work(() => finalizers(harness)?.length === 1);
    expect(finalizers(harness)).toEqual([finalizer]);
    expect(harness.cluster.announcements[0]).toMatchObject({ type: 'Warning', reason: 'FinalizerRestored' });
    expect(harness.konnectWrites).toEqual([]);
  });

  test('is added again before anything is read from Konnect', async () => {
    const harness = await inPlace();
    harness.cluster.replace();
    harness.crashAfter(1);
    await expect(harness.reconcile()).rejects.toThrow('died before the answer');
    expect(finalizers(harness)).toEqual([finalizer]);
    expect(harness.calls).toEqual([]);
  });

  test('is not added to a forwarding that owns nothing in Konnect', async () => {
    const harness = await open({ portals: [{ id: laden, enabled: true }] });
    await harness.reconcile();
    harness.cluster.replace();
    await harness.work();
    expect(finalizers(harness)).toEqual([]);
    expect(harness.reasons).not.toContain('FinalizerRestored');
  });

  test('is not added to a forwarding that is being deleted', async () => {
    const harness = await inPlace();
    harness.konnect.control.fail({ kind: 'drop-before' });
    harness.delete();
    await harness.reconcile();
    expect(harness.cluster.object).toBeDefined();
    expect(harness.reasons).not.toContain('FinalizerRestored');
  });
});

/** Deletes the forwarding before the operator can add the finalizer again. */
function deleteWithoutFinalizer(harness: Harness): void {
  harness.cluster.replace();
  harness.delete();
  expect(harness.cluster.object).toBeUndefined();
}

function webhooks(harness: Harness): string[] {
  return [harness.portal(shop), harness.portal(forum), harness.webhook()].map((one) => harness.pointsAt(one));
}

const detached = ['nothing off', 'nothing off', 'nothing off'];
const attached = [`${key} on`, `${key} on`, `${key} on`];

describe('a forwarding that was deleted without its finalizer', () => {
  test('is cleaned up in Konnect all the same, and events say so', async () => {
    const harness = await inPlace();
    const id = harness.destinations[0]?.id ?? '';
    deleteWithoutFinalizer(harness);
    await harness.work();
    expect(webhooks(harness)).toEqual(detached);
    expect(harness.destinations).toEqual([]);
    const events = ['DeletedWithoutFinalizer', 'WebhookDetached', 'WebhookDetached', 'WebhookDetached'];
    expect(harness.reasons).toEqual([...events, 'DestinationDeleted']);
    expect(harness.cluster.announcements[0]).toMatchObject({ type: 'Warning', note: expect.stringContaining(id) });
    expect(harness.cluster.writes).toBe(0);
    harness.clearRecords();
    expect(await harness.reconcile()).toEqual({ kind: 'done' });
    expect(harness.calls).toEqual([]);
  });

  test('is cleaned up with the last valid token if its Secrets are gone too', async () => {
    const harness = await inPlace();
    harness.cluster.secrets.clear();
    deleteWithoutFinalizer(harness);
    await harness.work();
    expect(webhooks(harness)).toEqual(detached);
  });

  test('is cleaned up if a user removed the finalizer of a deletion that hangs', async () => {
    const harness = await inPlace();
    harness.konnect.control.fail({ kind: 'drop-before' });
    harness.delete();
    await harness.reconcile();
    harness.cluster.removeFinalizers();
    await harness.reconcile();
    expect(webhooks(harness)).toEqual(attached);
    harness.konnect.control.clearFaults();
    await harness.settle();
    expect(webhooks(harness)).toEqual(detached);
    expect(harness.destinations).toEqual([]);
  });

  test.each([{ deletionPolicy: 'Retain' }, { mode: 'Observe' }] as const)(
    'stays in Konnect with %j, and an event says what',
    async (choice) => {
      const harness = await inPlace();
      harness.cluster.edit((spec) => ({ ...spec, ...choice }));
      deleteWithoutFinalizer(harness);
      await harness.work();
      expect(harness.konnectWrites).toEqual([]);
      expect(harness.reasons).toEqual(['Retained']);
    },
  );

  test('is given up after an hour, and an event says what is left and why', async () => {
    const harness = await inPlace();
    const id = harness.destinations[0]?.id ?? '';
    deleteWithoutFinalizer(harness);
    harness.konnect.control.fail({ kind: 'status', status: 503 });
    expect(await harness.reconcile()).toMatchObject({ kind: 'retry' });
    harness.clock.ms += 3_599_000;
    expect(await harness.reconcile()).toMatchObject({ kind: 'retry' });
    harness.clock.ms += 1_000;
    expect(await harness.reconcile()).toEqual({ kind: 'done' });
    const last = harness.cluster.announcements.at(-1);
    expect(last).toMatchObject({ type: 'Warning', reason: 'LeftBehind' });
    expect(last?.note).toContain(`left in Konnect: portal ${shop} in region us, portal ${forum} in region us`);
    expect(last?.note).toContain(`destination ${id}. Remove it there by hand`);
    expect(last?.note).toContain('HTTP 503');
    harness.konnect.control.clearFaults();
    harness.clearRecords();
    await harness.settle();
    expect(harness.calls).toEqual([]);
  });

  test('says what is left after a part was cleaned up', async () => {
    const harness = await inPlace();
    deleteWithoutFinalizer(harness);
    const path = `/v3/portals/${shop}/audit-log-webhook`;
    harness.konnect.control.fail({ kind: 'status', status: 503, match: { path } });
    await harness.reconcile();
    harness.clock.ms += 3_600_000;
    await harness.reconcile();
    const note = harness.cluster.announcements.at(-1)?.note;
    expect(note).toContain(`portal ${shop}`);
    expect(note).not.toContain(forum);
  });

  test('is not known after a restart', async () => {
    const harness = await inPlace();
    deleteWithoutFinalizer(harness);
    harness.restart();
    await harness.work();
    expect(harness.calls).toEqual([]);
    expect(webhooks(harness)).toEqual(attached);
  });

  test('is left if only a list shows that it is missing, and an event says what', async () => {
    const harness = await inPlace();
    harness.seesDeletions = false;
    deleteWithoutFinalizer(harness);
    await harness.work();
    expect(webhooks(harness)).toEqual(attached);
    expect(harness.cluster.announcements).toMatchObject([{ type: 'Warning', reason: 'LeftBehind' }]);
    expect(harness.cluster.announcements[0]?.note).toContain(harness.destinations[0]?.id);
  });

  test('hands its webhooks over to another forwarding without a gap', async () => {
    const harness = await inPlace({ portals: [{ id: shop, enabled: true }] });
    harness.add({ portals: [{ id: shop, enabled: true }] }, 'platform/next');
    await harness.work();
    expect(harness.readinessOf('platform/next')).toBe('False Claimed Stalled');
    const targets = recordTargets(harness, (one) => one.pointsAt(one.portal(shop)));
    deleteWithoutFinalizer(harness);
    await harness.work();
    expect(targets).toEqual([`${key} on`, 'platform/next on']);
    expect(harness.destinations.map(({ name }) => name)).toEqual(['platform/next']);
    expect(harness.readinessOf('platform/next')).toBe('True InSync');
  });

  test('is finished before a new forwarding of the same name begins', async () => {
    const harness = await inPlace();
    const before = harness.destinations[0]?.id;
    deleteWithoutFinalizer(harness);
    harness.konnect.control.fail({ kind: 'drop-before' });
    harness.add(usual, key);
    await harness.reconcile();
    expect(harness.readiness).toBe('False Detaching Reconciling');
    expect(harness.condition('Ready')?.message).toContain('after the deleted forwarding of this name');
    harness.konnect.control.clearFaults();
    await harness.work();
    expect(harness.readiness).toBe('True InSync');
    expect(webhooks(harness)).toEqual(attached);
    expect(harness.destinations).toHaveLength(1);
    expect(harness.destinations[0]?.id).not.toBe(before);
  });

  test('leaves the webhook of v2 to the new forwarding of the same name that has taken it', async () => {
    const v2 = { api: 'v2', organization: { enabled: true } } as const;
    const harness = await inPlace(v2);
    const { status } = harness;
    const targets = recordTargets(harness, (one) => one.pointsAt(one.webhook()));
    deleteWithoutFinalizer(harness);
    harness.add(v2, key);
    // Another process has reconciled the new one before this one saw the deletion.
    harness.cluster.setStatus(status);
    await harness.work();
    expect(harness.readiness).toBe('True InSync');
    expect(targets).toHaveLength(1);
    expect(harness.konnectWrites).not.toContain('DELETE us/v3/audit-log-webhook');
  });

  test('does not keep a new forwarding of the same name waiting if only a user can help', async () => {
    const harness = await inPlace();
    harness.cluster.putSecret('konnect', { token: 'kpat_revokedCANARY' });
    deleteWithoutFinalizer(harness);
    expect(await harness.reconcile()).toMatchObject({ kind: 'retry' });
    harness.add(usual, key);
    await harness.reconcile();
    expect(harness.reasons).toContain('LeftBehind');
    expect(harness.readiness).toBe('False TokenRejected Stalled');
  });
});

test('a deletion with the finalizer is reported once, and cleaned up once', async () => {
  const harness = await inPlace();
  harness.delete();
  await harness.work();
  expect(harness.cluster.object).toBeUndefined();
  expect(harness.reasons).not.toContain('DeletedWithoutFinalizer');
  expect(harness.konnectWrites).toHaveLength(4);
});
