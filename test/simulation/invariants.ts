/** What has to hold at every moment of a story, whatever breaks, and in its end. */
import type { AuditLogForwarding, Status } from '../../src/api/v1alpha1.ts';
import { endpointDigest } from '../../src/forwarding/desired/desired-state.ts';
import { key } from '../support/forwarding-spec.ts';
import { otherSiem, siem } from '../support/konnect-fixtures.ts';
import type { Call } from './faults.ts';
import { neighborSiem } from './fixtures.ts';
import {
  destinationsOf,
  isDelivering,
  pointsAt,
  type SeenDestination,
  type SeenWebhook,
  webhooksOf,
} from './konnect-snapshot.ts';
import type { End, Story } from './scenarios.ts';
import { staleMs, type Witness, type World } from './simulated-world.ts';

export const invariants = {
  dangling: 'no webhook points at a destination that we deleted',
  gap: 'no forwarding is off that should be on',
  foreign: "nothing of another's is touched",
  orphan: 'nothing of ours is left that nobody wants',
  remembered: 'status names what stands in Konnect before it stands there, and a finalizer holds it',
  twins: 'two destinations of one forwarding only after a lost POST',
  patience: 'no second POST, and no forgotten one, while lists may still lack what the first one made',
  mixed: 'endpoint and authorization of two Secrets never mix',
  honest: 'status says nothing stands that does not',
  silent: 'nothing is written to Konnect where nothing may be',
  converges: 'what is wanted stands in the end, and status says so',
  rests: 'then nothing is written any more',
  sound: 'no pass throws what it should not',
} as const;
export type Invariant = keyof typeof invariants;

export interface Violation {
  readonly invariant: Invariant;
  readonly detail: string;
}

const pairs = [siem, otherSiem, neighborSiem, { ...siem, authorization: 'Bearer CANARYnew' }];

interface Intent {
  readonly name: string;
  readonly sinceMs: number;
}

/** Watches one run of one story from its change on. */
export class Judge implements Witness {
  readonly violations: Violation[] = [];
  /** Every state of the world that was seen, by its digest. */
  readonly states: Set<string>;
  /** Lines for whoever reads how it came to that; undefined: nobody does. */
  readonly history: string[] | undefined;
  readonly #world: World;
  readonly #story: Story;
  readonly #foreignDestinations: ReadonlyMap<string, string>;
  readonly #foreignWebhooks: ReadonlyMap<string, string>;
  readonly #danglingBefore: ReadonlySet<string>;
  /** Webhooks that were on once as they are to be, or were so from the start. */
  readonly #standing = new Set<string>();
  readonly #mayBeOpen = new Set<string>();
  readonly #startedMs: number;
  #lostPosts = 0;

