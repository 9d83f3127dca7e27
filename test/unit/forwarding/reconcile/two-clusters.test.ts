/** Two clusters whose forwardings have the same Secret, so that the endpoint proves nothing between them. */
import { describe, expect, test } from '@jest/globals';
import { changeDestination } from '../../../../sandbox/konnect/model/destinations.ts';
import { pointWebhook } from '../../../../sandbox/konnect/model/webhooks.ts';
import { own, type SpecChoice, specOf, usual } from '../../../support/forwarding-spec.ts';
import { forum, shop, siem } from '../../../support/konnect-fixtures.ts';
import type { Harness } from '../support/harness.ts';
import { recordTargets, useHarness } from '../support/use-harness.ts';

const { inPlace, open, openBeside } = useHarness();
const organizationOnly: SpecChoice = { organization: { enabled: true } };
const inline: SpecChoice = { ...organizationOnly, api: 'v2' };
const hourMs = 3_600_000;

function targetsOf(harness: Harness): string {
  return [harness.portal(shop), harness.portal(forum), harness.webhook()].map((one) => harness.pointsAt(one)).join();
}

/** Reconciles both, one interval after the other. */
async function rounds(count: number, ...harnesses: readonly Harness[]): Promise<void> {
  for (let round = 0; round < count; round += 1) for (const one of harnesses) await one.resync();
}

/** The requests that write, since the last call. */
function writesOf({ konnect }: Harness): string[] {
  const writes = konnect.control.calls().filter(({ method }) => method !== 'GET');
  konnect.control.clearCalls();
  return writes.map(({ method, path }) => `${method} ${path.replace(/\/[0-9a-f-]{36}/g, '/ID')}`);
}

async function expectRest(...harnesses: readonly Harness[]): Promise<void> {
  for (const one of harnesses) one.clearRecords();
  await rounds(3, ...harnesses);
  expect(harnesses.flatMap((one) => [one.konnectWrites, one.cluster.writes])).toEqual(harnesses.flatMap(() => [[], 0]));
}

describe('with one name of the destination, since no cluster has a name', () => {
  const patch = 'PATCH /v3/audit-log-destinations/ID';

  test('the first one stays ready, the second one is told, no webhook changes, and both come to rest', async () => {
    const first = await inPlace();
    const [before] = structuredClone(first.destinations);
    const second = await openBeside(first);
    const seen = recordTargets(first, targetsOf);
    second.onKonnectCall = first.onKonnectCall;
    await second.work();
    await rounds(2, first, second);
    expect(first.readiness).toBe('True InSync');
    expect(first.reasons).toEqual(['DestinationCorrected', 'DestinationCorrected']);
    expect(second.readiness).toBe('False NameInUse Stalled');
    for (const text of [
      before?.id ?? '',
      'another client took it back, perhaps the operator of another cluster',
      'Always',
    ])
      expect(second.condition('Ready')?.message).toContain(text);
    expect(second.status.portals?.map(({ state, reason }) => [state, reason])).toEqual([
      ['refused', 'WebhookInUse'],
      ['refused', 'WebhookInUse'],
    ]);
    expect(writesOf(first)).toEqual([patch, patch, patch, patch]);
    await expectRest(first, second);
    expect(seen).toEqual([targetsOf(first)]);
    expect(first.destinations).toMatchObject([{ ...before, updatedAt: expect.anything() }]);
    expect([first.readiness, second.readiness]).toEqual(['True InSync', 'False NameInUse Stalled']);
  });

  test('the second one still says so after weeks and a restart', async () => {
    const first = await inPlace();
    const second = await openBeside(first);
    await second.work();
    await rounds(3, first, second);
    for (let day = 0; day < 15; day += 1) {
      first.clock.ms += 24 * hourMs;
      second.restart();
      await rounds(1, first, second);
    }
    expect([first.readiness, second.readiness]).toEqual(['True InSync', 'False NameInUse Stalled']);
    await expectRest(first, second);
  });

  test('the second one can be deleted without a change in Konnect', async () => {
    const first = await inPlace();
    const second = await openBeside(first);
    await second.work();
    await rounds(2, first, second);
    const before = structuredClone(first.destinations);
    writesOf(first);
    second.delete();
    await second.work();
    expect(second.cluster.object).toBeUndefined();
    expect(writesOf(first)).toEqual([]);
    expect(first.destinations).toEqual(before);
    await first.resync();
    expect(first.readiness).toBe('True InSync');
  });

  test('the second one has another format: it is told all the same', async () => {
    const first = await inPlace();
    const second = await openBeside(first);
    second.cluster.edit((spec) => ({ ...spec, destination: { ...own(spec), logFormat: 'json' } }));
    await second.work();
    await rounds(2, first, second);
    expect([first.readiness, second.readiness]).toEqual(['True InSync', 'False NameInUse Stalled']);
    expect(first.destinations).toMatchObject([{ logFormat: 'cef' }]);
    await expectRest(first, second);
  });

  test('the second one leaves what is to be detached to the first one', async () => {
    const first = await inPlace();
    const second = await openBeside(first);
    await second.work();
    await rounds(1, first, second);
    await first.resync();
    const seen = recordTargets(first, targetsOf);
    second.onKonnectCall = first.onKonnectCall;
    second.cluster.edit(() => specOf({ portals: [{ id: shop, enabled: true }] }));
    await rounds(2, second, first);
    expect([first.readiness, second.readiness]).toEqual(['True InSync', 'False NameInUse Stalled']);
    expect(seen).toEqual([targetsOf(first)]);
  });

  test('both are created at once: one of them is told', async () => {
    const first = await open();
    const second = await openBeside(first);
    await Promise.all([first.work(), second.work()]);
    await rounds(4, first, second);
    expect([first.readiness, second.readiness].toSorted()).toEqual(['False NameInUse Stalled', 'True InSync']);
    expect(first.destinations).toHaveLength(1);
    await expectRest(first, second);
  });

  test('the first one has an interval of a day: the second one is told after that', async () => {
    const first = await inPlace({ ...usual, interval: '24h' });
    const second = await openBeside(first, { ...usual, interval: '24h' });
    await second.work();
    for (const one of [first, second, first, second]) {
      one.clock.ms += 23.5 * hourMs;
      await one.resync();
    }
    expect([first.readiness, second.readiness]).toEqual(['True InSync', 'False NameInUse Stalled']);
  });
});

