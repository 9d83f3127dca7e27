import { describe, expect, test } from '@jest/globals';
import { changeDestination } from '../../../../sandbox/konnect/model/destinations.ts';
import { clearWebhook, pointWebhook, touchWebhook } from '../../../../sandbox/konnect/model/webhooks.ts';
import { reconcileAnnotation } from '../../../../src/api/v1alpha1.ts';
import { forum, otherSiem, own, type SpecChoice, type Stage, shop, siem, specOf, usual } from '../support/harness.ts';
import { useStages } from '../support/use-harness.ts';

const { inPlace } = useStages();
const hourMs = 3_600_000;

interface War {
  readonly title: string;
  readonly choice: SpecChoice;
  readonly object: string;
  /** What somebody else does, again and again; answers the ID that is to be named. */
  readonly strike: (stage: Stage) => string | undefined;
}

function theirs(stage: Stage): string {
  return (stage.destinations.find((one) => one.name === 'theirs') ?? stage.createForeign('theirs')).id;
}

const wars: readonly War[] = [
  {
    title: 'a portal that is pointed elsewhere',
    choice: usual,
    object: `portal/${shop}`,
    strike(stage) {
      const id = theirs(stage);
      pointWebhook(stage.konnect.model, stage.organization, stage.portal(shop), { kind: 'destination', id });
      return id;
    },
  },
  {
    title: 'a portal that is detached',
    choice: usual,
    object: `portal/${shop}`,
    strike(stage) {
      clearWebhook(stage.konnect.model, stage.organization, stage.portal(shop));
      return undefined;
    },
  },
  {
    title: "the organization's webhook that is switched off",
    choice: usual,
    object: 'organization',
    strike(stage) {
      stage.webhook().enabled = false;
      return undefined;
    },
  },
  {
    title: 'an inline webhook that gets another endpoint',
    choice: { api: 'v2', organization: { enabled: true } },
    object: 'organization',
    strike(stage) {
      const inline = { ...siem, logFormat: 'cef', skipSSLVerification: false } as const;
      const webhook = stage.webhook();
      webhook.target = { kind: 'inline', inline: { ...inline, endpoint: 'https://elsewhere.example.com/' } };
      touchWebhook(stage.konnect.model, webhook);
      return undefined;
    },
  },
  {
    title: 'a destination that gets another authorization',
    choice: usual,
    object: 'destination',
    strike(stage) {
      const { id } = mine(stage);
      changeDestination(stage.konnect.model, stage.organization, id, { authorization: 'theirs' });
      return undefined;
    },
  },
  {
    title: 'a destination that is deleted, with all that pointed at it',
    choice: { portals: [{ id: shop, enabled: true }] },
    object: 'destination',
    strike(stage) {
      stage.organization.destinations.length = 0;
      return undefined;
    },
  },
];

function mine(stage: Stage) {
  const found = stage.destinations.find((one) => one.name !== 'theirs');
  if (found === undefined) throw new TypeError('our destination is not there');
  return found;
}

/** Three strikes put right, each with quiet between, then one that is left alone. */
async function fight(stage: Stage, { strike, object }: War, times = 4): Promise<string | undefined> {
  let named: string | undefined;
  for (let count = 1; count <= times; count += 1) {
    named = strike(stage);
    stage.forget();
    await stage.interval();
    const corrected = stage.reasons.some((reason) => /Corrected|Created/.test(reason));
    expect({ count, corrected }).toEqual({ count, corrected: count < 4 });
    if (count === 4) break;
    expect(stage.status.corrections?.find((one) => one.object === object)?.at).toHaveLength(count);
    expect(stage.verdict).toBe('True InSync');
    stage.forget();
    await stage.interval();
    expect([stage.konnectWrites, stage.cluster.writes]).toEqual([[], 0]);
  }
  return named;
}

