import { describe, expect, test } from '@jest/globals';
import {
  forum,
  key,
  nowhere,
  otherSiem,
  own,
  type SpecChoice,
  type Stage,
  shop,
  siem,
  specOf,
  tokens,
} from '../support/harness.ts';
import { useStages } from '../support/use-harness.ts';

const { inPlace } = useStages();

const older = key;
const younger = 'other/later';
const [olderName, youngerName] = [older, younger];

const both: readonly (readonly [title: string, choice: SpecChoice, where: (stage: Stage) => string])[] = [
  ['a portal', { portals: [{ id: shop, enabled: true }] }, (stage) => stage.pointsAt(stage.portal(shop))],
  ['the organization', { organization: { enabled: true } }, (stage) => stage.pointsAt(stage.webhook())],
];
const inline: SpecChoice = { api: 'v2', organization: { enabled: true } };

/** An older forwarding in place, and a younger one of another namespace and with another SIEM, which has not passed yet. */
async function two(choice: SpecChoice, ofYounger: SpecChoice = choice, ofOlder: SpecChoice = {}): Promise<Stage> {
  const stage = await inPlace({ ...choice, ...ofOlder });
  stage.cluster.putSecret('other/konnect', { token: tokens.blueAgain });
  stage.cluster.putSecret('other/siem', otherSiem);
  await stage.work();
  stage.add(ofYounger, younger);
  stage.forget();
  return stage;
}

/** Everything that the webhook showed, call by call, without repetitions. */
function witness(stage: Stage, where: (stage: Stage) => string): string[] {
  const seen = [where(stage)];
  stage.onKonnectCall = () => {
    const now = where(stage);
    if (now !== seen.at(-1)) seen.push(now);
  };
  return seen;
}

