import { describe, expect, test } from '@jest/globals';
import { key, own, type SpecChoice, specOf } from '../../../support/forwarding-spec.ts';
import { forum, nowhere, otherSiem, shop, siem, tokens } from '../../../support/konnect-fixtures.ts';
import type { Harness } from '../support/harness.ts';
import { recordTargets, useHarness } from '../support/use-harness.ts';

const { inPlace } = useHarness();

const older = key;
const younger = 'other/later';
const [olderName, youngerName] = [older, younger];

const both: readonly (readonly [title: string, choice: SpecChoice, where: (harness: Harness) => string])[] = [
  ['a portal', { portals: [{ id: shop, enabled: true }] }, (harness) => harness.pointsAt(harness.portal(shop))],
  ['the organization', { organization: { enabled: true } }, (harness) => harness.pointsAt(harness.webhook())],
];
const inline: SpecChoice = { api: 'v2', organization: { enabled: true } };

/** An older forwarding in place, and a younger one of another namespace with another SIEM, which was not reconciled yet. */
async function two(choice: SpecChoice, ofYounger: SpecChoice = choice, ofOlder: SpecChoice = {}): Promise<Harness> {
  const harness = await inPlace({ ...choice, ...ofOlder });
  harness.cluster.putSecret('other/konnect', { token: tokens.blueAgain });
  harness.cluster.putSecret('other/siem', otherSiem);
  await harness.work();
  harness.add(ofYounger, younger);
  harness.clearRecords();
  return harness;
}

describe('the younger of two forwardings names the owner and writes nothing', () => {
  test.each(both)('on %s, with two tokens and from two namespaces', async (_title, choice, where) => {
    const harness = await two(choice);
    await harness.work();
    expect(harness.readinessOf(younger)).toBe('False Claimed Stalled');
    expect(harness.condition('Ready', younger)?.message).toContain(`belongs to AuditLogForwarding ${older}`);
    expect(harness.konnectWrites).toEqual([]);
    expect(harness.cluster.objects.get(younger)?.metadata.finalizers).toEqual([]);
    expect(where(harness)).toBe(`${olderName} on`);
    harness.clearRecords();
    for (let count = 0; count < 3; count += 1) await harness.resync();
    expect(harness.konnectWrites).toEqual([]);
    expect(harness.cluster.writes).toBe(0);
    expect(harness.cluster.announcements).toEqual([]);
    expect([harness.readiness, harness.readinessOf(younger)]).toEqual(['True InSync', 'False Claimed Stalled']);
  });

  test.each([
    ['v3 against v2', { organization: { enabled: true } }, inline, olderName],
    ['v2 against v3', inline, { organization: { enabled: true } }, siem.endpoint],
    ['v2 against v2', inline, inline, siem.endpoint],
  ] as const)("on the organization's webhook, %s", async (_title, ofOlder, ofYounger, holder) => {
    const harness = await two(ofOlder, ofYounger);
    await harness.work();
    expect(harness.readinessOf(younger)).toBe('False Claimed Stalled');
    await harness.resync();
    expect(harness.konnectWrites).toEqual([]);
    expect(harness.pointsAt(harness.webhook())).toBe(`${holder} on`);
    expect([harness.readiness, harness.readinessOf(younger)]).toEqual(['True InSync', 'False Claimed Stalled']);
  });

  test('even with the endpoint of the older one, which adoption would take', async () => {
    const harness = await two({ portals: [{ id: shop, enabled: true }] });
    harness.cluster.putSecret('other/siem', siem);
    await harness.work();
    expect(harness.readinessOf(younger)).toBe('False Claimed Stalled');
    expect(harness.konnectWrites).toEqual([]);
  });

  test.each(['Always', 'IfMatching'] as const)('on one name of a destination, with %s', async (adoptionPolicy) => {
    const harness = await two(
      { portals: [{ id: shop, enabled: true }] },
      { portals: [{ id: forum, enabled: true }], name: olderName, adoptionPolicy },
    );
    await harness.work();
    expect(harness.readinessOf(younger)).toBe('False Claimed Stalled');
    expect(harness.condition('Ready', younger)?.message).toContain(`belongs to AuditLogForwarding ${older}`);
    await harness.resync();
    expect(harness.konnectWrites).toEqual([]);
    expect(harness.destinations).toMatchObject([siem]);
    harness.cluster.edit((spec) => ({ ...spec, destination: { ...own(spec), name: 'renamed' } }), younger);
    await harness.work();
    expect(harness.readinessOf(younger)).toBe('True InSync');
    expect(harness.destinations.map((one) => one.name)).toEqual([olderName, 'renamed']);
  });

  test('of one portal only: the others are attached', async () => {
    const portals = [shop, forum].map((id) => ({ id, enabled: true }));
    const harness = await two({ portals: [{ id: shop, enabled: true }] }, { portals });
    await harness.work();
    expect(harness.statusOf(younger).portalsReady).toBe('1/2');
    expect(harness.pointsAt(harness.portal(forum))).toBe(`${youngerName} on`);
    expect(harness.pointsAt(harness.portal(shop))).toBe(`${olderName} on`);
  });

  test('if both are new and reconciled at once, exactly one of them writes', async () => {
    const harness = await two({ portals: [{ id: shop, enabled: true }] });
    harness.delete(older);
    await harness.work();
    harness.delete(younger);
    await harness.work();
    for (const one of [older, younger]) harness.add({ portals: [{ id: shop, enabled: true }] }, one);
    harness.clearRecords();
    await Promise.all([harness.reconcileKey(older), harness.reconcileKey(younger)]);
    await harness.work();
    expect([older, younger].map((of) => harness.readinessOf(of)).toSorted()).toEqual([
      'False Claimed Stalled',
      'True InSync',
    ]);
    expect(harness.konnectWrites).toEqual([
      'POST global/v3/audit-log-destinations',
      `PATCH us/v3/portals/${shop}/audit-log-webhook`,
    ]);
  });

  test('in another organization or region there is nothing to share', async () => {
    const harness = await two({ organization: { enabled: true } }, { organization: { enabled: true }, region: 'eu' });
    await harness.work();
    expect(harness.readinessOf(younger)).toBe('True InSync');
    harness.cluster.putSecret('other/konnect', { token: tokens.green });
    harness.cluster.edit(() => specOf({ organization: { enabled: true } }), younger);
    await harness.work();
    expect(harness.readinessOf(younger)).toBe('True InSync');
    expect(harness.readiness).toBe('True InSync');
  });
});

