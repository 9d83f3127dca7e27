/** What people do with forwardings, each as one change of a world at rest, and what has to come of it. */
import type { Behavior } from '../../sandbox/konnect/behavior.ts';
import { clearWebhook, pointWebhook } from '../../sandbox/konnect/model/webhooks.ts';
import { key, type SpecChoice, usual } from '../support/forwarding-spec.ts';
import { forum, garden, laden, otherSiem, shop, siem, tokens } from '../support/konnect-fixtures.ts';
import { neighborSiem } from './fixtures.ts';
import type { World } from './simulated-world.ts';

/** What stands in the end. */
export interface End {
  /** What our webhooks, and those that change hands, point at; all that are left out are as they were before everything, or nothing. */
  readonly after: Readonly<Record<string, string>>;
  /** What is ours. */
  readonly destinations: readonly string[];
  /** Of forwardings, where it is not `True InSync`. */
  readonly verdicts?: Readonly<Record<string, string>>;
  /** What is still to be undone, and cannot be: of these webhooks and destinations, as many as were there when nobody could any more. */
  readonly leaves?: readonly string[];
}

export interface Story extends End {
  readonly title: string;
  readonly behavior?: Partial<Behavior>;
  /** What was there before our forwarding. */
  readonly foreign?: (world: World) => void;
  /** Our forwarding at the start; left out: the change makes it. */
  readonly before?: SpecChoice;
  /** What is done, and settled, before the change, once the forwarding is in place. */
  readonly prepare?: (world: World) => Promise<void>;
  readonly change: (world: World) => void;
  /** How it may end as well where a process died, and its memory with it. */
  readonly otherwise?: End;
  /** Resyncs before nothing is written any more: Konnect's time of a change that its answer did not tell is remembered by the next pass. */
  readonly settling?: number;
  /** Webhooks that change their kind and so are off for a moment: judged from when they first stand as wanted. */
  readonly interrupted?: readonly string[];
  /** Of each group one has to be on at every moment. */
  readonly oneOf?: readonly (readonly string[])[];
  /** Destinations of somebody else's by name, and webhooks, that may be taken or changed. */
  readonly taken?: readonly string[];
  /** Nothing may be written to Konnect. */
  readonly silent?: boolean;
  /** Left in Konnect on purpose, with nothing that remembers it. */
  readonly letsGo?: boolean;
  /** May be deleted at any moment: then everything of ours has to go. */
  readonly deletable?: boolean;
  /** All pairs of faults are tried. */
  readonly short?: boolean;
}

export const younger = 'platform/later';
const both = ['blue/shop', 'blue/forum'];
const shopOnly: SpecChoice = { portals: [{ id: shop, enabled: true }] };
const inline: SpecChoice = { api: 'v2', organization: { enabled: true } };
const organizationOnly: SpecChoice = { organization: { enabled: true } };
const byPortal: SpecChoice = { portals: [{ id: forum, enabled: true }], portalRefs: [{ name: 'shop', enabled: true }] };
const all = { 'blue/shop': `${key} on`, 'blue/forum': `${key} on`, 'blue/us': `${key} on` };
const ours = [`blue/${key}`];
const inlineOn = 'CANARYcode on';

/** Two forwardings want the same; the older one, ours, has it. */
function contested(choice: SpecChoice): Pick<Story, 'before' | 'prepare'> {
  return {
    before: choice,
    async prepare(world) {
      world.putSecret('other', otherSiem);
      world.add({ ...choice, siem: 'other' }, younger, 1_000);
      await world.work();
    },
  };
}

function adoptable(world: World): void {
  world.createForeign(key, { endpoint: siem.endpoint });
  const id = world.createForeign('adoptable', { endpoint: siem.endpoint });
  world.point(world.portal(shop), id);
  world.point(world.webhook(), id);
}

const harsh: Partial<Behavior> = {
  unconfiguredWebhook: 'not-found',
  duplicateNames: 'allowed',
  patchAnswersUpdatedAt: false,
  unknownDestination: 400,
  portalDeleteConflict: true,
  firstUpdatedAt: 'zero',
};