describe('with one inline webhook of the organization (v2)', () => {
  test('the first one stays ready, the second one is told, and the webhook stays on', async () => {
    const first = await inPlace(inline);
    const second = await openBeside(first, inline);
    const seen = recordTargets(first, targetsOf);
    second.onKonnectCall = first.onKonnectCall;
    await second.work();
    await rounds(2, first, second);
    expect([first.readiness, second.readiness]).toEqual(['True InSync', 'False WebhookInUse Stalled']);
    expect(seen).toEqual([targetsOf(first)]);
    await expectRest(first, second);
    second.delete();
    await second.work();
    expect(first.pointsAt(first.webhook())).toBe(`${siem.endpoint} on`);
  });

  test.each([
    ['v2 beside v3', organizationOnly, inline, 'WebhookInUse'],
    ['v3 beside v2', inline, organizationOnly, 'WebhookInUse'],
  ] as const)('%s: the webhook ends as the first one wants it', async (_title, ofFirst, ofSecond, reason) => {
    const first = await inPlace(ofFirst);
    const target = first.pointsAt(first.webhook());
    const second = await openBeside(first, ofSecond);
    await second.work();
    await rounds(3, first, second);
    expect([first.readiness, second.readiness]).toEqual(['True InSync', `False ${reason} Stalled`]);
    expect(first.pointsAt(first.webhook())).toBe(target);
    await expectRest(first, second);
  });
});

describe('with a name for each cluster', () => {
  test.each([
    ['both have one', 'blue', 'green'],
    ['the second one has none', 'blue', ''],
    ['the first one has none', '', 'green'],
  ])('%s: the second one is told at once, and writes nothing', async (_title, ofFirst, ofSecond) => {
    const first = await open();
    first.restart({ clusterName: ofFirst });
    await first.work();
    const second = await openBeside(first);
    second.restart({ clusterName: ofSecond });
    writesOf(first);
    await second.work();
    expect(second.readiness).toBe('False WebhookInUse Stalled');
    expect(second.condition('Ready')?.message).toContain('its name is that of this forwarding in another cluster');
    await rounds(3, first, second);
    expect(writesOf(first)).toEqual([]);
    expect([first.readiness, second.readiness]).toEqual(['True InSync', 'False WebhookInUse Stalled']);
    second.delete();
    await second.work();
    expect(writesOf(first)).toEqual([]);
  });
});

describe('with other names of the forwarding or the destination', () => {
  test('each webhook changes once and back, never off, and the second one is told', async () => {
    const first = await inPlace({ ...usual, name: 'ours' });
    const second = await openBeside(first, { ...usual, name: 'audit' });
    const seen = recordTargets(first, targetsOf);
    second.onKonnectCall = first.onKonnectCall;
    await second.work();
    expect(second.readiness).toBe('True InSync');
    expect(targetsOf(first)).toBe('audit on,audit on,audit on');
    await first.resync();
    expect(first.readiness).toBe('True InSync');
    await second.resync();
    expect(second.readiness).toBe('False WebhookInUse Stalled');
    expect(second.condition('Ready')?.message).toContain('another client took it back');
    expect(targetsOf(first)).toBe('ours on,ours on,ours on');
    expect(seen.filter((one) => one.includes('off'))).toEqual([]);
    await expectRest(first, second);
    second.delete();
    await second.work();
    expect(first.destinations.map(({ name }) => name)).toEqual(['ours']);
    expect(targetsOf(first)).toBe('ours on,ours on,ours on');
  });

  test('the second one takes over when the first one is deleted', async () => {
    const first = await inPlace({ ...usual, name: 'ours' });
    const second = await openBeside(first, { ...usual, name: 'audit' });
    await second.work();
    await rounds(2, first, second);
    first.delete();
    await first.work();
    await second.resync();
    expect(second.readiness).toBe('True InSync');
    expect(second.status.adoptions).toBeUndefined();
  });
});

