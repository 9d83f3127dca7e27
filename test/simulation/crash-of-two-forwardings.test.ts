import { expect, test } from '@jest/globals';
import { currentDestinations } from '../../sandbox/konnect/model/destinations.ts';
import { webhookIn } from '../../sandbox/konnect/model.ts';
import {
  Crash,
  garden,
  green,
  key,
  otherSiem,
  type SpecChoice,
  Stage,
  shop,
  specOf,
  tokens,
} from '../unit/forwarding/support/harness.ts';

const younger = 'platform/later';
const portals = [{ id: shop, enabled: true }];
const organization = { enabled: true };

interface Story {
  readonly prepare: () => Promise<Stage>;
  readonly change: (stage: Stage) => void;
  readonly judge: (stage: Stage, seen: readonly string[]) => Promise<void>;
  readonly watch: (stage: Stage) => string;
}

/** The change, cut off at every call of every pass that follows it, and finished by a new process. Answers how many calls there were. */
async function cutOffAnywhere({ prepare, change, judge, watch }: Story): Promise<number> {
  let calls = Number.POSITIVE_INFINITY;
  for (let atCall = 0; atCall <= calls; atCall += 1) {
    await using stage = await prepare();
    stage.restart();
    await stage.work();
    stage.restart();
    const seen: string[] = [watch(stage)];
    stage.onKonnectCall = () => seen.push(watch(stage));
    change(stage);
    if (atCall > 0) stage.dieAfter(atCall);
    try {
      await stage.work();
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
    }
    if (atCall === 0) calls = stage.outsideCalls;
    await stage.calm();
    stage.restart();
    await stage.work();
    await judge(stage, seen);
  }
  return calls;
}

async function two(ofOlder: SpecChoice, ofYounger: SpecChoice): Promise<Stage> {
  const stage = await Stage.open(ofOlder);
  stage.cluster.putSecret('other', otherSiem);
  stage.cluster.portals.set('shop', { kind: 'portal', id: shop });
  await stage.work();
  stage.add({ ...ofYounger, siem: 'other' }, younger);
  await stage.work();
  return stage;
}

const byRef: SpecChoice = { portalRefs: [{ name: 'shop', enabled: true }] };

const ofPortal = (stage: Stage) => stage.pointsAt(stage.portal(shop));
const ofOrganization = (stage: Stage) => stage.pointsAt(stage.webhook());
const inline: SpecChoice = { organization, api: 'v2' };

test.each<[string, SpecChoice, SpecChoice, (stage: Stage) => string, string]>([
  ['a portal', { portals }, { portals }, ofPortal, `${younger} on`],
  ['a portal, from an ID to a reference,', { portals }, byRef, ofPortal, `${younger} on`],
  ["the organization's webhook", { organization }, { organization }, ofOrganization, `${younger} on`],
  ["the organization's inline webhook", inline, inline, ofOrganization, `${otherSiem.endpoint} on`],
])(
  'a crash while %s is handed over leaves no moment without forwarding, and nothing behind',
  async (_what, ofOlder, ofYounger, watch, after) => {
    const calls = await cutOffAnywhere({
      prepare: () => two(ofOlder, ofYounger),
      change: (stage) => stage.delete(),
      watch,
      async judge(stage, seen) {
        expect(seen.filter((one) => one.endsWith(' off'))).toEqual([]);
        expect(watch(stage)).toBe(after);
        expect(stage.cluster.object).toBeUndefined();
        expect(stage.verdictOf(younger)).toBe('True InSync');
        expect(stage.destinations.map(({ name }) => name)).toEqual('api' in ofOlder ? [] : [younger]);
        stage.delete(younger);
        await stage.work();
        expect([watch(stage), stage.destinations]).toEqual(['nothing off', []]);
      },
    });
    expect(calls).toBeGreaterThan(10);
  },
);

test('a crash while an organization is left forgets nothing of what stands there', async () => {
  const standsInBlue = (stage: Stage) =>
    [
      ...(stage.pointsAt(stage.portal(shop)) === 'nothing off' ? [] : ['portal']),
      ...(stage.pointsAt(stage.webhook()) === 'nothing off' ? [] : ['organization']),
      ...stage.destinations.map(() => 'destination'),
    ].toSorted();
  const standsInGreen = (stage: Stage) => {
    const other = stage.organizationOf(green);
    const webhooks = [other.portals.get(garden)?.webhook, webhookIn(other, 'us')];
    return [...webhooks.map((one) => one?.enabled ?? false), currentDestinations(other).length];
  };
  const moveTo = (stage: Stage, token: string, spec: SpecChoice) => {
    stage.cluster.putSecret('konnect', { token });
    stage.cluster.edit(() => specOf(spec));
  };
  const there: SpecChoice = { organization, portals: [{ id: garden, enabled: true }] };
  const calls = await cutOffAnywhere({
    async prepare() {
      const stage = await Stage.open({ organization, portals });
      await stage.work();
      return stage;
    },
    change: (stage) => moveTo(stage, tokens.green, there),
    watch: () => '',
    async judge(stage) {
      const left = standsInBlue(stage);
      expect(standsInGreen(stage)).toEqual([true, true, 1]);
      expect((stage.status.cleanup ?? []).map(({ kind }) => kind as string)).toEqual(expect.arrayContaining(left));
      expect(stage.verdict).toBe(stage.status.cleanup === undefined ? 'True InSync' : 'False LeftBehind Stalled');
      // A token of the old one, seen once, is enough to undo all of it.
      moveTo(stage, tokens.blue, { organization, portals });
      await stage.work();
      moveTo(stage, tokens.green, there);
      await stage.work();
      expect([standsInBlue(stage), standsInGreen(stage)]).toEqual([[], [true, true, 1]]);
      expect([stage.verdict, stage.status.cleanup]).toEqual(['True InSync', undefined]);
      expect(stage.status.destination?.name).toBe(key);
    },
  });
  expect(calls).toBeGreaterThan(10);
});
