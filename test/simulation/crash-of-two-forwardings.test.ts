import { expect, test } from '@jest/globals';
import { currentDestinations } from '../../sandbox/konnect/model/destinations.ts';
import { webhookIn } from '../../sandbox/konnect/model.ts';
import { key, type SpecChoice, specOf } from '../support/forwarding-spec.ts';
import { garden, green, otherSiem, shop, tokens } from '../support/konnect-fixtures.ts';
import { Crash, Harness } from '../unit/forwarding/support/harness.ts';

const younger = 'platform/later';
const portals = [{ id: shop, enabled: true }];
const organization = { enabled: true };

interface Story {
  readonly prepare: () => Promise<Harness>;
  readonly change: (harness: Harness) => void;
  readonly checker: (harness: Harness, seen: readonly string[]) => Promise<void>;
  readonly watch: (harness: Harness) => string;
}

/** Makes the change once for every later call, and crashes after that call. A new process completes the work. Resolves with the number of calls. */
async function cutOffAnywhere({ prepare, change, checker, watch }: Story): Promise<number> {
  let calls = Number.POSITIVE_INFINITY;
  for (let atCall = 0; atCall <= calls; atCall += 1) {
    await using harness = await prepare();
    harness.restart();
    await harness.work();
    harness.restart();
    const seen: string[] = [watch(harness)];
    harness.onKonnectCall = () => seen.push(watch(harness));
    change(harness);
    if (atCall > 0) harness.crashAfter(atCall);
    try {
      await harness.work();
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
    }
    if (atCall === 0) calls = harness.outsideCalls;
    await harness.drain();
    harness.restart();
    await harness.work();
    await checker(harness, seen);
  }
  return calls;
}

async function two(ofOlder: SpecChoice, ofYounger: SpecChoice): Promise<Harness> {
  const harness = await Harness.open(ofOlder);
  harness.cluster.putSecret('other', otherSiem);
  harness.cluster.portals.set('shop', { kind: 'portal', id: shop });
  await harness.work();
  harness.add({ ...ofYounger, siem: 'other' }, younger);
  await harness.work();
  return harness;
}

const byRef: SpecChoice = { portalRefs: [{ name: 'shop', enabled: true }] };

const ofPortal = (harness: Harness) => harness.pointsAt(harness.portal(shop));
const ofOrganization = (harness: Harness) => harness.pointsAt(harness.webhook());
const inline: SpecChoice = { organization, api: 'v2' };

test.each<[string, SpecChoice, SpecChoice, (harness: Harness) => string, string]>([
  ['a portal', { portals }, { portals }, ofPortal, `${younger} on`],
  ['a portal, from an ID to a reference,', { portals }, byRef, ofPortal, `${younger} on`],
  ["the organization's webhook", { organization }, { organization }, ofOrganization, `${younger} on`],
  ["the organization's inline webhook", inline, inline, ofOrganization, `${otherSiem.endpoint} on`],
])(
  'a crash while %s is handed over leaves no moment without forwarding, and nothing behind',
  async (_what, ofOlder, ofYounger, watch, after) => {
    const calls = await cutOffAnywhere({
      prepare: () => two(ofOlder, ofYounger),
      change: (harness) => harness.delete(),
      watch,
      async checker(harness, seen) {
        expect(seen.filter((one) => one.endsWith(' off'))).toEqual([]);
        expect(watch(harness)).toBe(after);
        expect(harness.cluster.object).toBeUndefined();
        expect(harness.readinessOf(younger)).toBe('True InSync');
        expect(harness.destinations.map(({ name }) => name)).toEqual('api' in ofOlder ? [] : [younger]);
        harness.delete(younger);
        await harness.work();
        expect([watch(harness), harness.destinations]).toEqual(['nothing off', []]);
      },
    });
    expect(calls).toBeGreaterThan(10);
  },
);

test('after a crash during a change of organization, nothing in the old organization is forgotten', async () => {
  const standsInBlue = (harness: Harness) =>
    [
      ...(harness.pointsAt(harness.portal(shop)) === 'nothing off' ? [] : ['portal']),
      ...(harness.pointsAt(harness.webhook()) === 'nothing off' ? [] : ['organization']),
      ...harness.destinations.map(() => 'destination'),
    ].toSorted();
  const standsInGreen = (harness: Harness) => {
    const other = harness.organizationOf(green);
    const webhooks = [other.portals.get(garden)?.webhook, webhookIn(other, 'us')];
    return [...webhooks.map((one) => one?.enabled ?? false), currentDestinations(other).length];
  };
  const moveTo = (harness: Harness, token: string, spec: SpecChoice) => {
    harness.cluster.putSecret('konnect', { token });
    harness.cluster.edit(() => specOf(spec));
  };
  const there: SpecChoice = { organization, portals: [{ id: garden, enabled: true }] };
  const calls = await cutOffAnywhere({
    async prepare() {
      const harness = await Harness.open({ organization, portals });
      await harness.work();
      return harness;
    },
    change: (harness) => moveTo(harness, tokens.green, there),
    watch: () => '',
    async checker(harness) {
      const left = standsInBlue(harness);
      expect(standsInGreen(harness)).toEqual([true, true, 1]);
      expect((harness.status.cleanup ?? []).map(({ kind }) => kind as string)).toEqual(expect.arrayContaining(left));
      expect(harness.readiness).toBe(harness.status.cleanup === undefined ? 'True InSync' : 'False LeftBehind Stalled');
      // The process remembers a token of the old organization, which is enough to remove everything there.
      moveTo(harness, tokens.blue, { organization, portals });
      await harness.work();
      moveTo(harness, tokens.green, there);
      await harness.work();
      expect([standsInBlue(harness), standsInGreen(harness)]).toEqual([[], [true, true, 1]]);
      expect([harness.readiness, harness.status.cleanup]).toEqual(['True InSync', undefined]);
      expect(harness.status.destination?.name).toBe(key);
    },
  });
  expect(calls).toBeGreaterThan(10);
});
