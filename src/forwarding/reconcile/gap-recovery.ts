/** Records the gaps of the webhooks, and has them replayed: the calls that the pure steps of `status/replays.ts` ask for. */
import type { DeliveryStatus } from '../../api/v1alpha1.ts';
import { type DeliveryLook, deliveryKeyOf, deliveryOf, withDelivery } from '../../status/delivery.ts';
import { gapsOf, isReplaying, type Period, withGapOpen, withGaps, withNews } from '../../status/gaps.ts';
import {
  afterRead,
  afterStart,
  planExpiry,
  planReplay,
  type ReplayContext,
  type ReplayStep,
  requestReplay,
} from '../../status/replays.ts';
import { startReplay } from '../apply/start-replay.ts';
import type { DesiredState } from '../desired/desired-state.ts';
import { webhookName } from '../observed/observe-delivery.ts';
import { observeReplay } from '../observed/observe-replay.ts';
import type { Diversion } from '../plan/diverted.ts';
import { reasons } from '../problems.ts';
import { beforeWrite, type ReconcileContext, recordEvent } from '../reconcile-context.ts';
import { lostMessage, recordReplayNews } from './gap-report.ts';
import type { DeliveryPlan } from './observe-and-plan.ts';

/**
 * Records since when the logs of a webhook are not delivered, before anything else happens: the next call may already end what shows it.
 * `diverted` are the webhooks whose logs another client keeps away.
 */
export async function openGaps(
  context: ReconcileContext,
  { deliveries }: DeliveryPlan,
  diverted: ReadonlyMap<string, Diversion>,
): Promise<void> {
  const { status, signal } = context;
  const before = status.recorded;
  if (context.forwarding.spec.gapRecovery?.mode === 'None') {
    for (const entry of before.delivery ?? []) {
      if (gapsOf(entry).length > 0) status.recorded = withDelivery(status.recorded, withGaps(entry, []));
    }
    return;
  }
  for (const key of new Set([...deliveries.keys(), ...diverted.keys()])) {
    const look = deliveries.get(key);
    const entry = deliveryOf(before, key) ?? { key, state: 'Unknown' as const };
    const isForeign = diverted.has(key);
    // Of a webhook that spec had switched off, the last attempt is an old one.
    const isFailing = isFailingLook(look) && entry.state !== 'Off';
    if (!isForeign && !isFailing) continue;
    const attemptTime = look?.kind === 'seen' ? look.attemptTime : undefined;
    const cause = { isForeign, attemptTime, observedTime: before.lastObservedTime, now: context.now() };
    // Before another client switched it off, the webhook delivered to the right endpoint.
    const hasDelivered = diverted.get(key) === 'off' && look?.kind === 'seen' && look.state === 'Delivered';
    const next = withGapOpen(hasDelivered ? deliveredAt(entry, attemptTime, cause.now) : entry, cause);
    if (next !== entry) status.recorded = withDelivery(status.recorded, next);
  }
  if (status.recorded === before) return;
  const progress = { reason: reasons.applying, message: 'recording which audit logs were not delivered' };
  await status.checkpoint(context.wasApplied ? undefined : progress, signal);
}

/** Returns the entry with the last delivery at this time, which may have ended the gap. */
function deliveredAt(entry: DeliveryStatus, at: string | undefined, now: Date): DeliveryStatus {
  return at === undefined ? entry : { ...withNews(entry, { kind: 'delivered', at }, now), lastDeliveredTime: at };
}

/** A webhook that spec wants to be on. */
interface Followed {
  readonly key: string;
  readonly portalID: string | undefined;
  readonly replay: ReplayContext;
}

interface RecoveryOptions {
  readonly diverted: ReadonlyMap<string, Diversion>;
  readonly mayWrite: boolean;
}

/**
 * Follows the replays, and requests those that are due or that a user wants: once for each period and webhook, whatever happens. Forgets the
 * gaps whose logs Konnect has deleted. `looks`: what this reconciliation has seen of each webhook.
 */