describe('what others change again and again is left alone after three corrections within 24 hours', () => {
  test.each(wars)('$title', async (war) => {
    const stage = await inPlace(war.choice);
    const named = await fight(stage, war);
    expect(stage.konnectWrites).toEqual([]);
    expect(stage.verdict).toBe('False Contested Stalled');
    expect(stage.condition('Ready')?.message).toContain('somebody else');
    expect(stage.condition('Ready')?.message).toContain(reconcileAnnotation);
    expect(stage.condition('Ready')?.message).toContain(named ?? 'is left alone');
    stage.forget();
    for (let count = 0; count < 3; count += 1) await stage.interval();
    expect([stage.konnectWrites, stage.cluster.writes, stage.reasons]).toEqual([[], 0, []]);
  });

  test('while what is beside it is kept right', async () => {
    const stage = await inPlace();
    await fight(stage, wars[0] ?? never());
    stage.portal(forum).enabled = false;
    stage.forget();
    await stage.interval();
    expect(stage.konnectWrites).toEqual([`PATCH us/v3/portals/${forum}/audit-log-webhook`]);
    expect(stage.status.portals).toMatchObject([
      { id: shop, state: 'refused', reason: 'Contested' },
      { id: forum, state: 'on' },
    ]);
  });
});

function never(): never {
  throw new TypeError('unreachable');
}

const [portalWar = never()] = wars;
const destinationWar = wars.find(({ object }) => object === 'destination') ?? never();

describe('it ends', () => {
  test('when it is found right', async () => {
    const stage = await inPlace(portalWar.choice);
    await fight(stage, portalWar);
    const { id } = mine(stage);
    pointWebhook(stage.konnect.model, stage.organization, stage.portal(shop), { kind: 'destination', id });
    await stage.interval();
    expect(stage.verdict).toBe('True InSync');
    expect(stage.status.corrections).toBeUndefined();
    await fight(stage, portalWar);
  });

  const ways: readonly (readonly [title: string, end: (stage: Stage) => void])[] = [
    ['a new spec', (stage) => stage.cluster.edit((spec) => ({ ...spec, interval: '9m' }))],
    ['a new Secret', (stage) => stage.cluster.putSecret('siem', otherSiem)],
    ['a Secret written anew with the same values', (stage) => stage.cluster.putSecret('siem', siem)],
    ['the annotation', (stage) => stage.cluster.annotate(reconcileAnnotation, '2026-01-02T04:00:00Z')],
  ];

  test.each(ways.flatMap(([title, end]) => [portalWar, destinationWar].map((war) => ({ title, end, war }))))(
    'by $title ($war.title)',
    async ({ end, war }) => {
      const stage = await inPlace(war.choice);
      await fight(stage, war);
      stage.forget();
      end(stage);
      await stage.interval();
      expect(stage.verdict).toBe('True InSync');
      expect(stage.konnectWrites).not.toEqual([]);
      expect(stage.pointsAt(stage.portal(shop))).toBe('platform/sumologic on');
      const left = stage.status.corrections?.flatMap(({ at }) => at) ?? [];
      expect(left.length).toBeLessThanOrEqual(1);
    },
  );
});

test('corrections of more than 24 hours ago do not count', async () => {
  const stage = await inPlace();
  for (let count = 0; count < 8; count += 1) {
    portalWar.strike(stage);
    stage.forget();
    stage.clock.ms += 9 * hourMs;
    await stage.interval();
    expect(stage.reasons).toContain('WebhookCorrected');
    expect(stage.verdict).toBe('True InSync');
  }
});

test('left alone, it is tried again once the first of the three is older than 24 hours', async () => {
  const stage = await inPlace();
  await fight(stage, portalWar);
  stage.clock.ms += 24 * hourMs;
  await stage.interval();
  expect(stage.verdict).toBe('True InSync');
});

test('our own changes do not count', async () => {
  const stage = await inPlace();
  for (let count = 0; count < 6; count += 1) {
    const name = `name-${String(count)}`;
    stage.cluster.edit((spec) => ({ ...spec, destination: { ...own(spec), name } }));
    stage.cluster.putSecret('siem', count % 2 === 0 ? otherSiem : siem);
    await stage.work();
    stage.cluster.edit(() => specOf({ portals: [{ id: shop, enabled: count % 2 === 0 }] }));
    await stage.work();
    expect(stage.verdict).toBe('True InSync');
  }
  expect(stage.status.corrections).toBeUndefined();
});
