import { describe, expect, test } from '@jest/globals';
import { clearWebhook, pointWebhook } from '../../sandbox/konnect/model/webhooks.ts';
import {
  blue,
  Crash,
  forum,
  laden,
  otherSiem,
  type SpecChoice,
  Stage,
  shop,
  siem,
  specOf,
  usual,
} from '../unit/forwarding/support/harness.ts';

const name = 'platform/sumologic';
const inline: SpecChoice = { api: 'v2', organization: { enabled: true } };

interface Story {
  readonly title: string;
  readonly before: SpecChoice;
  /** What stands in Konnect before the forwarding is made. */
  readonly prepare?: (stage: Stage) => void;
  /** Left out: the forwarding is new. */
  readonly change?: (stage: Stage) => void;
  readonly after: Readonly<Record<string, string>>;
  /** Left out: our own, where anything points at it. */
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

function makeAdoptable(stage: Stage): void {
  stage.createForeign(name, siem.endpoint);
  const { id } = stage.createForeign(adoptable, siem.endpoint);
  for (const webhook of [stage.portal(shop), stage.webhook()]) {
    pointWebhook(stage.konnect.model, stage.organization, webhook, { kind: 'destination', id });
    webhook.enabled = true;
  }
}

const byRef: SpecChoice = {
  ...usual,
  portals: [{ id: forum, enabled: true }],
  portalRefs: [{ name: 'shop', enabled: true }],
};

function standsFor(id: string): (stage: Stage) => void {
  return ({ cluster }) => cluster.portals.set('shop', { kind: 'portal', id, organizationID: blue });
}

const stories: readonly Story[] = [
  { title: 'creating', before: usual, after: all },
  { title: 'creating inline', before: inline, after: { ...nothing, us: `${siem.endpoint} on` } },
  {
    title: 'a new Secret',
    before: usual,
    change: (stage) => stage.cluster.putSecret('siem', otherSiem),
    after: all,
  },
  {
    title: 'a new Secret, inline and for portals',
    before: { ...usual, api: 'v2' },
    change: (stage) => stage.cluster.putSecret('siem', { ...siem, authorization: 'Bearer CANARYnew' }),
    after: { ...all, us: `${siem.endpoint} on` },
  },
  {
    title: 'another endpoint, inline',
    before: inline,
    change: (stage) => stage.cluster.putSecret('siem', otherSiem),
    after: { ...nothing, us: `${otherSiem.endpoint} on` },
  },
  {
    title: 'another region',
    before: usual,
    change: (stage) =>
      stage.cluster.edit(() => specOf({ ...usual, region: 'eu', portals: [{ id: laden, enabled: true }] })),
    after: { ...nothing, laden: `${name} on`, eu: `${name} on` },
  },
  {
    title: 'another region, inline',
    before: inline,
    change: (stage) => stage.cluster.edit(() => specOf({ ...inline, region: 'eu' })),
    after: { ...nothing, eu: `${siem.endpoint} on` },
  },
  {
    title: 'v3 to v2',
    before: usual,
    change: (stage) => stage.cluster.edit(() => specOf({ ...usual, api: 'v2' })),
    after: { ...all, us: `${siem.endpoint} on` },
  },
  {
    title: 'v2 to v3',
    before: inline,
    change: (stage) => stage.cluster.edit(() => specOf({ ...inline, api: 'v3' })),
    after: { ...nothing, us: `${name} on` },
  },
  {
    title: 'fewer portals',
    before: usual,
    change: (stage) => stage.cluster.edit(() => specOf({ portals: [{ id: forum, enabled: true }] })),
    after: { ...nothing, forum: `${name} on` },
  },
  {
    title: 'the destination and all webhooks lost, one pointed elsewhere',
    before: usual,
    change(stage) {
      const { id } = stage.createForeign('theirs');
      pointWebhook(stage.konnect.model, stage.organization, stage.portal(shop), { kind: 'destination', id });
      clearWebhook(stage.konnect.model, stage.organization, stage.portal(forum));
      clearWebhook(stage.konnect.model, stage.organization, stage.webhook());
      const mine = stage.organization.destinations.findIndex(({ destination }) => destination.name === name);
      stage.organization.destinations.splice(mine, 1);
      stage.clock.ms += 600_000;
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
    change: (stage) => stage.cluster.edit(({ portalRefs: _gone, ...spec }) => spec),
    after: { ...all, shop: 'nothing off' },
  },
  { title: 'adopting', before: usual, prepare: makeAdoptable, after: all, destinations: [adoptable, name] },
  {
    title: 'our own to a destination of somebody else',
    before: usual,
    prepare: (stage) => stage.createForeign('theirs'),
    change: (stage) => stage.cluster.edit(() => specOf({ ...usual, destinationRef: { name: 'theirs' } })),
    after: { ...nothing, shop: 'theirs on', forum: 'theirs on', us: 'theirs on' },
    destinations: ['theirs'],
  },
  {
    title: 'a destination of somebody else to our own',
    before: { ...usual, destinationRef: { name: 'theirs' } },
    prepare: (stage) => stage.createForeign('theirs'),
    change: (stage) => stage.cluster.edit(() => specOf(usual)),
    after: all,
    destinations: ['theirs', name],
  },
];

function pointed(stage: Stage): Record<string, string> {
  const portals = Object.entries({ shop, forum, laden }).map(([title, id]) => [
    title,
    stage.pointsAt(stage.portal(id)),
  ]);
  const webhooks = ['us', 'eu'].map((region) => [region, stage.pointsAt(stage.webhook(region))]);
  return Object.fromEntries([...portals, ...webhooks]);
}

/** What was there before the forwarding. */
const foreign = new Set(['theirs', adoptable]);

function own(stage: Stage): number {
  return stage.destinations.filter((one) => !foreign.has(one.name)).length;
}

/** Destinations of our name that were there before the forwarding, as long as it has not taken them. */
function untaken(stage: Stage, { title }: Story): number {
  const taken = stage.cluster.statuses.some(({ destination }) => destination?.id !== undefined);
  return title === 'adopting' && !taken ? 1 : 0;
}

/** Webhooks that point at anything but what is somebody else's; with a reference to it, at anything. */
function left(stage: Stage, { before }: Story): string[] {
  const isTheirs = (one: string) => before.destinationRef === undefined && foreign.has(one.replace(/ o(n|ff)$/, ''));
  return Object.values(pointed(stage)).filter((one) => one !== 'nothing off' && !isTheirs(one));
}

/** The story up to its one change, then as far as a process comes that dies once this call is done, before it has its answer. */
async function play(story: Story, diesAfterCall?: number): Promise<Stage> {
  const stage = await Stage.open(story.before);
  story.prepare?.(stage);
  if (story.change !== undefined) {
    await stage.settle();
    await stage.pass();
    stage.restart();
    story.change(stage);
  }
  return finish(stage, diesAfterCall);
}

async function finish(stage: Stage, diesAfterCall?: number): Promise<Stage> {
  if (diesAfterCall !== undefined) stage.dieAfter(diesAfterCall);
  try {
    await stage.settle();
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
  }
  await stage.calm();
  return stage;
}

/** Every way in which the story can be cut off. */
async function forEveryCrash(story: Story, judge: (stage: Stage, where: string) => Promise<void>): Promise<void> {
  const whole = await play(story);
  const calls = whole.outsideCalls;
  await whole[Symbol.asyncDispose]();
  expect(calls).toBeGreaterThan(5);
  for (let atCall = 1; atCall <= calls; atCall += 1) {
    await using stage = await play(story, atCall);
    stage.restart();
    await judge(stage, `died after call ${String(atCall)} of ${String(calls)}`);
  }
}

describe('after a crash at any call, a new process', () => {
  test.each(stories)('finishes: $title', async (story) => {
    await forEveryCrash(story, async (stage, where) => {
      await stage.settle();
      const found = { where, pointed: pointed(stage), cleanup: stage.status.cleanup, verdict: stage.verdict };
      expect(found).toEqual({ where, pointed: story.after, cleanup: undefined, verdict: 'True InSync' });
      const ours = Object.values(story.after).some((one) => one.startsWith(name)) ? [name] : [];
      const expected = story.destinations ?? [
        ...stage.destinations.map((one) => one.name).filter((one) => one === 'theirs'),
        ...ours,
      ];
      expect(stage.destinations.map((one) => one.name).toSorted()).toEqual(expected.toSorted());
    });
  });

  test.each(stories)('undoes everything where the forwarding is deleted just then: $title', async (story) => {
    await forEveryCrash(story, async (stage, where) => {
      stage.delete();
      if (stage.cluster.object !== undefined) await stage.settle();
      expect({ where, left: left(stage, story), own: own(stage) }).toEqual({
        where,
        left: [],
        own: untaken(stage, story),
      });
    });
  });
});

test('after a crash at any call what a reference had attached is not forgotten, though its Portal can no longer be read', async () => {
  const story: Story = { title: '', before: byRef, prepare: standsFor(shop), after: all };
  await forEveryCrash(story, async (stage, where) => {
    const before = stage.pointsAt(stage.portal(shop));
    stage.cluster.portals.set('shop', { kind: 'forbidden' });
    await stage.settle();
    expect([where, stage.verdict]).toEqual([where, 'False PortalRefForbidden Stalled']);
    const now = stage.pointsAt(stage.portal(shop));
    expect([where, before === 'nothing off' ? before : now]).toEqual([where, before]);
    stage.cluster.edit(({ portalRefs: _gone, ...spec }) => spec);
    await stage.settle();
    expect({ where, pointed: pointed(stage), verdict: stage.verdict }).toEqual({
      where,
      pointed: { ...all, shop: 'nothing off' },
      verdict: 'True InSync',
    });
  });
});

test.each(stories)('a deletion cut off at any call is finished by a new process: $title', async (story) => {
  const prepared = async () => {
    const stage = await play(story);
    stage.restart();
    stage.delete();
    return stage;
  };
  const whole = await finish(await prepared());
  const calls = whole.outsideCalls;
  await whole[Symbol.asyncDispose]();
  for (let atCall = 1; atCall <= calls; atCall += 1) {
    await using stage = await finish(await prepared(), atCall);
    stage.restart();
    if (stage.cluster.object !== undefined) await stage.settle();
    expect({ atCall, left: left(stage, story), own: own(stage) }).toEqual({ atCall, left: [], own: 0 });
  }
});
