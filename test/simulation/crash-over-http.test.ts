import { describe, expect, test } from '@jest/globals';
import type { LocalKonnectOptions } from '../../sandbox/konnect/local-konnect.ts';
import { clearWebhook, pointWebhook } from '../../sandbox/konnect/model/webhooks.ts';
import { startKonnect } from '../../sandbox/konnect/server.ts';
import { KonnectHTTP } from '../../src/konnect/http.ts';
import { type SpecChoice, specOf, usual } from '../support/forwarding-spec.ts';
import { blue, forum, laden, otherSiem, shop, siem } from '../support/konnect-fixtures.ts';
import { type Connection, Crash, Harness } from '../unit/forwarding/support/harness.ts';

const name = 'platform/sumologic';
const inline: SpecChoice = { api: 'v2', organization: { enabled: true } };

interface Story {
  readonly title: string;
  readonly before: SpecChoice;
  /** Creates what exists in Konnect before the forwarding. */
  readonly prepare?: (harness: Harness) => void;
  /** Left out if the forwarding is new. */
  readonly change?: (harness: Harness) => void;
  readonly after: Readonly<Record<string, string>>;
  /** Default: our own destination, if any webhook points at it. */
  readonly destinations?: readonly string[];
}

const nothing = {
  shop: 'nothing off',
  forum: 'nothing off',
  laden: 'nothing off',
  us: 'nothing off',
  eu: 'nothing off',
};
const all = { ...nothing, shop: `${name} on`, forum: `${name} on`, us: `${name} on` };

const adoptable = 'adoptable';

function makeAdoptable(harness: Harness): void {
  harness.createForeign(name, siem.endpoint);
  const { id } = harness.createForeign(adoptable, siem.endpoint);
  for (const webhook of [harness.portal(shop), harness.webhook()]) {
    pointWebhook(harness.konnect.model, harness.organization, webhook, { kind: 'destination', id });
    webhook.enabled = true;
  }
}

const byRef: SpecChoice = {
  ...usual,
  portals: [{ id: forum, enabled: true }],
  portalRefs: [{ name: 'shop', enabled: true }],
};

function standsFor(id: string): (harness: Harness) => void {
  return ({ cluster }) => cluster.portals.set('shop', { kind: 'portal', id, organizationID: blue });
}