export async function recoverGaps(
  context: ReconcileContext,
  desired: DesiredState,
  looks: ReadonlyMap<string, DeliveryLook>,
  options: RecoveryOptions,
): Promise<void> {
  const { status } = context;
  const before = status.recorded;
  const followed = followedWebhooks(context, desired, looks, options);
  const requested = answerRequest(context, followed);
  const toRead: Followed[] = [];
  const toStart: Followed[] = [];
  const take = (one: Followed, step: ReplayStep) => {
    recordStep(context, step);
    if (step.action === 'read') toRead.push(one);
    if (step.action === 'start') toStart.push(one);
  };
  for (const entry of status.recorded.delivery ?? []) {
    const one = followed.find(({ key }) => key === entry.key);
    if (one === undefined) {
      // Also of a webhook that is off or not in place, Konnect deletes logs.
      const expiry = planExpiry(entry, context.now());
      if (expiry !== undefined) recordStep(context, expiry);
      continue;
    }
    const window = requested.get(one.key);
    take(one, window === undefined ? planReplay(entry, one.replay) : requestReplay(entry, window, one.replay));
  }
  const seen = await Promise.all(toRead.map(({ portalID }) => observeReplay(context, desired, portalID)));
  for (const [index, one] of toRead.entries()) {
    const read = seen[index];
    const entry = deliveryOf(status.recorded, one.key);
    if (read?.kind === 'seen' && entry !== undefined) take(one, afterRead(entry, read.job, one.replay));
  }
  recordReplayNews(context, before);
  const ended = status.recorded;
  for (const one of toRead) {
    const entry = deliveryOf(ended, one.key);
    // The next gap has waited for the end of this replay.
    if (entry !== undefined && !isReplaying(entry.replay)) take(one, planReplay(entry, one.replay));
  }
  await requestReplays(context, desired, toStart);
  recordReplayNews(context, ended);
}

function followedWebhooks(
  { forwarding, now }: ReconcileContext,
  { portals, organization }: DesiredState,
  looks: ReadonlyMap<string, DeliveryLook>,
  { diverted, mayWrite }: RecoveryOptions,
): readonly Followed[] {
  const isAutomatic = forwarding.spec.gapRecovery?.mode === 'Replay';
  const wanted = [...portals.map(({ id }) => id), ...(organization === undefined ? [] : [undefined])];
  return wanted.flatMap((portalID): Followed[] => {
    const key = deliveryKeyOf(portalID);
    const look = looks.get(key);
    if (look === undefined || look.kind === 'absent' || look.kind === 'off') return [];
    const delivery = isFailingLook(look) ? 'failing' : isProved(look) && !diverted.has(key) ? 'proved' : 'unknown';
    return [{ key, portalID, replay: { now: now(), delivery, isAutomatic, mayWrite } }];
  });
}

async function requestReplays(
  context: ReconcileContext,
  desired: DesiredState,
  toStart: readonly Followed[],
): Promise<void> {
  if (toStart.length === 0) return;
  // Status has every request before Konnect does. A process with an outdated cache ends here.
  await beforeWrite(context, 'requesting a replay of audit logs');
  await Promise.all(
    toStart.map(async ({ key, portalID }) => {
      const { replay } = deliveryOf(context.status.recorded, key) ?? {};
      if (replay === undefined) return;
      const outcome = await startReplay(context, desired, portalID, replay);
      const entry = deliveryOf(context.status.recorded, key);
      if (entry !== undefined) record(context, afterStart(entry, outcome, context.now()));
    }),
  );
}

/** Returns the periods that a user has requested, by webhook. Status says that the annotation is answered, together with the requests. */
function answerRequest(context: ReconcileContext, followed: readonly Followed[]): ReadonlyMap<string, Period> {
  const { status, replayRequest: request } = context;
  if (request === undefined) return new Map();
  status.recorded = { ...status.recorded, lastHandledReplay: request.value };
  const named = followed.filter(({ key }) => request.key === undefined || key === request.key);
  if (named.length === 0) {
    reject(context, 'no webhook that it is for is in place and on: see status.delivery');
    return new Map();
  }
  const isRunning = ({ key }: Followed) => {
    const { state } = deliveryOf(status.recorded, key)?.replay ?? {};
    return state !== undefined && state !== 'Completed' && state !== 'Failed';
  };
  const running = named.filter(isRunning).map(({ portalID }) => webhookName(portalID));
  if (running.length > 0) {
    const objects = running.length > 3 ? 'more than three webhooks' : running.join(', ');
    reject(context, `another replay of ${objects} has not ended: set the annotation to a new value when it has`);
  }
  return new Map(named.filter((one) => !isRunning(one)).map(({ key }) => [key, request]));
}

function reject(context: ReconcileContext, why: string): void {
  recordEvent(context, 'Warning', 'ReplayRejected', 'Replay', `the operator requests no replay: ${why}`);
}

function recordStep(context: ReconcileContext, { entry, lost = [] }: ReplayStep): void {
  record(context, entry);
  for (const one of lost) recordEvent(context, 'Warning', 'LogsLost', 'Replay', lostMessage(entry, one));
}

function record({ status }: ReconcileContext, entry: DeliveryStatus): void {
  status.recorded = withDelivery(status.recorded, entry);
}

function isFailingLook(look: DeliveryLook | undefined): boolean {
  return look?.kind === 'seen' && (look.state === 'Failing' || look.state === 'SwitchedOff');
}

function isProved(look: DeliveryLook): boolean {
  if (look.kind !== 'seen' || look.state !== 'Delivered') return false;
  return look.code !== undefined && look.code >= 200 && look.code <= 299;
}