describe('when the owner goes, the next one points the webhook at its own destination', () => {
  const leave: readonly (readonly [title: string, leave: (harness: Harness) => void])[] = [
    ['is deleted', (harness) => harness.delete(older)],
    [
      'wants it no longer',
      (harness) => harness.cluster.edit(() => specOf({ portals: [{ id: forum, enabled: true }] })),
    ],
    ['moves to another region', (harness) => harness.cluster.edit((spec) => moved(spec))],
  ];

  test.each(leave.flatMap(([how, deed]) => both.map(([what, ...rest]) => [how, what, deed, ...rest] as const)))(
    'it %s: %s',
    async (_how, _what, deed, choice, where) => {
      const harness = await two(choice);
      await harness.work();
      const seen = recordTargets(harness, where);
      deed(harness);
      await harness.work();
      expect(seen).toEqual([`${olderName} on`, `${youngerName} on`]);
      expect(harness.readinessOf(younger)).toBe('True InSync');
      expect(
        harness.cluster.announcements.some(({ reason, of }) => reason === 'WebhookTakenOver' && of === younger),
      ).toBe(true);
      expect(harness.statusOf(older).cleanup).toBeUndefined();
    },
  );

  test.each([
    ['v3 to v2', { organization: { enabled: true } }, inline, [`${olderName} on`, `${otherSiem.endpoint} on`]],
    ['v2 to v3', inline, { organization: { enabled: true } }, [`${siem.endpoint} on`, `${youngerName} on`]],
    ['v2 to v2', inline, inline, [`${siem.endpoint} on`, `${otherSiem.endpoint} on`]],
  ] as const)("the organization's webhook, %s", async (_title, ofOlder, ofYounger, expected) => {
    const harness = await two(ofOlder, ofYounger);
    await harness.work();
    const seen = recordTargets(harness, () => harness.pointsAt(harness.webhook()));
    harness.delete(older);
    await harness.work();
    expect(seen).toEqual(expected);
    expect(harness.cluster.object).toBeUndefined();
    expect(harness.readinessOf(younger)).toBe('True InSync');
    expect(harness.destinations.map((one) => one.name)).toEqual(ofYounger === inline ? [] : [youngerName]);
  });

  test('the destination of the one that was deleted goes, once Konnect lets it go', async () => {
    const harness = await two({ portals: [{ id: shop, enabled: true }] });
    harness.konnect.control.behave({ releaseDelayMs: 30_000 });
    await harness.work();
    harness.delete(older);
    await harness.work();
    expect(harness.cluster.object).toBeUndefined();
    expect(harness.destinations.map((one) => one.name)).toEqual([youngerName]);
  });

  test('while it waits, it names the next owner', async () => {
    const harness = await two({ portals: [{ id: shop, enabled: true }] });
    await harness.work();
    harness.delete(older);
    await harness.reconcileKey(older);
    expect(harness.readiness).toBe('False HandingOver Reconciling');
    expect(harness.condition('Ready')?.message).toContain(younger);
    expect(harness.konnectWrites).toEqual([]);
  });

  const cannot: readonly (readonly [title: string, of: (harness: Harness) => void])[] = [
    ['suspended', (harness) => harness.cluster.edit((spec) => ({ ...spec, suspend: true }), younger)],
    ['observing', (harness) => harness.cluster.edit((spec) => ({ ...spec, mode: 'Observe' }), younger)],
    ['stalled', (harness) => harness.cluster.putSecret('other/konnect', { token: 'kpat_refusedCANARY' })],
  ];

  test.each(cannot)('a forwarding that is %s is skipped: the owner detaches at once', async (_title, hinder) => {
    const harness = await two({ portals: [{ id: shop, enabled: true }] });
    await harness.work();
    hinder(harness);
    await harness.resync();
    const seen = recordTargets(harness, () => harness.pointsAt(harness.portal(shop)));
    harness.delete(older);
    await harness.work();
    expect(seen).toEqual([`${olderName} on`, 'nothing off']);
    expect(harness.cluster.object).toBeUndefined();
    expect(harness.destinations).toEqual([]);
  });

  test.each(cannot)('a forwarding that is %s is skipped for the next one', async (_title, hinder) => {
    const harness = await two({ portals: [{ id: shop, enabled: true }] });
    harness.add({ portals: [{ id: shop, enabled: true }] }, 'platform/third');
    await harness.work();
    hinder(harness);
    await harness.resync();
    const seen = recordTargets(harness, () => harness.pointsAt(harness.portal(shop)));
    harness.delete(older);
    await harness.work();
    expect(seen).toEqual([`${olderName} on`, 'platform/third on']);
  });

  test('the owner detaches if the next one does not take over within two minutes', async () => {
    const harness = await two({ portals: [{ id: shop, enabled: true }] });
    await harness.work();
    harness.delete(older);
    for (const seconds of [0, 60, 59]) {
      harness.clock.ms += seconds * 1_000;
      expect(await harness.reconcileKey(older)).toMatchObject({ kind: 'retry' });
      expect(harness.pointsAt(harness.portal(shop))).toBe(`${olderName} on`);
    }
    harness.clock.ms += 1_000;
    await harness.reconcileKey(older);
    expect(harness.pointsAt(harness.portal(shop))).toBe('nothing off');
    await harness.work();
    expect(harness.pointsAt(harness.portal(shop))).toBe(`${youngerName} on`);
    expect(harness.cluster.object).toBeUndefined();
  });

  test('the oldest of those that wait takes it, and the others say so', async () => {
    const harness = await two({ portals: [{ id: shop, enabled: true }] });
    harness.add({ portals: [{ id: shop, enabled: true }] }, 'platform/third');
    await harness.work();
    expect(harness.readinessOf('platform/third')).toBe('False Claimed Stalled');
    harness.delete(older);
    await harness.work();
    expect(harness.pointsAt(harness.portal(shop))).toBe(`${youngerName} on`);
    expect(harness.condition('Ready', 'platform/third')?.message).toContain(younger);
    expect(harness.destinations.map((one) => one.name)).toEqual([youngerName]);
  });
});

