import { describe, expect, test } from '@jest/globals';
import { changeDestination } from '../../../../sandbox/konnect/model/destinations.ts';
import { clearWebhook, pointWebhook, touchWebhook } from '../../../../sandbox/konnect/model/webhooks.ts';
import { reconcileAnnotation } from '../../../../src/api/v1alpha1.ts';
import { own, type SpecChoice, specOf, usual } from '../../../support/forwarding-spec.ts';
import { forum, otherSiem, shop, siem } from '../../../support/konnect-fixtures.ts';
import type { Harness } from '../support/harness.ts';
import { useHarness } from '../support/use-harness.ts';

const { inPlace } = useHarness();
const hourMs = 3_600_000;

interface Conflict {
  readonly title: string;
  readonly choice: SpecChoice;
  readonly object: string;
  /** What the message says about the logs. */
  readonly effect: string;
  /** What another client does repeatedly. Returns the ID that the message has to name. */
  readonly strike: (harness: Harness) => string | undefined;
}

function theirs(harness: Harness): string {
  return (harness.destinations.find((one) => one.name === 'theirs') ?? harness.createForeign('theirs')).id;
}

const conflicts: readonly Conflict[] = [
  {
    title: 'a portal that is off in spec and switched on',
    choice: { portals: [{ id: shop, enabled: false }] },
    object: `portal/${shop}`,
    effect: 'it is switched on and sends logs',
    strike(harness) {
      harness.portal(shop).enabled = true;
      return undefined;
    },
  },
  {
    title: 'an inline webhook that gets another format',
    choice: { api: 'v2', organization: { enabled: true } },
    object: 'organization',
    effect: 'it sends its logs with other settings',
    strike(harness) {
      const webhook = harness.webhook();
      const inline = { ...siem, logFormat: 'json', skipSSLVerification: false } as const;
      webhook.target = { kind: 'inline', inline };
      touchWebhook(harness.konnect.model, webhook);
      return undefined;
    },
  },
  {
    title: 'a portal that is pointed elsewhere',
    choice: usual,
    object: `portal/${shop}`,
    effect: 'and its logs do not go where this forwarding sends them',
    strike(harness) {
      const id = theirs(harness);
      pointWebhook(harness.konnect.model, harness.organization, harness.portal(shop), { kind: 'destination', id });
      return id;
    },
  },
  {
    title: 'a portal that is detached',
    choice: usual,
    object: `portal/${shop}`,
    effect: 'it sends no logs',
    strike(harness) {
      clearWebhook(harness.konnect.model, harness.organization, harness.portal(shop));
      return undefined;
    },
  },
  {
    title: "the organization's webhook that is switched off",
    choice: usual,
    object: 'organization',
    effect: 'it is switched off and sends no logs',
    strike(harness) {
      harness.webhook().enabled = false;
      return undefined;
    },
  },
  {
    title: 'an inline webhook that gets another endpoint',
    choice: { api: 'v2', organization: { enabled: true } },
    object: 'organization',
    effect: 'it points at another endpoint, and its logs do not go',
    strike(harness) {
      const inline = { ...siem, logFormat: 'cef', skipSSLVerification: false } as const;
      const webhook = harness.webhook();
      webhook.target = { kind: 'inline', inline: { ...inline, endpoint: 'https://elsewhere.example.com/' } };
      touchWebhook(harness.konnect.model, webhook);
      return undefined;
    },
  },
  {
    title: 'a destination that gets another authorization',
    choice: usual,
    object: 'destination',
    effect: 'may go to another endpoint, or the SIEM may refuse them',
    strike(harness) {
      const { id } = mine(harness);
      changeDestination(harness.konnect.model, harness.organization, id, { authorization: 'theirs' });
      return undefined;
    },
  },
  {
    title: 'a destination that is deleted, with all that pointed at it',
    choice: { portals: [{ id: shop, enabled: true }] },
    object: 'destination',
    effect: 'its webhooks send no logs',
    strike(harness) {
      harness.organization.destinations.length = 0;
      return undefined;
    },
  },
  {
    title: 'a destination that gets another format',
    choice: usual,
    object: 'destination',
    effect: 'still sends the logs of its webhooks, with another logFormat',
    strike(harness) {
      changeDestination(harness.konnect.model, harness.organization, mine(harness).id, { logFormat: 'json' });
      return undefined;
    },
  },
];

function mine(harness: Harness) {
  const found = harness.destinations.find((one) => one.name !== 'theirs');
  if (found === undefined) throw new TypeError('our destination is not there');
  return found;
}

/** Makes three changes that are corrected, each followed by a calm reconciliation, then one that is not. */
async function repeatChanges(harness: Harness, { strike, object }: Conflict, times = 4): Promise<string | undefined> {
  let named: string | undefined;
  for (let count = 1; count <= times; count += 1) {
    named = strike(harness);
    harness.clearRecords();
    await harness.resync();
    const corrected = harness.reasons.some((reason) => /Corrected|Created/.test(reason));
    expect({ count, corrected }).toEqual({ count, corrected: count < 4 });
    if (count === 4) break;
    expect(harness.status.corrections?.find((one) => one.object === object)?.at).toHaveLength(count);
    expect(harness.readiness).toBe('True InSync');
    harness.clearRecords();
    await harness.resync();
    expect([harness.konnectWrites, harness.cluster.writes]).toEqual([[], 0]);
  }
  return named;
}