describe('the younger of two says who holds it, and writes nothing', () => {
  test.each(both)('on %s, with two tokens and from two namespaces', async (_title, choice, where) => {
    const stage = await two(choice);
    await stage.work();
    expect(stage.verdictOf(younger)).toBe('False Claimed Stalled');
    expect(stage.condition('Ready', younger)?.message).toContain(`belongs to AuditLogForwarding ${older}`);
    expect(stage.konnectWrites).toEqual([]);
    expect(stage.cluster.objects.get(younger)?.metadata.finalizers).toEqual([]);
    expect(where(stage)).toBe(`${olderName} on`);
    stage.forget();
    for (let count = 0; count < 3; count += 1) await stage.interval();
    expect(stage.konnectWrites).toEqual([]);
    expect(stage.cluster.writes).toBe(0);
    expect(stage.cluster.announcements).toEqual([]);
    expect([stage.verdict, stage.verdictOf(younger)]).toEqual(['True InSync', 'False Claimed Stalled']);
  });

  test.each([
    ['v3 against v2', { organization: { enabled: true } }, inline, olderName],
    ['v2 against v3', inline, { organization: { enabled: true } }, siem.endpoint],
    ['v2 against v2', inline, inline, siem.endpoint],
  ] as const)("on the organization's webhook, %s", async (_title, ofOlder, ofYounger, holder) => {
    const stage = await two(ofOlder, ofYounger);
    await stage.work();
    expect(stage.verdictOf(younger)).toBe('False Claimed Stalled');
    await stage.interval();
    expect(stage.konnectWrites).toEqual([]);
    expect(stage.pointsAt(stage.webhook())).toBe(`${holder} on`);
    expect([stage.verdict, stage.verdictOf(younger)]).toEqual(['True InSync', 'False Claimed Stalled']);
  });

  test('even with the endpoint of the older one, which adoption would take', async () => {
    const stage = await two({ portals: [{ id: shop, enabled: true }] });
    stage.cluster.putSecret('other/siem', siem);
    await stage.work();
    expect(stage.verdictOf(younger)).toBe('False Claimed Stalled');
    expect(stage.konnectWrites).toEqual([]);
  });

  test.each(['Always', 'IfMatching'] as const)('on one name of a destination, with %s', async (adoptionPolicy) => {
    const stage = await two(
      { portals: [{ id: shop, enabled: true }] },
      { portals: [{ id: forum, enabled: true }], name: olderName, adoptionPolicy },
    );
    await stage.work();
    expect(stage.verdictOf(younger)).toBe('False Claimed Stalled');
    expect(stage.condition('Ready', younger)?.message).toContain(`belongs to AuditLogForwarding ${older}`);
    await stage.interval();
    expect(stage.konnectWrites).toEqual([]);
    expect(stage.destinations).toMatchObject([siem]);
    stage.cluster.edit((spec) => ({ ...spec, destination: { ...own(spec), name: 'renamed' } }), younger);
    await stage.work();
    expect(stage.verdictOf(younger)).toBe('True InSync');
    expect(stage.destinations.map((one) => one.name)).toEqual([olderName, 'renamed']);
  });

  test('of one portal only: the others are attached', async () => {
    const portals = [shop, forum].map((id) => ({ id, enabled: true }));
    const stage = await two({ portals: [{ id: shop, enabled: true }] }, { portals });
    await stage.work();
    expect(stage.statusOf(younger).portalsReady).toBe('1/2');
    expect(stage.pointsAt(stage.portal(forum))).toBe(`${youngerName} on`);
    expect(stage.pointsAt(stage.portal(shop))).toBe(`${olderName} on`);
  });

  test('and comes first where both are new and pass at once, or comes second: one of them writes', async () => {
    const stage = await two({ portals: [{ id: shop, enabled: true }] });
    stage.delete(older);
    await stage.work();
    stage.delete(younger);
    await stage.work();
    for (const one of [older, younger]) stage.add({ portals: [{ id: shop, enabled: true }] }, one);
    stage.forget();
    await Promise.all([stage.passOf(older), stage.passOf(younger)]);
    await stage.work();
    expect([older, younger].map((of) => stage.verdictOf(of)).toSorted()).toEqual([
      'False Claimed Stalled',
      'True InSync',
    ]);
    expect(stage.konnectWrites).toEqual([
      'POST global/v3/audit-log-destinations',
      `PATCH us/v3/portals/${shop}/audit-log-webhook`,
    ]);
  });

  test('in another organization or region there is nothing to share', async () => {
    const stage = await two({ organization: { enabled: true } }, { organization: { enabled: true }, region: 'eu' });
    await stage.work();
    expect(stage.verdictOf(younger)).toBe('True InSync');
    stage.cluster.putSecret('other/konnect', { token: tokens.green });
    stage.cluster.edit(() => specOf({ organization: { enabled: true } }), younger);
    await stage.work();
    expect(stage.verdictOf(younger)).toBe('True InSync');
    expect(stage.verdict).toBe('True InSync');
  });
});