  /** `foreign`: what was there before the story's forwardings, and the rival's, by `snapshotForeign`. */
  constructor(world: World, story: Story, foreign: Foreign, states: Set<string>, history: string[] | undefined) {
    this.#world = world;
    this.#story = story;
    this.states = states;
    this.history = history;
    this.#startedMs = world.clock.ms;
    const taken = new Set(story.taken);
    this.#foreignDestinations = new Map(
      [...foreign.destinations].filter(([, { name }]) => !taken.has(name)).map(([id, { text }]) => [id, text]),
    );
    const webhooks = webhooksOf(world);
    this.#foreignWebhooks = new Map([...foreign.webhooks].filter(([name]) => !taken.has(name)));
    this.#danglingBefore = new Set(webhooks.filter(isDangling).map(({ name }) => name));
    for (const one of webhooks) {
      if (this.#isWantedOn(one.name) && !(story.interrupted ?? []).includes(one.name) && isDelivering(one)) {
        this.#standing.add(one.name);
      }
    }
  }

  changed(what: string): void {
    const world = this.#world;
    const webhooks = webhooksOf(world);
    const destinations = destinationsOf(world);
    this.#tell(`  ${what}: ${this.#inWords(webhooks, destinations)}`);
    this.#seeState(webhooks, destinations);
    for (const one of webhooks) this.#judgeWebhook(one);
    for (const group of this.#world.isCutShort ? [] : (this.#story.oneOf ?? [])) {
      const isOn = webhooks.some((one) => group.includes(one.name) && isDelivering(one));
      if (!isOn) this.#violate('gap', `none of ${group.join(', ')} is on`);
    }
    this.#judgeForeign(webhooks, destinations);
    this.#judgeDestinations(destinations);
    this.#judgeMemory(webhooks, destinations);
  }

  called(call: Call, outcome: string, by: 'operator' | 'late'): void {
    const seconds = ((this.#world.clock.ms - this.#startedMs) / 1_000).toFixed(2);
    this.#tell(
      `${String(this.#world.calls).padStart(3)} ${seconds}s ${by === 'late' ? '(late) ' : ''}${call.what}: ${outcome}`,
    );
    if (call.system !== 'konnect' || call.kind !== 'write') return;
    if (this.#story.silent === true) this.#violate('silent', call.what);
    if (!call.creates) return;
    // 2xx, 4xx: whoever hears it knows what came of it. Everything else leaves it open, a crash before it as well.
    const isKnown = outcome === 'done' || /answered 4\d\d/.test(outcome) || outcome.startsWith('not done, http-4');
    if (isKnown) return;
    this.#lostPosts += 1;
    for (const [of, { status }] of this.#world.kubernetes.objects) {
      if (status.destination?.creating !== undefined) this.#mayBeOpen.add(`${of} ${status.destination.creating.since}`);
    }
  }

  statusWritten(of: string, before: AuditLogForwarding | undefined, after: AuditLogForwarding): void {
    const { status } = after;
    const text = JSON.stringify(status);
    if (text.includes('CANARY')) this.#violate('honest', 'a secret stands in status');
    this.#tell(`      ${of}: ${statusInWords(status)}`);
    this.#judgePatience(of, before?.status, status);
    this.#judgeHonesty(of, before?.status, after);
  }

  /** The end: everything is settled. */
  judgeEnd(): void {
    for (const problem of this.shortfalls()) this.#violate(problem.invariant, problem.detail);
  }

  /** What is not yet as it is to be. */
  shortfalls(): Violation[] {
    const { otherwise, taken = [] } = this.#story;
    if (this.#world.isCutShort) {
      const leaves = [...taken, ...taken.map((name) => `blue/${name}`)];
      return this.#lacks({ after: {}, destinations: [], verdicts: { [key]: 'gone' }, leaves });
    }
    const found = this.#lacks(this.#story);
    if (found.length === 0 || otherwise === undefined || this.#world.deaths === 0) return found;
    return this.#lacks(otherwise).length === 0 ? [] : found;
  }

  #lacks({ after, destinations: wantedDestinations, verdicts = {}, leaves = [] }: End): Violation[] {
    const found: Violation[] = [];
    const webhooks = webhooksOf(this.#world);
    const destinations = destinationsOf(this.#world).filter(
      ({ destination }) => !this.#foreignDestinations.has(destination.id),
    );
    for (const one of webhooks) {
      if (this.#foreignWebhooks.has(one.name)) continue;
      const wanted = after[one.name] ?? 'nothing off';
      const is = pointsAt(one);
      if (is !== wanted && !leaves.includes(one.name)) {
        found.push({
          invariant: wanted === 'nothing off' ? 'orphan' : 'converges',
          detail: `${one.name}: ${is}, wanted: ${wanted}`,
        });
      }
    }
    const names = destinations
      .map(({ name }) => name)
      .filter((name) => !leaves.includes(name))
      .toSorted();
    const surplus = names.filter((name, index) => !wantedDestinations.includes(name) || names.indexOf(name) !== index);
    if (surplus.length > 0) found.push({ invariant: 'orphan', detail: `left: ${surplus.join(', ')}` });
    const lacking = wantedDestinations.filter((name) => !names.includes(name));
    if (lacking.length > 0) found.push({ invariant: 'converges', detail: `lacking: ${lacking.join(', ')}` });
    for (const of of new Set([...this.#world.kubernetes.objects.keys(), ...Object.keys(verdicts)])) {
      const wanted = verdicts[of] ?? 'True InSync';
      const is = this.#world.verdictOf(of);
      if (is !== wanted) found.push({ invariant: 'converges', detail: `${of}: ${is}, wanted: ${wanted}` });
    }
    for (const [of, { metadata, status, spec }] of this.#world.kubernetes.objects) {
      const isLeftAlone = leaves.length > 0 || (this.#story.silent === true && of === key);
      if (!isLeftAlone && (status.cleanup ?? []).length > 0)
        found.push({ invariant: 'converges', detail: `${of} has still to clean up` });
      if (status.destination?.creating !== undefined)
        found.push({ invariant: 'converges', detail: `${of} has still an intent` });
      if (status.observedGeneration !== metadata.generation) {
        found.push({ invariant: 'converges', detail: `${of} has not answered its generation` });
      }
      const region = status.konnect?.region;
      if (!isLeftAlone && region !== undefined && region !== spec.konnect.region)
        found.push({ invariant: 'converges', detail: `${of} is in ${region}` });
    }
    return [...found, ...this.#lacksCredentials(webhooks)];
  }

  /** Endpoint and authorization are those of the Secret as it is now. */
  #lacksCredentials(webhooks: readonly SeenWebhook[]): Violation[] {
    return [...this.#world.kubernetes.objects].flatMap(([of, { metadata, spec, status }]): Violation[] => {
      const secret = this.#world.kubernetes.secrets.get(
        `${metadata.namespace}/${spec.destination?.secretRef.name ?? ''}`,
      );
      if (secret === undefined || metadata.deletionTimestamp !== undefined) return [];
      const decode = (field: string) => Buffer.from(secret.data[field] ?? '', 'base64').toString();
      const wanted = { endpoint: decode('endpoint'), authorization: decode('authorization') };
      const own = destinationsOf(this.#world).find(({ destination }) => destination.id === status.destination?.id);
      const inline = webhooks.find(
        ({ which, organization }) =>
          status.organization?.api === 'v2' &&
          which.kind === 'organization' &&
          which.region === spec.konnect.region &&
          organization.id === status.konnect?.organizationID,
      )?.webhook.target;
      const found = [own?.destination, inline?.kind === 'inline' ? inline.inline : undefined];
      const isOld = found.some(
        (one) => one !== undefined && (one.endpoint !== wanted.endpoint || one.authorization !== wanted.authorization),
      );
      return isOld ? [{ invariant: 'converges', detail: `${of} forwards with an old Secret` }] : [];
    });
  }

  violate(invariant: Invariant, detail: string): void {
    this.#violate(invariant, detail);
  }

  #violate(invariant: Invariant, detail: string): void {
    this.#tell(`!!! ${invariant}: ${detail}`);
    if (this.violations.length < 20) this.violations.push({ invariant, detail });
  }

  #tell(line: string): void {
    this.history?.push(line);
  }

  #isWantedOn(name: string): boolean {
    return this.#story.after[name]?.endsWith(' on') === true;
  }

  #judgeWebhook(one: SeenWebhook): void {
    const { name } = one;
    if (isDangling(one)) {
      if (!this.#danglingBefore.has(name)) this.#violate('dangling', name);
    }
    if (!this.#isWantedOn(name) || this.#world.isCutShort) return;
    const stands = isDelivering(one);
    if (this.#standing.has(name)) {
      if (!stands) this.#violate('gap', `${name}: ${pointsAt(one)}`);
    } else if (
      stands &&
      (!(this.#story.interrupted ?? []).includes(name) || pointsAt(one) === this.#story.after[name])
    ) {
      this.#standing.add(name);
    }
    const { target } = one.webhook;
    if (target.kind === 'inline') this.#judgePair(name, target.inline);
  }

  #judgePair(what: string, { endpoint, authorization }: { endpoint: string; authorization: string }): void {
    const isPair = pairs.some((pair) => pair.endpoint === endpoint && pair.authorization === authorization);
    if (!isPair) this.#violate('mixed', what);
  }

  #judgeForeign(webhooks: readonly SeenWebhook[], destinations: readonly SeenDestination[]): void {
    const standing = new Map(destinations.map(({ destination }) => [destination.id, destination]));
    for (const [id, text] of this.#foreignDestinations) {
      if (JSON.stringify(standing.get(id)) !== text) this.#violate('foreign', `destination ${id}`);
    }
    for (const { name, webhook } of webhooks) {
      const text = this.#foreignWebhooks.get(name);
      if (text !== undefined && JSON.stringify(webhook) !== text) this.#violate('foreign', name);
    }
  }

  #judgeDestinations(destinations: readonly SeenDestination[]): void {
    const names = new Map<string, number>();
    for (const { name, destination } of destinations) {
      names.set(name, (names.get(name) ?? 0) + 1);
      if (!this.#foreignDestinations.has(destination.id) && destination.authorization !== 'theirs')
        this.#judgePair(name, destination);
    }
    const isTwin = [...names].some(([, count]) => count > 1);
    if (isTwin && this.#lostPosts === 0) this.#violate('twins', [...names].filter(([, count]) => count > 1).join());
  }

  /** Who remembers, by what stands in the API server. */
  #judgeMemory(webhooks: readonly SeenWebhook[], destinations: readonly SeenDestination[]): void {
    if (this.#story.letsGo === true) return;
    const holders = [...this.#world.kubernetes.objects.values()];
    for (const { name, destination } of destinations) {
      if (this.#foreignDestinations.has(destination.id) || destination.authorization === 'theirs') continue;
      const holder = holders.find(({ status }) => namesDestination(status, destination));
      if (holder === undefined) {
        if (!this.#isUntaken(name))
          this.#violate('remembered', `destination ${name} (${destination.id}) is in no status`);
      } else if (holder.metadata.finalizers.length === 0)
        this.#violate('remembered', `no finalizer holds destination ${name}`);
    }
    const foreign = (one: SeenWebhook) =>
      this.#foreignWebhooks.has(one.name) || one.destination?.authorization === 'theirs';
    for (const one of webhooks) {
      const { target, enabled } = one.webhook;
      if (target.kind === 'none' || foreign(one) || this.#isUntaken(one.name)) continue;
      if (target.kind === 'inline' && !enabled) continue;
      if (target.kind === 'destination' && one.destination === undefined) continue;
      if (!holders.some((holder) => namesWebhook(holder, one))) {
        this.#violate('remembered', `${one.name}: ${pointsAt(one)} is in no status`);
      }
    }
  }

  /** What was set up before by others for the same endpoint. */
  #isUntaken(name: string): boolean {
    return (this.#story.taken ?? []).some((taken) => name === taken || name === `blue/${taken}`);
  }

  #judgePatience(of: string, before: Status | undefined, after: Status): void {
    const intent = intentOf(before);
    const next = intentOf(after);
    if (intent === undefined || next?.sinceMs === intent.sinceMs || isFoundByID(before, after)) return;
    const since = before?.destination?.creating?.since ?? '';
    if (!this.#mayBeOpen.has(`${of} ${since}`)) return;
    const waitedMs = this.#world.clock.ms - intent.sinceMs;
    // Where something was found by it and removed, it has answered.
    const isFound = this.#world.announcements.some(
      ({ reason, of: whose }) => whose === of && reason === 'DestinationDeleted',
    );
    if (waitedMs < staleMs && !isFound)
      this.#violate('patience', `an intent was given up after ${String(waitedMs)} ms`);
  }

  #judgeHonesty(of: string, before: Status | undefined, { metadata, spec, status }: AuditLogForwarding): void {
    const webhooks = webhooksOf(this.#world);
    const portal = (id: string) => webhooks.find(({ which }) => which.kind === 'portal' && which.id === id);
    for (const entry of status.portals ?? []) {
      const was = before?.portals?.find(({ id }) => id === entry.id);
      const isNews = was === undefined || (was.state !== 'on' && was.state !== 'off');
      const { webhook } = portal(entry.id) ?? {};
      const isThere = webhook?.target.kind === 'destination' && webhook.target.id === entry.destinationID;
      if (isNews && (entry.state === 'on' || entry.state === 'off') && !isThere) {
        this.#violate('honest', `${of} says that portal ${entry.id} is ${entry.state}`);
      }
      if (entry.reason === 'PortalNotFound' && webhook !== undefined) {
        this.#violate('honest', `${of} says that portal ${entry.id} does not exist`);
      }
    }
    const ready = (one: Status | undefined) => one?.conditions?.find(({ type }) => type === 'Ready');
    const now = ready(status);
    const earlier = ready(before);
    const becomesReady =
      now?.status === 'True' &&
      status.observedGeneration === metadata.generation &&
      (earlier?.status !== 'True' || before?.observedGeneration !== metadata.generation);
    if (!becomesReady || spec.mode === 'Observe') return;
    for (const { id, enabled } of spec.portals ?? []) {
      const { webhook, destination } = portal(id) ?? {};
      const isRight =
        destination !== undefined && destination.id === status.destination?.id && webhook?.enabled === enabled;
      if (!isRight) this.#violate('honest', `${of} is Ready, and portal ${id} is not`);
    }
    if (spec.organization === undefined) return;
    const organizationID = status.konnect?.organizationID;
    const one = webhooks.find(
      ({ which, organization }) =>
        which.kind === 'organization' && which.region === spec.konnect.region && organization.id === organizationID,
    );
    if (one === undefined || pointsAt(one).startsWith('nothing') || one.webhook.enabled !== spec.organization.enabled) {
      this.#violate('honest', `${of} is Ready, and the organization's webhook is not`);
    }
  }

  #seeState(webhooks: readonly SeenWebhook[], destinations: readonly SeenDestination[]): void {
    const objects = [...this.#world.kubernetes.objects].map(([of, { metadata, status }]) => {
      const { destination, portals, organization, cleanup } = status;
      const creating = destination?.creating !== undefined;
      const verdict = this.#world.verdictOf(of);
      return [
        of,
        metadata.finalizers.length,
        metadata.deletionTimestamp !== undefined,
        creating,
        destination?.id,
        portals,
        organization?.state,
        organization?.api,
        organization?.destinationID,
        cleanup,
        verdict,
      ];
    });
    this.states.add(
      JSON.stringify([
        this.#story.title,
        webhooks.map((one) => [one.name, one.webhook.target, one.webhook.enabled]),
        destinations.map(({ destination }) => [
          destination.id,
          destination.name,
          destination.endpoint,
          destination.authorization,
        ]),
        objects,
      ]),
    );
  }

  #inWords(webhooks: readonly SeenWebhook[], destinations: readonly SeenDestination[]): string {
    if (this.history === undefined) return '';
    const pointed = webhooks
      .filter((one) => pointsAt(one) !== 'nothing off')
      .map((one) => `${one.name} → ${pointsAt(one)}`);
    return `${pointed.join(', ')}; destinations: ${destinations.map(({ name, destination }) => `${name} (${destination.id.slice(0, 8)})`).join(', ')}`;
  }
}

export interface Foreign {
  readonly destinations: ReadonlyMap<string, { readonly name: string; readonly text: string }>;
  /** Webhooks that point at something, and are to go on doing so. */
  readonly webhooks: ReadonlyMap<string, string>;
}

/** What was there before our forwarding, and what is the rival's. */
export function snapshotForeign(world: World, { after }: Story): Foreign {
  const webhooks = webhooksOf(world).filter((one) => {
    const is = pointsAt(one);
    return is !== 'nothing off' && (after[one.name] ?? is) === is;
  });
  return {
    destinations: new Map(
      destinationsOf(world).map(({ destination }) => [
        destination.id,
        { name: destination.name, text: JSON.stringify(destination) },
      ]),
    ),
    webhooks: new Map(webhooks.map(({ name, webhook }) => [name, JSON.stringify(webhook)])),
  };
}

/** What the POST made is known by its ID: nothing is left to be looked for. */
function isFoundByID(before: Status | undefined, after: Status): boolean {
  return after.destination?.id !== undefined || before?.destination?.id !== undefined;
}

function isDangling({ webhook, destination }: SeenWebhook): boolean {
  return webhook.target.kind === 'destination' && destination === undefined;
}

function intentOf(status: Status | undefined): Intent | undefined {
  const creating = status?.destination?.creating;
  return creating === undefined ? undefined : { name: creating.name, sinceMs: Date.parse(creating.since) };
}

function namesDestination({ destination, cleanup = [] }: Status, { id, name }: { id: string; name: string }): boolean {
  return (
    destination?.id === id ||
    destination?.creating?.name === name ||
    cleanup.some((entry) => entry.kind === 'destination' && entry.destinationID === id)
  );
}

/** Whether status tells enough to find and undo it. */
function namesWebhook({ metadata, status }: AuditLogForwarding, { which, webhook }: SeenWebhook): boolean {
  const { target } = webhook;
  const { destination, portals = [], organization, cleanup = [] } = status;
  const left = cleanup.filter(({ kind, id }) =>
    which.kind === 'portal' ? kind === 'portal' && id === which.id : kind === 'organization',
  );
  const entries = [
    ...left,
    ...(which.kind === 'portal' ? portals.filter(({ id }) => id === which.id) : [organization]),
  ];
  if (target.kind === 'destination') {
    const leaving = cleanup.filter(({ kind }) => kind === 'destination');
    const ids = new Set([destination?.id, ...leaving.map((one) => one.destinationID)]);
    return entries.some(
      (one) =>
        one !== undefined &&
        (one.destinationID === target.id || (one.destinationID !== undefined && ids.has(target.id))),
    );
  }
  if (target.kind !== 'inline') return true;
  const digest = endpointDigest(metadata.uid, target.inline.endpoint);
  return entries.some((one) => one !== undefined && 'endpointDigest' in one && one.endpointDigest === digest);
}

function statusInWords({ conditions = [], destination, portals = [], organization, cleanup = [] }: Status): string {
  const ready = conditions.find(({ type }) => type === 'Ready');
  return [
    `${ready?.status ?? '-'} ${ready?.reason ?? '-'}`,
    `destination ${destination?.id?.slice(0, 8) ?? '-'}${destination?.creating === undefined ? '' : ' creating'}`,
    ...portals.map(
      ({ id, state, destinationID, reason }) =>
        `portal ${id.slice(0, 2)} ${state} ${destinationID?.slice(0, 8) ?? '-'}${reason === undefined ? '' : ` ${reason}`}`,
    ),
    ...(organization === undefined
      ? []
      : [
          `organization ${organization.api} ${organization.state} ${organization.destinationID?.slice(0, 8) ?? organization.endpointDigest?.slice(0, 8) ?? '-'}`,
        ]),
    ...cleanup.map(
      ({ kind, id, destinationID }) => `cleanup ${kind} ${id?.slice(0, 2) ?? ''} ${destinationID?.slice(0, 8) ?? ''}`,
    ),
  ].join('; ');
}