describe('what another client keeps changing stays unchanged after three corrections within 24 hours', () => {
  test.each(conflicts)('$title', async (conflict) => {
    const harness = await inPlace(conflict.choice);
    const named = await repeatChanges(harness, conflict);
    expect(harness.konnectWrites).toEqual([]);
    expect(harness.readiness).toBe('False Contested Stalled');
    expect(harness.condition('Ready')?.message).toContain('another client keeps changing');
    expect(harness.condition('Ready')?.message).toContain(reconcileAnnotation);
    expect(harness.condition('Ready')?.message).toContain(named ?? 'leaves it unchanged');
    expect(harness.condition('Ready')?.message).toContain(conflict.effect);
    harness.clearRecords();
    for (let count = 0; count < 3; count += 1) await harness.resync();
    expect([harness.konnectWrites, harness.cluster.writes, harness.reasons]).toEqual([[], 0, []]);
  });

  test('while the operator keeps correcting everything else', async () => {
    const harness = await inPlace();
    await repeatChanges(harness, portalConflict);
    harness.portal(forum).enabled = false;
    harness.clearRecords();
    await harness.resync();
    expect(harness.konnectWrites).toEqual([`PATCH us/v3/portals/${forum}/audit-log-webhook`]);
    expect(harness.status.portals).toMatchObject([
      { id: shop, state: 'refused', reason: 'Contested' },
      { id: forum, state: 'on' },
    ]);
  });
});

function never(): never {
  throw new TypeError('unreachable');
}

const portalConflict = conflicts.find(({ title }) => title === 'a portal that is pointed elsewhere') ?? never();
const destinationConflict = conflicts.find(({ object }) => object === 'destination') ?? never();

describe('a conflict ends', () => {
  test('when the object matches again', async () => {
    const harness = await inPlace(portalConflict.choice);
    await repeatChanges(harness, portalConflict);
    const { id } = mine(harness);
    pointWebhook(harness.konnect.model, harness.organization, harness.portal(shop), { kind: 'destination', id });
    await harness.resync();
    expect(harness.readiness).toBe('True InSync');
    expect(harness.status.corrections).toBeUndefined();
    await repeatChanges(harness, portalConflict);
  });

  const ways: readonly (readonly [title: string, end: (harness: Harness) => void])[] = [
    ['a new spec', (harness) => harness.cluster.edit((spec) => ({ ...spec, interval: '9m' }))],
    ['a new Secret', (harness) => harness.cluster.putSecret('siem', otherSiem)],
    ['the annotation', (harness) => harness.cluster.annotate(reconcileAnnotation, '2026-01-02T04:00:00Z')],
  ];

  test.each(
    ways.flatMap(([title, end]) => [portalConflict, destinationConflict].map((conflict) => ({ title, end, conflict }))),
  )('by $title ($conflict.title)', async ({ end, conflict }) => {
    const harness = await inPlace(conflict.choice);
    await repeatChanges(harness, conflict);
    harness.clearRecords();
    end(harness);
    await harness.resync();
    expect(harness.readiness).toBe('True InSync');
    expect(harness.konnectWrites).not.toEqual([]);
    expect(harness.pointsAt(harness.portal(shop))).toBe('platform/sumologic on');
    const left = harness.status.corrections?.flatMap(({ at }) => at) ?? [];
    expect(left.length).toBeLessThanOrEqual(1);
  });
});

test('a Secret that is touched without a change of its data does not end the conflict', async () => {
  const harness = await inPlace(portalConflict.choice);
  await repeatChanges(harness, portalConflict);
  harness.clearRecords();
  harness.cluster.putSecret('siem', siem);
  await harness.resync();
  expect(harness.readiness).toBe('False Contested Stalled');
  expect(harness.konnectWrites).toEqual([]);
});

test('corrections of more than 24 hours ago do not count', async () => {
  const harness = await inPlace();
  for (let count = 0; count < 8; count += 1) {
    portalConflict.strike(harness);
    harness.clearRecords();
    harness.clock.ms += 9 * hourMs;
    await harness.resync();
    expect(harness.reasons).toContain('WebhookCorrected');
    expect(harness.readiness).toBe('True InSync');
  }
});

test('the operator corrects it again when the first of the three corrections is older than 24 hours', async () => {
  const harness = await inPlace();
  await repeatChanges(harness, portalConflict);
  harness.clock.ms += 24 * hourMs;
  await harness.resync();
  expect(harness.readiness).toBe('True InSync');
});

test('changes by the operator do not count', async () => {
  const harness = await inPlace();
  for (let count = 0; count < 6; count += 1) {
    const name = `name-${String(count)}`;
    harness.cluster.edit((spec) => ({ ...spec, destination: { ...own(spec), name } }));
    harness.cluster.putSecret('siem', count % 2 === 0 ? otherSiem : siem);
    await harness.work();
    harness.cluster.edit(() => specOf({ portals: [{ id: shop, enabled: count % 2 === 0 }] }));
    await harness.work();
    expect(harness.readiness).toBe('True InSync');
  }
  expect(harness.status.corrections).toBeUndefined();
});