export const stories: readonly Story[] = [
  { title: 'create', change: (world) => world.add(usual), after: all, destinations: ours, deletable: true },
  {
    title: 'create-harsh',
    deletable: true,
    behavior: harsh,
    change: (world) => world.add(usual),
    after: all,
    destinations: ours,
  },
  {
    title: 'create-one-portal',
    deletable: true,
    behavior: { duplicateNames: 'allowed' },
    change: (world) => world.add(shopOnly),
    after: { 'blue/shop': `${key} on` },
    destinations: ours,
    short: true,
  },
  {
    title: 'create-v2',
    deletable: true,
    change: (world) => world.add(inline),
    after: { 'blue/us': inlineOn },
    destinations: [],
    short: true,
  },
  {
    title: 'create-v2-and-portals',
    deletable: true,
    change: (world) => world.add({ ...usual, api: 'v2' }),
    after: { ...all, 'blue/us': inlineOn },
    destinations: ours,
  },
  {
    title: 'update',
    deletable: true,
    before: usual,
    change: (world) =>
      world.edit({
        ...usual,
        portals: [
          { id: shop, enabled: true },
          { id: forum, enabled: false },
        ],
      }),
    after: { ...all, 'blue/forum': `${key} off` },
    destinations: ours,
    short: true,
  },
  {
    title: 'more-and-fewer-portals',
    deletable: true,
    before: shopOnly,
    change: (world) => world.edit({ portals: [{ id: forum, enabled: true }], organization: { enabled: true } }),
    after: { 'blue/forum': `${key} on`, 'blue/us': `${key} on` },
    destinations: ours,
  },
  {
    title: 'rotate',
    deletable: true,
    before: usual,
    change: (world) => world.putSecret('siem', otherSiem),
    after: all,
    destinations: ours,
    short: true,
  },
  {
    title: 'rotate-authorization',
    behavior: harsh,
    before: usual,
    change: (world) => world.putSecret('siem', { ...siem, authorization: 'Bearer CANARYnew' }),
    after: all,
    destinations: ours,
    settling: 1,
  },
  {
    title: 'rotate-v2',
    deletable: true,
    before: inline,
    change: (world) => world.putSecret('siem', otherSiem),
    after: { 'blue/us': 'CANARYsecond on' },
    destinations: [],
    short: true,
  },
  {
    title: 'rotate-v2-and-portals',
    deletable: true,
    before: { ...usual, api: 'v2' },
    change: (world) => world.putSecret('siem', otherSiem),
    after: { ...all, 'blue/us': 'CANARYsecond on' },
    destinations: ours,
  },
  {
    title: 'drift',
    before: usual,
    foreign: (world) => void world.createForeign('theirs'),
    change(world) {
      const organization = world.organization();
      const theirs = organization.destinations.find(({ destination }) => destination.name === 'theirs');
      clearWebhook(world.konnect, organization, world.portal(forum));
      clearWebhook(world.konnect, organization, world.webhook());
      const mine = organization.destinations.find(
        ({ destination, to }) => to === undefined && destination.name === key,
      );
      if (mine !== undefined) mine.to = new Date(world.clock.ms);
      world.point(world.portal(shop), theirs?.destination.id ?? '');
    },
    after: all,
    destinations: ours,
  },
  {
    title: 'drift-destination-gone',
    deletable: true,
    behavior: { usedDestination: 'deleted' },
    before: shopOnly,
    change(world) {
      const mine = world
        .organization()
        .destinations.find(({ destination, to }) => to === undefined && destination.name === key);
      if (mine !== undefined) mine.to = new Date(world.clock.ms);
      // A webhook that somebody detached is put right with what a list may still show.
      clearWebhook(world.konnect, world.organization(), world.portal(shop));
      world.edit({ ...shopOnly, interval: '11m' });
    },
    after: { 'blue/shop': `${key} on` },
    destinations: ours,
  },
  {
    title: 'drift-v2',
    before: inline,
    change(world) {
      const webhook = world.webhook();
      webhook.enabled = false;
      webhook.updatedAt = new Date(world.clock.ms);
    },
    after: { 'blue/us': inlineOn },
    destinations: [],
  },
  {
    title: 'adopt',
    deletable: true,
    foreign: adoptable,
    change: (world) => world.add(usual),
    after: all,
    destinations: ours,
    taken: [key, ...both, 'blue/us'],
  },
  {
    title: 'refuse',
    foreign: (world) => {
      const id = world.createForeign('theirs');
      world.point(world.portal(shop), id);
    },
    change: (world) => world.add(shopOnly),
    after: { 'blue/shop': 'theirs on' },
    destinations: [],
    verdicts: { [key]: 'False WebhookInUse Stalled' },
    silent: true,
  },
  {
    title: 'refuse-inline',
    foreign(world) {
      const inlineTarget = { ...neighborSiem, logFormat: 'cef', skipSSLVerification: false } as const;
      pointWebhook(world.konnect, world.organization(), world.webhook(), { kind: 'inline', inline: inlineTarget });
      world.webhook().enabled = true;
    },
    change: (world) => world.add(organizationOnly),
    after: { 'blue/us': 'CANARYneighbor on' },
    destinations: [],
    verdicts: { [key]: 'False WebhookInUse Stalled' },
    silent: true,
  },
  {
    title: 'share',
    before: usual,
    change(world) {
      world.putSecret('other', otherSiem);
      world.add({ ...shopOnly, siem: 'other' }, younger, 1_000);
    },
    after: all,
    destinations: ours,
    verdicts: { [younger]: 'False Claimed Stalled' },
    silent: true,
  },
  {
    title: 'rename',
    deletable: true,
    before: usual,
    change: (world) => world.edit({ ...usual, name: 'renamed' }),
    after: { 'blue/shop': 'renamed on', 'blue/forum': 'renamed on', 'blue/us': 'renamed on' },
    destinations: ['blue/renamed'],
    short: true,
  },
  {
    title: 'move-portal',
    before: usual,
    async prepare(world) {
      world.putSecret('other', otherSiem);
      world.add({ ...shopOnly, portals: [{ id: shop, enabled: true }], siem: 'other' }, younger, 1_000);
      await world.work();
    },
    change: (world) => world.edit({ ...usual, portals: [{ id: forum, enabled: true }] }),
    after: { 'blue/shop': `${younger} on`, 'blue/forum': `${key} on`, 'blue/us': `${key} on` },
    destinations: [...ours, `blue/${younger}`],
  },
  {
    title: 'change-region',
    deletable: true,
    before: usual,
    change: (world) => world.edit({ ...usual, region: 'eu', portals: [{ id: laden, enabled: true }] }),
    after: { 'blue/laden': `${key} on`, 'blue/eu': `${key} on` },
    destinations: ours,
    oneOf: [['blue/us', 'blue/eu']],
  },
  {
    title: 'change-region-v2',
    deletable: true,
    before: inline,
    change: (world) => world.edit({ ...inline, region: 'eu' }),
    after: { 'blue/eu': inlineOn },
    destinations: [],
    oneOf: [['blue/us', 'blue/eu']],
  },
  {
    title: 'change-token',
    deletable: true,
    before: usual,
    change: (world) => world.putSecret('konnect', { token: tokens.blueAgain }),
    after: all,
    destinations: ours,
  },
  {
    title: 'change-organization',
    before: usual,
    change(world) {
      world.kubernetes.putSecret('platform/greens', { token: tokens.green });
      world.edit({ portals: [{ id: garden, enabled: true }], organization: { enabled: true }, token: 'greens' });
    },
    after: { 'green/garden': `${key} on`, 'green/us': `${key} on` },
    destinations: [`green/${key}`],
    oneOf: [['blue/us', 'green/us']],
    // Nothing but the dead process knew a token of the organization that is left.
    otherwise: {
      after: { 'green/garden': `${key} on`, 'green/us': `${key} on` },
      destinations: [`green/${key}`],
      verdicts: { [key]: 'False LeftBehind Stalled' },
      leaves: [...both, 'blue/us', `blue/${key}`],
    },
  },
  {
    title: 'hand-over',
    ...contested(usual),
    change: (world) => world.delete(),
    after: { 'blue/shop': `${younger} on`, 'blue/forum': `${younger} on`, 'blue/us': `${younger} on` },
    destinations: [`blue/${younger}`],
    verdicts: { [key]: 'gone' },
  },
  {
    title: 'hand-over-v2',
    ...contested(inline),
    change: (world) => world.delete(),
    after: { 'blue/us': 'CANARYsecond on' },
    destinations: [],
    verdicts: { [key]: 'gone' },
  },
  {
    title: 'create-by-portal',
    change(world) {
      world.putPortal('shop', shop);
      world.add(byPortal);
    },
    after: { 'blue/shop': `${key} on`, 'blue/forum': `${key} on` },
    destinations: ours,
  },
  {
    title: 'portal-made-anew',
    before: { portalRefs: [{ name: 'shop', enabled: true }] },
    foreign: (world) => world.putPortal('shop', shop),
    change(world) {
      world.putPortal('shop', forum);
      world.edit({ portalRefs: [{ name: 'shop', enabled: true }], interval: '11m' });
    },
    after: { 'blue/forum': `${key} on` },
    destinations: ours,
  },
  {
    title: 'portal-deleted-with-its-entry',
    before: byPortal,
    foreign: (world) => world.putPortal('shop', shop),
    change(world) {
      world.putPortal('shop', undefined);
      world.edit({ portals: [{ id: forum, enabled: true }] });
    },
    after: { 'blue/forum': `${key} on` },
    destinations: ours,
  },
  {
    title: 'hand-over-to-portal',
    before: shopOnly,
    async prepare(world) {
      world.putPortal('shop', shop);
      world.putSecret('other', otherSiem);
      world.add({ portalRefs: [{ name: 'shop', enabled: true }], siem: 'other' }, younger, 1_000);
      await world.work();
    },
    change: (world) => world.delete(),
    after: { 'blue/shop': `${younger} on` },
    destinations: [`blue/${younger}`],
    verdicts: { [key]: 'gone' },
  },
  {
    title: 'delete-by-portal',
    before: byPortal,
    foreign: (world) => world.putPortal('shop', shop),
    change(world) {
      world.putPortal('shop', undefined);
      world.delete();
    },
    after: {},
    destinations: [],
    verdicts: { [key]: 'gone' },
  },
  {
    title: 'suspend',
    before: usual,
    change: (world) => world.edit({ ...usual, portals: [], suspend: true }),
    after: all,
    destinations: ours,
    verdicts: { [key]: 'Unknown Suspended' },
    silent: true,
    short: true,
  },
  {
    title: 'resume',
    before: usual,
    async prepare(world) {
      world.edit({ ...usual, suspend: true });
      await world.work();
    },
    change: (world) => world.edit({ ...usual, portals: [{ id: shop, enabled: true }] }),
    after: { 'blue/shop': `${key} on`, 'blue/us': `${key} on` },
    destinations: ours,
  },
  {
    title: 'observe',
    before: usual,
    change: (world) => world.edit({ ...usual, mode: 'Observe', portals: [{ id: shop, enabled: true }] }),
    after: all,
    destinations: ours,
    verdicts: { [key]: 'False Drifted' },
    silent: true,
  },
  {
    title: 'delete',
    before: usual,
    change: (world) => world.delete(),
    after: {},
    destinations: [],
    verdicts: { [key]: 'gone' },
  },
  {
    title: 'delete-one-portal',
    before: shopOnly,
    change: (world) => world.delete(),
    after: {},
    destinations: [],
    verdicts: { [key]: 'gone' },
    short: true,
  },
  {
    title: 'delete-what-drifted',
    before: usual,
    foreign: (world) => void world.createForeign('theirs'),
    change(world) {
      const theirs = world.organization().destinations.find(({ destination }) => destination.name === 'theirs');
      world.point(world.portal(shop), theirs?.destination.id ?? '');
      world.delete();
    },
    after: { 'blue/shop': 'theirs on' },
    destinations: [],
    verdicts: { [key]: 'gone' },
  },
  {
    title: 'delete-while-creating',
    behavior: { duplicateNames: 'allowed' },
    change(world) {
      world.add(shopOnly);
      world.whenCalled('create destination', () => world.delete());
    },
    after: {},
    destinations: [],
    verdicts: { [key]: 'gone' },
  },
  {
    title: 'delete-harsh',
    behavior: { ...harsh, releaseDelayMs: 20_000 },
    before: usual,
    change: (world) => world.delete(),
    after: {},
    destinations: [],
    verdicts: { [key]: 'gone' },
  },
  {
    title: 'delete-lenient',
    behavior: { usedDestination: 'deleted' },
    before: usual,
    change: (world) => world.delete(),
    after: {},
    destinations: [],
    verdicts: { [key]: 'gone' },
  },
  {
    title: 'delete-v2',
    before: inline,
    change: (world) => world.delete(),
    after: {},
    destinations: [],
    verdicts: { [key]: 'gone' },
    short: true,
  },
  {
    title: 'delete-retain',
    before: { ...usual, deletionPolicy: 'Retain' },
    change: (world) => world.delete(),
    after: all,
    destinations: ours,
    verdicts: { [key]: 'gone' },
    silent: true,
    letsGo: true,
    short: true,
  },
  {
    title: 'v3-to-v2',
    deletable: true,
    before: organizationOnly,
    change: (world) => world.edit(inline),
    after: { 'blue/us': inlineOn },
    destinations: [],
    interrupted: ['blue/us'],
  },
  {
    title: 'v2-to-v3',
    deletable: true,
    before: inline,
    change: (world) => world.edit(organizationOnly),
    after: { 'blue/us': `${key} on` },
    destinations: ours,
    interrupted: ['blue/us'],
  },
  {
    title: 'refer-to-another',
    deletable: true,
    foreign: (world) => void world.createForeign('theirs'),
    before: usual,
    change: (world) => world.edit({ ...usual, destinationRef: { name: 'theirs' } }),
    after: { 'blue/shop': 'theirs on', 'blue/forum': 'theirs on', 'blue/us': 'theirs on' },
    destinations: [],
  },
  {
    title: 'refer-to-yet-another',
    deletable: true,
    foreign(world) {
      world.createForeign('others');
      world.createForeign('theirs');
    },
    before: { ...usual, destinationRef: { name: 'others' } },
    change: (world) => world.edit({ ...usual, destinationRef: { name: 'theirs' } }),
    after: { 'blue/shop': 'theirs on', 'blue/forum': 'theirs on', 'blue/us': 'theirs on' },
    destinations: [],
  },
  {
    title: 'refer-to-none',
    deletable: true,
    foreign: (world) => void world.createForeign('theirs'),
    before: { ...usual, destinationRef: { name: 'theirs' } },
    change: (world) => world.edit(usual),
    after: all,
    destinations: ours,
  },
];