function moved(spec: ReturnType<typeof specOf>) {
  const { portals: _portals, organization: _organization, ...rest } = spec;
  return { ...rest, organization: { enabled: true }, konnect: { ...spec.konnect, region: 'eu' } };
}

describe('an owner that is deleted with Retain leaves the webhook unchanged, and the policy of the next one decides', () => {
  test.each([
    ['Never', 'the same endpoint', siem, 'False WebhookInUse Stalled', olderName],
    ['IfMatching', 'another endpoint', otherSiem, 'False WebhookInUse Stalled', olderName],
    ['IfMatching', 'the same endpoint', siem, 'True InSync', youngerName],
    ['Always', 'another endpoint', otherSiem, 'True InSync', youngerName],
  ] as const)('%s, with %s', async (adoptionPolicy, _which, secret, verdict, holder) => {
    const portals = [{ id: shop, enabled: true }];
    const harness = await two({ portals }, { portals, adoptionPolicy }, { deletionPolicy: 'Retain' });
    harness.cluster.putSecret('other/siem', secret);
    await harness.work();
    const seen = recordTargets(harness, () => harness.pointsAt(harness.portal(shop)));
    harness.delete(older);
    await harness.work();
    expect(harness.readinessOf(younger)).toBe(verdict);
    expect(seen.at(-1)).toBe(`${holder} on`);
    expect(seen).not.toContain('nothing off');
    expect(harness.destinations.map((one) => one.name)).toContain(olderName);
  });
});