describe('an adopted object that another client takes back', () => {
  /** The destination of another client, and a portal that points at it, both of which the operator adopts. */
  async function adopted(choice: SpecChoice): Promise<{ harness: Harness; giveBack: () => void }> {
    const harness = await open(choice);
    const { id } = harness.createForeign('by hand', siem.endpoint);
    const giveBack = () => {
      pointWebhook(harness.konnect.model, harness.organization, harness.portal(shop), { kind: 'destination', id });
      harness.portal(shop).enabled = true;
    };
    giveBack();
    await harness.settle();
    await harness.reconcile();
    expect(harness.readiness).toBe('True InSync');
    harness.clearRecords();
    return { harness, giveBack };
  }
  const portals = [{ id: shop, enabled: true }];

  test.each([
    ['within four days: it is left to that client', 95, 'False WebhookInUse Stalled', []],
    ['later: it is corrected', 97, 'True InSync', ['WebhookCorrected']],
  ])('%s', async (_title, hours, readiness, reasons) => {
    const { harness, giveBack } = await adopted({ portals });
    harness.clock.ms += hours * hourMs;
    giveBack();
    await harness.resync();
    expect(harness.readiness).toBe(readiness);
    expect(harness.reasons.filter((one) => one === 'WebhookCorrected')).toEqual(reasons);
  });

  test('with Always, it is corrected', async () => {
    const { harness, giveBack } = await adopted({ portals, adoptionPolicy: 'Always' });
    giveBack();
    await harness.resync();
    expect(harness.readiness).toBe('True InSync');
  });

  test('and with Always afterwards, it is adopted again', async () => {
    const { harness, giveBack } = await adopted({ portals });
    giveBack();
    await harness.resync();
    expect(harness.readiness).toBe('False WebhookInUse Stalled');
    harness.cluster.edit(() => specOf({ portals, adoptionPolicy: 'Always' }));
    await harness.work();
    expect(harness.readiness).toBe('True InSync');
    expect(harness.status.adoptions).toBeUndefined();
  });

  test('and detached later, it is attached again', async () => {
    const { harness, giveBack } = await adopted({ portals });
    giveBack();
    await harness.resync();
    pointWebhook(harness.konnect.model, harness.organization, harness.portal(shop), { kind: 'none' });
    await harness.resync();
    expect(harness.readiness).toBe('True InSync');
  });

  test('and cannot be read for a while: the operator does not adopt it again', async () => {
    const { harness, giveBack } = await adopted({ portals });
    giveBack();
    await harness.resync();
    harness.konnect.control.fail({ kind: 'status', status: 503, match: { path: '/audit-log-webhook' }, times: 1 });
    harness.clearRecords();
    await harness.resync();
    await harness.resync();
    expect(harness.readiness).toBe('False WebhookInUse Stalled');
    expect(harness.konnectWrites).toEqual([]);
  });

  test('is another one than a webhook that it switches off: that is corrected', async () => {
    const { harness } = await adopted({ portals });
    harness.portal(shop).enabled = false;
    await harness.resync();
    expect(harness.readiness).toBe('True InSync');
    expect(harness.portal(shop).enabled).toBe(true);
  });
});

describe('a destination that status had lost', () => {
  async function foundAgain(): Promise<{ harness: Harness; change: (fields: { logFormat?: 'json' }) => void }> {
    const harness = await inPlace();
    const [{ id } = { id: '' }] = harness.destinations;
    harness.cluster.wipeStatus();
    await harness.settle();
    await harness.reconcile();
    harness.clearRecords();
    const change = (fields: { logFormat?: 'json' }) =>
      void changeDestination(harness.konnect.model, harness.organization, id, fields);
    return { harness, change };
  }

  test('is corrected after four days', async () => {
    const { harness, change } = await foundAgain();
    harness.clock.ms += 97 * hourMs;
    change({ logFormat: 'json' });
    await harness.resync();
    expect(harness.readiness).toBe('True InSync');
    expect(harness.destinations).toMatchObject([{ logFormat: 'cef' }]);
  });

  test('is corrected once if only the time of its last change differs', async () => {
    const { harness, change } = await foundAgain();
    change({});
    await rounds(3, harness);
    expect(harness.readiness).toBe('True InSync');
    expect(harness.reasons).toEqual(['DestinationCorrected']);
    change({});
    await harness.resync();
    expect(harness.readiness).toBe('False NameInUse Stalled');
  });
});
