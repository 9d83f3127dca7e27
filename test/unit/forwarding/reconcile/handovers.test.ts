import { describe, expect, test } from '@jest/globals';
import { clearWebhook } from '../../../../sandbox/konnect/model/webhooks.ts';
import { key as older, type SpecChoice, specOf } from '../../../support/forwarding-spec.ts';
import { forum, nowhere, otherSiem, shop, siem, tokens } from '../../../support/konnect-fixtures.ts';
import type { Harness } from '../support/harness.ts';
import { recordTargets, useHarness } from '../support/use-harness.ts';

const { open } = useHarness();
const younger = 'other/later';
const dayMs = 86_400_000;
const inline: SpecChoice = { api: 'v2', organization: { enabled: true } };
const v3: SpecChoice = { organization: { enabled: true } };

function portals(...ids: readonly string[]): SpecChoice {
  return { portals: ids.map((id) => ({ id, enabled: true })) };
}

function ofShop(harness: Harness): string {
  return harness.pointsAt(harness.portal(shop));
}

function interruptions(seen: readonly string[]): string[] {
  return seen.filter((one) => one.endsWith('off'));
}

/** Two forwardings that have done what they can. The second one is of another namespace and has another token. */
async function both(ofOlder: SpecChoice, ofYounger: SpecChoice, siemOfYounger = otherSiem): Promise<Harness> {
  const harness = await open(ofOlder);
  harness.cluster.putSecret('other/konnect', { token: tokens.blueAgain });
  harness.cluster.putSecret('other/siem', siemOfYounger);
  await harness.work();
  harness.add(ofYounger, younger);
  await harness.work();
  harness.clearRecords();
  return harness;
}

function edit(harness: Harness, choice: SpecChoice, of = older): void {
  harness.cluster.edit(() => specOf(choice), of);
}

test('a portal that is handed over a second time, a day after it came back, is never off', async () => {
  const harness = await both(portals(shop, forum), portals(shop));
  const seen = recordTargets(harness, ofShop);
  const handOver = async () => {
    edit(harness, portals(forum));
    // The holder reconciles before the next owner does.
    await harness.reconcile();
    expect(harness.condition('Ready')?.reason).toBe('HandingOver');
    const events = harness.cluster.announcements.filter(({ reason }) => reason === 'HandingOver');
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(['Normal']));
    await harness.work();
    expect(ofShop(harness)).toBe(`${younger} on`);
  };
  await handOver();
  edit(harness, portals(shop, forum));
  await harness.work();
  edit(harness, v3, younger);
  await harness.work();
  expect(ofShop(harness)).toBe(`${older} on`);
  edit(harness, portals(shop), younger);
  await harness.work();
  harness.clock.ms += dayMs;
  await harness.resync();
  await handOver();
  expect(interruptions(seen)).toEqual([]);
});

describe('the organization’s webhook with one inline endpoint in two forwardings is never off', () => {
  const ends: readonly (readonly [title: string, end: (harness: Harness) => void])[] = [
    ['its holder is deleted', (harness) => harness.delete()],
    ['its holder wants a portal instead', (harness) => edit(harness, portals(shop))],
    ['its holder moves to another region', (harness) => edit(harness, { ...inline, region: 'eu' })],
  ];

  test.each(ends)('when %s', async (_title, end) => {
    const harness = await both(inline, inline, siem);
    expect(harness.readinessOf(younger)).toBe('False Claimed Stalled');
    const seen = recordTargets(harness, () => harness.pointsAt(harness.webhook()));
    end(harness);
    await harness.work();
    await harness.resync();
    expect(harness.readinessOf(younger)).toBe('True InSync');
    expect(harness.pointsAt(harness.webhook())).toBe(`${siem.endpoint} on`);
    expect(interruptions(seen)).toEqual([]);
  });
});

describe('a change of auditLogsAPI waits for no other forwarding that wants the webhook', () => {
  test.each([
    ['to v2', v3, inline],
    ['to v3', inline, v3],
  ] as const)('%s', async (_title, before, after) => {
    const harness = await both(before, v3);
    expect(harness.readinessOf(younger)).toBe('False Claimed Stalled');
    const startedMs = harness.clock.ms;
    edit(harness, after);
    await harness.work();
    expect(harness.clock.ms - startedMs).toBeLessThan(60_000);
    expect([harness.readiness, harness.readinessOf(younger)]).toEqual(['True InSync', 'False Claimed Stalled']);
  });
});

test('the younger forwarding takes a portal at once when the older one turns out to have no Secret', async () => {
  const harness = await both(v3, portals(forum));
  edit(harness, portals(forum, shop), younger);
  edit(harness, { ...v3, ...portals(shop), siem: 'missing' });
  await harness.work();
  expect(harness.readinessOf(younger)).toBe('True InSync');
  expect(ofShop(harness)).toBe(`${younger} on`);
});

describe('a portal that does not exist costs its forwarding no other portal', () => {
  test('the next owner takes over from a holder that is deleted, without an interruption', async () => {
    const harness = await both(portals(shop), portals(nowhere, shop));
    const seen = recordTargets(harness, ofShop);
    harness.delete();
    await harness.reconcile();
    await harness.work();
    expect(ofShop(harness)).toBe(`${younger} on`);
    expect(interruptions(seen)).toEqual([]);
  });

  test('the holder keeps a portal that another client detached', async () => {
    const harness = await both(portals(nowhere, shop), portals(shop));
    expect(harness.readinessOf(younger)).toBe('False Claimed Stalled');
    clearWebhook(harness.konnect.model, harness.organization, harness.portal(shop));
    harness.clock.ms += 600_000;
    await harness.reconcileKey(younger);
    await harness.reconcile();
    await harness.work();
    expect(ofShop(harness)).toBe(`${older} on`);
    expect(harness.readinessOf(younger)).toBe('False Claimed Stalled');
  });
});