describe('when the holder goes, the next takes over by re-pointing', () => {
  const leave: readonly (readonly [title: string, leave: (stage: Stage) => void])[] = [
    ['is deleted', (stage) => stage.delete(older)],
    ['wants it no longer', (stage) => stage.cluster.edit(() => specOf({ portals: [{ id: forum, enabled: true }] }))],
    ['moves to another region', (stage) => stage.cluster.edit((spec) => moved(spec))],
  ];

  test.each(leave.flatMap(([how, deed]) => both.map(([what, ...rest]) => [how, what, deed, ...rest] as const)))(
    'it %s: %s',
    async (_how, _what, deed, choice, where) => {
      const stage = await two(choice);
      await stage.work();
      const seen = witness(stage, where);
      deed(stage);
      await stage.work();
      expect(seen).toEqual([`${olderName} on`, `${youngerName} on`]);
      expect(stage.verdictOf(younger)).toBe('True InSync');
      expect(
        stage.cluster.announcements.some(({ reason, of }) => reason === 'WebhookTakenOver' && of === younger),
      ).toBe(true);
      expect(stage.statusOf(older).cleanup).toBeUndefined();
    },
  );

  test.each([
    ['v3 to v2', { organization: { enabled: true } }, inline, [`${olderName} on`, `${otherSiem.endpoint} on`]],
    ['v2 to v3', inline, { organization: { enabled: true } }, [`${siem.endpoint} on`, `${youngerName} on`]],
    ['v2 to v2', inline, inline, [`${siem.endpoint} on`, `${otherSiem.endpoint} on`]],
  ] as const)("the organization's webhook, %s", async (_title, ofOlder, ofYounger, expected) => {
    const stage = await two(ofOlder, ofYounger);
    await stage.work();
    const seen = witness(stage, () => stage.pointsAt(stage.webhook()));
    stage.delete(older);
    await stage.work();
    expect(seen).toEqual(expected);
    expect(stage.cluster.object).toBeUndefined();
    expect(stage.verdictOf(younger)).toBe('True InSync');
    expect(stage.destinations.map((one) => one.name)).toEqual(ofYounger === inline ? [] : [youngerName]);
  });

  test('the destination of the one that was deleted goes, once Konnect lets it go', async () => {
    const stage = await two({ portals: [{ id: shop, enabled: true }] });
    stage.konnect.control.behave({ releaseDelayMs: 30_000 });
    await stage.work();
    stage.delete(older);
    await stage.work();
    expect(stage.cluster.object).toBeUndefined();
    expect(stage.destinations.map((one) => one.name)).toEqual([youngerName]);
  });

  test('while it waits, it says for whom', async () => {
    const stage = await two({ portals: [{ id: shop, enabled: true }] });
    await stage.work();
    stage.delete(older);
    await stage.passOf(older);
    expect(stage.verdict).toBe('False HandingOver Reconciling');
    expect(stage.condition('Ready')?.message).toContain(younger);
    expect(stage.konnectWrites).toEqual([]);
  });

  const cannot: readonly (readonly [title: string, of: (stage: Stage) => void])[] = [
    ['suspended', (stage) => stage.cluster.edit((spec) => ({ ...spec, suspend: true }), younger)],
    ['observing', (stage) => stage.cluster.edit((spec) => ({ ...spec, mode: 'Observe' }), younger)],
    ['stalled', (stage) => stage.cluster.putSecret('other/konnect', { token: 'kpat_refusedCANARY' })],
  ];

  test.each(cannot)('one that is %s is passed over: the holder detaches at once', async (_title, hinder) => {
    const stage = await two({ portals: [{ id: shop, enabled: true }] });
    await stage.work();
    hinder(stage);
    await stage.interval();
    const seen = witness(stage, () => stage.pointsAt(stage.portal(shop)));
    stage.delete(older);
    await stage.work();
    expect(seen).toEqual([`${olderName} on`, 'nothing off']);
    expect(stage.cluster.object).toBeUndefined();
    expect(stage.destinations).toEqual([]);
  });

  test.each(cannot)('one that is %s is passed over for the next', async (_title, hinder) => {
    const stage = await two({ portals: [{ id: shop, enabled: true }] });
    stage.add({ portals: [{ id: shop, enabled: true }] }, 'platform/third');
    await stage.work();
    hinder(stage);
    await stage.interval();
    const seen = witness(stage, () => stage.pointsAt(stage.portal(shop)));
    stage.delete(older);
    await stage.work();
    expect(seen).toEqual([`${olderName} on`, 'platform/third on']);
  });

  test('one that does not come within two minutes is waited for no longer', async () => {
    const stage = await two({ portals: [{ id: shop, enabled: true }] });
    await stage.work();
    stage.delete(older);
    for (const seconds of [0, 60, 59]) {
      stage.clock.ms += seconds * 1_000;
      expect(await stage.passOf(older)).toMatchObject({ kind: 'retry' });
      expect(stage.pointsAt(stage.portal(shop))).toBe(`${olderName} on`);
    }
    stage.clock.ms += 1_000;
    await stage.passOf(older);
    expect(stage.pointsAt(stage.portal(shop))).toBe('nothing off');
    await stage.work();
    expect(stage.pointsAt(stage.portal(shop))).toBe(`${youngerName} on`);
    expect(stage.cluster.object).toBeUndefined();
  });

  test('the oldest of those that wait takes it, and the others say so', async () => {
    const stage = await two({ portals: [{ id: shop, enabled: true }] });
    stage.add({ portals: [{ id: shop, enabled: true }] }, 'platform/third');
    await stage.work();
    expect(stage.verdictOf('platform/third')).toBe('False Claimed Stalled');
    stage.delete(older);
    await stage.work();
    expect(stage.pointsAt(stage.portal(shop))).toBe(`${youngerName} on`);
    expect(stage.condition('Ready', 'platform/third')?.message).toContain(younger);
    expect(stage.destinations.map((one) => one.name)).toEqual([youngerName]);
  });
});

