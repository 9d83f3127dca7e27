/** Checks the gaps in status and the replays in Konnect: one replay for each gap, of nothing that was delivered, and no gap is forgotten. */
import type { ReplayJob } from '../../sandbox/konnect/model.ts';
import type { AuditLogForwarding, DeliveryStatus } from '../../src/api/v1alpha1.ts';
import { gapsOf } from '../../src/status/gaps.ts';
import type { Call } from './faults.ts';
import type { Violation } from './invariants.ts';
import { isDelivering, objectOf, type WebhookState, webhooksOf } from './konnect-snapshot.ts';
import type { SimulatedWorld } from './simulated-world.ts';

/** The times of a job in milliseconds. */
interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Requests have whole seconds. */
const roundingMs = 1_000;
/** How old the last delivery in status may be. A gap may begin that much early. */
const maxAgeMs = 3_600_000;

interface Diversion {
  /** The forwarding that owns the webhook. */
  readonly owner: string;
  /** The destination that another client deleted, if the webhook itself is as the operator left it. */
  readonly deleted: string | undefined;
}

export class Replays {
  readonly #world: SimulatedWorld;
  /** By webhook, the last job that was seen. */
  readonly #jobs = new Map<string, ReplayJob>();
  /** By webhook, the jobs that Konnect has accepted. */
  readonly #accepted = new Map<string, Window[]>();
  /** By webhook, the times of the successful attempts that Konnect has shown to the operator. */
  readonly #deliveredMs = new Map<string, Set<number>>();
  /** By webhook, the times of deliveries that status has had. */
  readonly #recordedMs = new Map<string, Set<number>>();
  /** By webhook, the times of the failed attempts that status has had. */
  readonly #failedMs = new Map<string, Set<number>>();
  /** Webhooks of portals that another client has switched off or pointed elsewhere, or whose destination it has deleted. */
  readonly #diverted = new Map<string, Diversion>();
  #isOn = new Set<string>();
  /** Webhooks of which status has had a gap. */
  readonly #hadGap = new Set<string>();

  constructor(world: SimulatedWorld, webhooks: readonly WebhookState[]) {
    this.#world = world;
    for (const one of webhooks) {
      if (one.webhook.replay !== undefined) this.#jobs.set(one.name, one.webhook.replay);
      this.#showDelivery(one);
    }
    this.#isOn = onOf(webhooks);
  }