const scenarios: readonly Story[] = [
  { title: 'creating', before: usual, after: all },
  { title: 'creating inline', before: inline, after: { ...nothing, us: `${siem.endpoint} on` } },
  {
    title: 'a new Secret',
    before: usual,
    change: (harness) => harness.cluster.putSecret('siem', otherSiem),
    after: all,
  },
  {
    title: 'a new Secret, inline and for portals',
    before: { ...usual, api: 'v2' },
    change: (harness) => harness.cluster.putSecret('siem', { ...siem, authorization: 'Bearer CANARYnew' }),
    after: { ...all, us: `${siem.endpoint} on` },
  },
  {
    title: 'another endpoint, inline',
    before: inline,
    change: (harness) => harness.cluster.putSecret('siem', otherSiem),
    after: { ...nothing, us: `${otherSiem.endpoint} on` },
  },
  {
    title: 'another region',
    before: usual,
    change: (harness) =>
      harness.cluster.edit(() => specOf({ ...usual, region: 'eu', portals: [{ id: laden, enabled: true }] })),
    after: { ...nothing, laden: `${name} on`, eu: `${name} on` },
  },
  {
    title: 'another region, inline',
    before: inline,
    change: (harness) => harness.cluster.edit(() => specOf({ ...inline, region: 'eu' })),
    after: { ...nothing, eu: `${siem.endpoint} on` },
  },
  {
    title: 'v3 to v2',
    before: usual,
    change: (harness) => harness.cluster.edit(() => specOf({ ...usual, api: 'v2' })),
    after: { ...all, us: `${siem.endpoint} on` },
  },
  {
    title: 'v2 to v3',
    before: inline,
    change: (harness) => harness.cluster.edit(() => specOf({ ...inline, api: 'v3' })),
    after: { ...nothing, us: `${name} on` },
  },
  {
    title: 'fewer portals',
    before: usual,
    change: (harness) => harness.cluster.edit(() => specOf({ portals: [{ id: forum, enabled: true }] })),
    after: { ...nothing, forum: `${name} on` },
  },
  {
    title: 'the destination and all webhooks lost, one pointed elsewhere',
    before: usual,
    change(harness) {
      const { id } = harness.createForeign('theirs');
      pointWebhook(harness.konnect.model, harness.organization, harness.portal(shop), { kind: 'destination', id });
      clearWebhook(harness.konnect.model, harness.organization, harness.portal(forum));
      clearWebhook(harness.konnect.model, harness.organization, harness.webhook());
      const mine = harness.organization.destinations.findIndex(({ destination }) => destination.name === name);
      harness.organization.destinations.splice(mine, 1);
      harness.clock.ms += 600_000;
    },
    after: all,
  },
  { title: 'creating, with a reference to a Portal', before: byRef, prepare: standsFor(shop), after: all },
  {
    title: 'another portal behind a reference',
    before: { portalRefs: [{ name: 'shop', enabled: true }] },
    prepare: standsFor(shop),
    change: standsFor(forum),
    after: { ...nothing, forum: `${name} on` },
  },
  {
    title: 'a reference taken out',
    before: byRef,
    prepare: standsFor(shop),
    change: (harness) => harness.cluster.edit(({ portalRefs: _gone, ...spec }) => spec),
    after: { ...all, shop: 'nothing off' },
  },
  { title: 'adopting', before: usual, prepare: makeAdoptable, after: all, destinations: [adoptable, name] },
  {
    title: 'our own to a destination of somebody else',
    before: usual,
    prepare: (harness) => harness.createForeign('theirs'),
    change: (harness) => harness.cluster.edit(() => specOf({ ...usual, destinationRef: { name: 'theirs' } })),
    after: { ...nothing, shop: 'theirs on', forum: 'theirs on', us: 'theirs on' },
    destinations: ['theirs'],
  },
  {
    title: 'a destination of somebody else to our own',
    before: { ...usual, destinationRef: { name: 'theirs' } },
    prepare: (harness) => harness.createForeign('theirs'),
    change: (harness) => harness.cluster.edit(() => specOf(usual)),
    after: all,
    destinations: ['theirs', name],
  },
];

function pointed(harness: Harness): Record<string, string> {
  const portals = Object.entries({ shop, forum, laden }).map(([title, id]) => [
    title,
    harness.pointsAt(harness.portal(id)),
  ]);
  const webhooks = ['us', 'eu'].map((region) => [region, harness.pointsAt(harness.webhook(region))]);
  return Object.fromEntries([...portals, ...webhooks]);
}

/** Returns what existed before the forwarding. */
const foreign = new Set(['theirs', adoptable]);

function own(harness: Harness): number {
  return harness.destinations.filter((one) => !foreign.has(one.name)).length;
}

/** Returns destinations of our name from before the forwarding that it has not adopted. */
function untaken(harness: Harness, { title }: Story): number {
  const taken = harness.cluster.statuses.some(({ destination }) => destination?.id !== undefined);
  return title === 'adopting' && !taken ? 1 : 0;
}

/** Returns webhooks that do not point at a destination of another client. With a reference to one, returns all attached webhooks. */
function left(harness: Harness, { before }: Story): string[] {
  const isTheirs = (one: string) => before.destinationRef === undefined && foreign.has(one.replace(/ o(n|ff)$/, ''));
  return Object.values(pointed(harness)).filter((one) => one !== 'nothing off' && !isTheirs(one));
}

async function connectOverHTTP(options: LocalKonnectOptions): Promise<Connection> {
  const konnect = await startKonnect(options);
  const transport = new KonnectHTTP({ userAgent: 'test', timeoutMs: 5_000 });
  const close = async () => {
    transport.close();
    await konnect.stop();
  };
  return { konnect, transport, urlTemplate: konnect.urlTemplate, close };
}