function moved(spec: ReturnType<typeof specOf>) {
  const { portals: _portals, organization: _organization, ...rest } = spec;
  return { ...rest, organization: { enabled: true }, konnect: { ...spec.konnect, region: 'eu' } };
}

describe('a holder that is deleted with Retain leaves it as it is, and the policy of the next decides', () => {
  test.each([
    ['Never', 'the same endpoint', siem, 'False WebhookInUse Stalled', olderName],
    ['IfMatching', 'another endpoint', otherSiem, 'False WebhookInUse Stalled', olderName],
    ['IfMatching', 'the same endpoint', siem, 'True InSync', youngerName],
    ['Always', 'another endpoint', otherSiem, 'True InSync', youngerName],
  ] as const)('%s, with %s', async (adoptionPolicy, _which, secret, verdict, holder) => {
    const portals = [{ id: shop, enabled: true }];
    const stage = await two({ portals }, { portals, adoptionPolicy }, { deletionPolicy: 'Retain' });
    stage.cluster.putSecret('other/siem', secret);
    await stage.work();
    const seen = witness(stage, () => stage.pointsAt(stage.portal(shop)));
    stage.delete(older);
    await stage.work();
    expect(stage.verdictOf(younger)).toBe(verdict);
    expect(seen.at(-1)).toBe(`${holder} on`);
    expect(seen).not.toContain('nothing off');
    expect(stage.destinations.map((one) => one.name)).toContain(olderName);
  });
});

describe('a holder keeps it', () => {
  test('while it is suspended, and the other says who', async () => {
    const portals = [{ id: shop, enabled: true }];
    const stage = await two({ portals });
    stage.cluster.edit((spec) => ({ ...spec, suspend: true }));
    await stage.work();
    await stage.interval();
    expect(stage.verdictOf(younger)).toBe('False Claimed Stalled');
    expect(stage.konnectWrites).toEqual([]);
  });

  test('though somebody detached or re-pointed it: it puts that right itself', async () => {
    const portals = [{ id: shop, enabled: true }];
    const stage = await two({ organization: { enabled: true } }, { portals });
    await stage.work();
    // The holder may as well be the younger one.
    stage.cluster.edit(() => specOf({ portals, adoptionPolicy: 'Always' }));
    await stage.work();
    expect(stage.verdict).toBe('False Claimed Stalled');
    const { id } = stage.createForeign('theirs');
    stage.portal(shop).target = { kind: 'destination', id };
    await stage.interval();
    expect(stage.pointsAt(stage.portal(shop))).toBe(`${youngerName} on`);
    stage.portal(shop).target = { kind: 'none' };
    await stage.interval();
    expect(stage.pointsAt(stage.portal(shop))).toBe(`${youngerName} on`);
    expect([stage.verdict, stage.verdictOf(younger)]).toEqual(['False Claimed Stalled', 'True InSync']);
  });
});

test('who cannot see the portal claims nothing', async () => {
  const portals = [{ id: nowhere, enabled: true }];
  const stage = await two({ organization: { enabled: true } }, { portals });
  await stage.work();
  expect(stage.verdictOf(younger)).toBe('False PortalNotFound Stalled');
  stage.add({ portals }, 'platform/third');
  await stage.work();
  expect(stage.verdictOf('platform/third')).toBe('False PortalNotFound Stalled');
});