  /** Has to be called after every change in Konnect. `isUnknowable`: the operator cannot have seen what another client changed. */
  changed(
    by: 'operator' | 'people',
    webhooks: readonly WebhookState[],
    isUnknowable: (one: WebhookState) => boolean,
  ): Violation[] {
    const found = webhooks.flatMap((one) => {
      const ofJob = this.#newJob(one);
      if (by === 'operator') return [...ofJob, ...this.#restore(one, isUnknowable(one))];
      this.#divert(one);
      return ofJob;
    });
    this.#isOn = onOf(webhooks);
    return found;
  }

  /** What was not delivered leaves status only if Konnect has accepted a replay of it. */
  statusWritten(of: string, before: AuditLogForwarding | undefined, after: AuditLogForwarding): Violation[] {
    const { delivery = [] } = after.status;
    if (after.metadata.deletionTimestamp !== undefined || delivery.length === 0) return [];
    const webhooks = webhooksOf(this.#world);
    return delivery.flatMap((now) => {
      const one = webhooks.find((webhook) => isOf(webhook, now.key, after));
      if (one === undefined) return [];
      if (now.gap !== undefined) this.#hadGap.add(one.name);
      if (now.lastDeliveredTime !== undefined) add(this.#recordedMs, one.name, Date.parse(now.lastDeliveredTime));
      if (now.state === 'Failing') add(this.#failedMs, one.name, Date.parse(now.lastAttemptTime ?? ''));
      const was = before?.status.delivery?.find(({ key }) => key === now.key);
      const kept = [...this.#windows(one.name), ...outstanding(now)];
      const lost = outstanding(was).filter((window) => !isCoveredBy(window, kept));
      return lost.map(() => ({ invariant: 'unforgotten', detail: `${of} forgets a gap of ${one.name}` }));
    });
  }

  /** Returns what is still missing at the end for webhooks whose gap has to be replayed. */
  missing(names: readonly string[], webhooks: readonly WebhookState[]): string[] {
    return names.flatMap((name) => {
      const one = webhooks.find((webhook) => webhook.name === name);
      const entry = one && this.#entryOf(one);
      if (entry === undefined) return [];
      if (!this.#hadGap.has(name) && entry.replay === undefined)
        return this.#world.appliedFaults.length === 0 ? [`${name} has had neither a gap nor a replay`] : [];
      const { gap, replay } = entry;
      const isAutomatic = one !== undefined && this.#forwardingOf(one)?.spec.gapRecovery?.mode === 'Replay';
      if (isAutomatic && gapsOf(entry).some(({ isFailed }) => isFailed !== true))
        return [`a gap of ${name} is not replayed`];
      if (replay?.state === 'Failed' && replay.isRetry === true) return [];
      if (replay?.state !== 'Completed') return [`no replay of ${name} has ended`];
      const isCovered = (ms: number) => this.#windows(name).some(({ fromMs, toMs }) => fromMs <= ms && ms <= toMs);
      const lost = [...(this.#failedMs.get(name) ?? [])].filter((ms) => gap === undefined && !isCovered(ms));
      return lost.map((ms) => `no replay of ${name} covers ${new Date(ms).toISOString()}`);
    });
  }

  /** Konnect has answered a call of the operator. */
  called({ deliveryOf }: Call, outcome: string): void {
    if (outcome !== 'done' || deliveryOf === undefined) return;
    const shown = webhooksOf(this.#world).find((one) => objectOf(one) === deliveryOf);
    if (shown !== undefined) this.#showDelivery(shown);
  }

  /** A delivery to the endpoint of another client is none. Konnect forgets the last one if the target changes. */
  #showDelivery(one: WebhookState): void {
    const { lastAttempt, target } = one.webhook;
    const isRight = target.kind === 'inline' || targetOf(one) === this.#forwardingOf(one)?.status.destination?.id;
    if (lastAttempt?.ok === true && isRight) add(this.#deliveredMs, one.name, lastAttempt.at.getTime());
  }

  #newJob(one: WebhookState): Violation[] {
    const { name, webhook } = one;
    const { replay: job } = webhook;
    if (job === undefined || job === this.#jobs.get(name)) return [];
    this.#jobs.set(name, job);
    const { fromMs, toMs } = { fromMs: Date.parse(job.startAt), toMs: Date.parse(job.endAt) };
    const earlier = this.#windows(name);
    this.#accepted.set(name, [...earlier, { fromMs, toMs }]);
    const found: Violation[] = [];
    if (earlier.some((window) => window.fromMs === fromMs && window.toMs === toMs)) {
      found.push({ invariant: 'once', detail: `${name}: ${job.startAt} to ${job.endAt} again` });
    }
    if (this.#entryOf(one)?.replay?.isManual === true) return found;
    const isInside = (ms: number) => {
      const earlyMs = this.#recordedMs.get(name)?.has(ms) === true ? roundingMs : maxAgeMs;
      return ms > fromMs + earlyMs && ms < toMs - roundingMs;
    };
    if ([...(this.#deliveredMs.get(name) ?? [])].some(isInside)) {
      found.push({ invariant: 'undelivered', detail: `${name}: ${job.startAt} to ${job.endAt} was delivered in part` });
    }
    return found;
  }

  /** Another client keeps the logs of a webhook away that status says is attached and on. */
  #divert(one: WebhookState): void {
    const owner = this.#ownerOf(one);
    if (owner === undefined) return;
    if (isDelivering(one)) {
      const target = this.#appliedTo(one, owner);
      if (this.#diverted.has(one.name) || target === undefined || target === targetOf(one)) return;
      this.#diverted.set(one.name, { owner, deleted: undefined });
      return;
    }
    if (!this.#isOn.has(one.name)) return;
    const isUntouched = one.webhook.enabled && this.#targetIn(owner) === targetOf(one);
    this.#diverted.set(one.name, { owner, deleted: isUntouched ? targetOf(one) : undefined });
  }

  /** The operator puts it right only after status has the gap. */
  #restore(one: WebhookState, isUnknowable: boolean): Violation[] {
    const { owner, deleted } = this.#diverted.get(one.name) ?? {};
    if (owner === undefined || !isDelivering(one) || this.#targetIn(owner) !== targetOf(one)) return [];
    this.#diverted.delete(one.name);
    // The operator moves the webhook to another destination and reads the former one no more. The webhook itself shows nothing.
    if (deleted !== undefined && deleted !== targetOf(one)) return [];
    const { gap } = this.#entryOf(one) ?? {};
    if (isUnknowable || (gap !== undefined && gap.to === undefined)) return [];
    return [{ invariant: 'unforgotten', detail: `${one.name} is put right, and status has no gap of it` }];
  }

  /** Returns the forwarding whose status says that the webhook is attached and on, with no write under way. */
  #ownerOf({ which, organization }: WebhookState): string | undefined {
    for (const [of, { status, spec, metadata }] of this.#world.kubernetes.objects) {
      if (which.kind !== 'portal' || status.konnect?.organizationID !== organization.id) continue;
      const entry = status.portals?.find(({ id }) => id === which.id);
      const isOn = entry?.applied?.enabled === true && entry.updating === undefined && entry.state === 'on';
      const isQuiet = status.destination?.updating === undefined && status.destination?.creating === undefined;
      const isWantedOn = spec.portals?.some(({ id, enabled }) => id === which.id && enabled) === true;
      if (isOn && isQuiet && isWantedOn && metadata.deletionTimestamp === undefined) return of;
    }
    return undefined;
  }

  /** Returns the destination that the operator last applied to the webhook. A reference that does not resolve, or a refused call, leaves it there. */
  #appliedTo({ which }: WebhookState, of: string): string | undefined {
    const { portals = [] } = this.#world.kubernetes.objects.get(of)?.status ?? {};
    return portals.find(({ id }) => which.kind === 'portal' && id === which.id)?.applied?.destinationID;
  }

  #targetIn(of: string): string | undefined {
    return this.#world.kubernetes.objects.get(of)?.status.destination?.id;
  }

  #entryOf(one: WebhookState): DeliveryStatus | undefined {
    const forwarding = this.#forwardingOf(one);
    return forwarding?.status.delivery?.find(({ key }) => isOf(one, key, forwarding));
  }

  /** Returns the forwarding whose status says how the webhook delivers. */
  #forwardingOf(one: WebhookState): AuditLogForwarding | undefined {
    return [...this.#world.kubernetes.objects.values()].find((forwarding) =>
      forwarding.status.delivery?.some(({ key }) => isOf(one, key, forwarding)),
    );
  }

  #windows(name: string): readonly Window[] {
    return this.#accepted.get(name) ?? [];
  }
}

function add(times: Map<string, Set<number>>, name: string, ms: number): void {
  times.set(name, (times.get(name) ?? new Set()).add(ms));
}

function onOf(webhooks: readonly WebhookState[]): Set<string> {
  return new Set(webhooks.filter(isDelivering).map(({ name }) => name));
}

function targetOf({ webhook: { target } }: WebhookState): string | undefined {
  return target.kind === 'destination' ? target.id : undefined;
}

/** True if `key`, in `status.delivery` of the forwarding, names this webhook. */
function isOf({ which, organization }: WebhookState, key: string, { spec, status }: AuditLogForwarding): boolean {
  if (organization.id !== status.konnect?.organizationID) return false;
  return which.kind === 'portal' ? which.id === key : key === 'organization' && which.region === spec.konnect.region;
}

/** Returns the gaps that status has. An open one has no end. */
function outstanding(entry: DeliveryStatus | undefined): Window[] {
  return gapsOf(entry ?? {}).map(({ from, to }) => ({
    fromMs: Date.parse(from),
    toMs: to === undefined ? Number.POSITIVE_INFINITY : Date.parse(to),
  }));
}

/** An open gap may have ended, or begin where a replay ends. */
function isCoveredBy({ fromMs, toMs }: Window, windows: readonly Window[]): boolean {
  const ordered = windows.toSorted((a, b) => a.fromMs - b.fromMs);
  let reachedMs = Number.NEGATIVE_INFINITY;
  for (const one of ordered) {
    if (one.fromMs > fromMs && one.fromMs > reachedMs) break;
    reachedMs = Math.max(reachedMs, one.toMs);
  }
  return toMs === Number.POSITIVE_INFINITY ? reachedMs > fromMs : reachedMs >= toMs;
}