/** Runs the scenario up to its change, and then a process that crashes after this call, before its answer. */
async function play(scenario: Story, diesAfterCall?: number): Promise<Harness> {
  const harness = await Harness.open(scenario.before, { connect: connectOverHTTP });
  scenario.prepare?.(harness);
  if (scenario.change !== undefined) {
    await harness.settle();
    await harness.reconcile();
    harness.restart();
    scenario.change(harness);
  }
  return finish(harness, diesAfterCall);
}

async function finish(harness: Harness, diesAfterCall?: number): Promise<Harness> {
  if (diesAfterCall !== undefined) harness.crashAfter(diesAfterCall);
  try {
    await harness.settle();
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
  }
  await harness.drain();
  return harness;
}

/** Runs the scenario once for every call, with a crash at that call. */
async function forEveryCrash(
  scenario: Story,
  checker: (harness: Harness, where: string) => Promise<void>,
): Promise<void> {
  const whole = await play(scenario);
  const calls = whole.outsideCalls;
  await whole[Symbol.asyncDispose]();
  expect(calls).toBeGreaterThan(5);
  for (let atCall = 1; atCall <= calls; atCall += 1) {
    await using harness = await play(scenario, atCall);
    harness.restart();
    await checker(harness, `died after call ${String(atCall)} of ${String(calls)}`);
  }
}

describe('after a crash at any call, a new process', () => {
  test.each(scenarios)('finishes: $title', async (scenario) => {
    await forEveryCrash(scenario, async (harness, where) => {
      await harness.settle();
      const found = { where, pointed: pointed(harness), cleanup: harness.status.cleanup, verdict: harness.readiness };
      expect(found).toEqual({ where, pointed: scenario.after, cleanup: undefined, verdict: 'True InSync' });
      const ours = Object.values(scenario.after).some((one) => one.startsWith(name)) ? [name] : [];
      const expected = scenario.destinations ?? [
        ...harness.destinations.map((one) => one.name).filter((one) => one === 'theirs'),
        ...ours,
      ];
      expect(harness.destinations.map((one) => one.name).toSorted()).toEqual(expected.toSorted());
    });
  });

  test.each(scenarios)('undoes everything where the forwarding is deleted just then: $title', async (scenario) => {
    await forEveryCrash(scenario, async (harness, where) => {
      harness.delete();
      if (harness.cluster.object !== undefined) await harness.settle();
      expect({ where, left: left(harness, scenario), own: own(harness) }).toEqual({
        where,
        left: [],
        own: untaken(harness, scenario),
      });
    });
  });
});

test('after a crash at any call, a webhook attached through a Portal is not forgotten, even if the Portal can no longer be read', async () => {
  const scenario: Story = { title: '', before: byRef, prepare: standsFor(shop), after: all };
  await forEveryCrash(scenario, async (harness, where) => {
    const before = harness.pointsAt(harness.portal(shop));
    harness.cluster.portals.set('shop', { kind: 'forbidden' });
    await harness.settle();
    expect([where, harness.readiness]).toEqual([where, 'False PortalRefForbidden Stalled']);
    const now = harness.pointsAt(harness.portal(shop));
    expect([where, before === 'nothing off' ? before : now]).toEqual([where, before]);
    harness.cluster.edit(({ portalRefs: _gone, ...spec }) => spec);
    await harness.settle();
    expect({ where, pointed: pointed(harness), verdict: harness.readiness }).toEqual({
      where,
      pointed: { ...all, shop: 'nothing off' },
      verdict: 'True InSync',
    });
  });
});

test.each(scenarios)('a deletion cut off at any call is finished by a new process: $title', async (scenario) => {
  const prepared = async () => {
    const harness = await play(scenario);
    harness.restart();
    harness.delete();
    return harness;
  };
  const whole = await finish(await prepared());
  const calls = whole.outsideCalls;
  await whole[Symbol.asyncDispose]();
  for (let atCall = 1; atCall <= calls; atCall += 1) {
    await using harness = await finish(await prepared(), atCall);
    harness.restart();
    if (harness.cluster.object !== undefined) await harness.settle();
    expect({ atCall, left: left(harness, scenario), own: own(harness) }).toEqual({ atCall, left: [], own: 0 });
  }
});