describe('an owner keeps the webhook', () => {
  test('while it is suspended, and the other one names it', async () => {
    const portals = [{ id: shop, enabled: true }];
    const harness = await two({ portals });
    harness.cluster.edit((spec) => ({ ...spec, suspend: true }));
    await harness.work();
    await harness.resync();
    expect(harness.readinessOf(younger)).toBe('False Claimed Stalled');
    expect(harness.konnectWrites).toEqual([]);
  });

  test.each(['GET', 'PATCH'])('while it changes the API version, although a %s fails', async (method) => {
    const portals = [{ id: shop, enabled: true }];
    const organization = { enabled: true };
    const harness = await two({ portals }, { organization });
    await harness.work();
    harness.cluster.edit(() => specOf({ organization }));
    await harness.work();
    harness.konnect.control.fail({ kind: 'drop-before', match: { method, path: '/v2/audit-log-webhook' }, times: 1 });
    harness.cluster.edit((spec) => ({ ...spec, konnect: { ...spec.konnect, auditLogsAPI: 'v2' } }), younger);
    await harness.work();
    expect(harness.webhook()).toMatchObject({ enabled: true, target: { inline: { endpoint: otherSiem.endpoint } } });
    expect([harness.readiness, harness.readinessOf(younger)]).toEqual(['False Claimed Stalled', 'True InSync']);
  });

  test('after another client detached or re-pointed it: the owner corrects that itself', async () => {
    const portals = [{ id: shop, enabled: true }];
    const harness = await two({ organization: { enabled: true } }, { portals });
    await harness.work();
    // The owner may also be the younger one.
    harness.cluster.edit(() => specOf({ portals, adoptionPolicy: 'Always' }));
    await harness.work();
    expect(harness.readiness).toBe('False Claimed Stalled');
    const { id } = harness.createForeign('theirs');
    harness.portal(shop).target = { kind: 'destination', id };
    await harness.resync();
    expect(harness.pointsAt(harness.portal(shop))).toBe(`${youngerName} on`);
    harness.portal(shop).target = { kind: 'none' };
    await harness.resync();
    expect(harness.pointsAt(harness.portal(shop))).toBe(`${youngerName} on`);
    expect([harness.readiness, harness.readinessOf(younger)]).toEqual(['False Claimed Stalled', 'True InSync']);
  });
});

test('a forwarding that cannot see the portal claims nothing', async () => {
  const portals = [{ id: nowhere, enabled: true }];
  const harness = await two({ organization: { enabled: true } }, { portals });
  await harness.work();
  expect(harness.readinessOf(younger)).toBe('False PortalNotFound Stalled');
  harness.add({ portals }, 'platform/third');
  await harness.work();
  expect(harness.readinessOf('platform/third')).toBe('False PortalNotFound Stalled');
});
