/** Says in conditions and events which audit logs were not delivered, and what becomes of them. */
import {
  type Condition,
  type DeliveryStatus,
  type GapStatus,
  type ReplayStatus,
  replayAnnotation,
} from '../../api/v1alpha1.ts';
import { type ConditionContext, exactCondition, firstOf, type gapConditionTypes } from '../../status/conditions.ts';
import { deliveryOf } from '../../status/delivery.ts';
import { gapsOf, hasEnded, imminentMs, isReplaying, type Period, retentionMs } from '../../status/gaps.ts';
import type { RecordedState } from '../../status/recorded-state.ts';
import { inSeconds, isSameWindow, startOf } from '../../status/replays.ts';
import type { StatusWriter } from '../../status/status-writer.ts';
import { entryName } from '../observed/observe-delivery.ts';
import { type ReconcileContext, recordEvent } from '../reconcile-context.ts';

/** One statement about the gap or the replay of a webhook. */
interface Finding {
  readonly reason: (typeof order)[number];
  readonly message: string;
}

/** The worst first. */
const order = ['ReplayFailed', 'GapOpen', 'ReplayAvailable', 'Replaying'] as const;

/** Returns the conditions of the gaps that status records. Their messages have the times, which do not change while a gap lasts. */
export function gapConditions({ forwarding, recorded }: StatusWriter, context: ConditionContext): Condition[] {
  const { delivery = [] } = recorded;
  const found = delivery
    .flatMap((entry) => findingsOf(entry, forwarding))
    .toSorted((a, b) => order.indexOf(a.reason) - order.indexOf(b.reason));
  const [first] = found;
  const old = delivery.flatMap((entry) => lossOf(entry, context.now));
  const lost = old.find(({ reason }) => reason === 'LogsLost') ?? old[0];
  return [
    ...(first === undefined ? [] : [whileTrue('LogsUndelivered', first.reason, found, context)]),
    ...(lost === undefined ? [] : [whileTrue('LogLossImminent', lost.reason, old, context)]),
  ];
}

function whileTrue(
  type: (typeof gapConditionTypes)[number],
  reason: string,
  found: readonly { readonly message: string }[],
  context: ConditionContext,
): Condition {
  const messages = found.map(({ message }) => message);
  return exactCondition(type, 'True', reason, firstOf(messages), context);
}

/** Returns what a user should know of a webhook. */
function findingsOf(entry: DeliveryStatus, forwarding: StatusWriter['forwarding']): Finding[] {
  const { replay } = entry;
  const found = replayFinding(entry, forwarding);
  const isSaid = (gap: GapStatus) =>
    hasEnded(gap) && replay !== undefined && found.length > 0 && isSameWindow(replay, inSeconds(gap));
  const unsaid = gapsOf(entry).filter((gap) => !isSaid(gap));
  return [...found, ...unsaid.map((gap) => gapFinding(entry, gap, forwarding))];
}

function replayFinding(entry: DeliveryStatus, forwarding: StatusWriter['forwarding']): Finding[] {
  const { replay } = entry;
  const name = entryName(entry);
  if (replay?.state === 'Failed') return [failedFinding(entry, replay, forwarding)];
  if (!isReplaying(replay)) return [];
  const how = replay.state === 'Requested' ? 'the operator requests it' : `Konnect calls it ${replay.state}`;
  return [{ reason: 'Replaying', message: `a replay of ${logsOf(name, replay)} is in progress: ${how}` }];
}

/** Returns what follows from a failed replay. A window without a time has no second try before it. */
function failedFinding(
  entry: DeliveryStatus,
  window: Period & Pick<ReplayStatus, 'code' | 'retryTime'>,
  forwarding: StatusWriter['forwarding'],
): Finding {
  const { code, retryTime } = window;
  const why = code === undefined ? '' : `, because Konnect refused it (HTTP ${String(code)})`;
  const next =
    retryTime === undefined
      ? `correct the cause, then run: ${commandOf(entry, window, forwarding)}`
      : `the operator requests it once more at ${startOf(retryTime)}`;
  return { reason: 'ReplayFailed', message: `the replay of ${logsOf(entryName(entry), window)} failed${why}: ${next}` };
}

/** Returns what a user can do about a gap. */
function gapFinding(entry: DeliveryStatus, gap: GapStatus, forwarding: StatusWriter['forwarding']): Finding {
  const name = entryName(entry);
  const { spec } = forwarding;
  if (!hasEnded(gap)) {
    const message = `audit logs of ${name} since ${startOf(gap.from)} were not delivered: make the endpoint accept deliveries (see Delivering)`;
    return { reason: 'GapOpen', message };
  }
  const window = inSeconds(gap);
  if (gap.isFailed === true) return failedFinding(entry, window, forwarding);
  const logs = logsOf(name, window) + (gap.isMerged === true ? ', apart from some in between,' : '');
  if (spec.mode === 'Observe') {
    const message = `${logs} were not delivered: set spec.mode to Enforce, so that the operator may request a replay`;
    return { reason: 'ReplayAvailable', message };
  }
  if (spec.gapRecovery?.mode === 'Replay') {
    const message = isReplaying(entry.replay)
      ? `${logs} were not delivered: the operator requests a replay when the other one has ended`
      : `${logs} were not delivered: the operator requests a replay after the next delivery`;
    return { reason: 'Replaying', message };
  }
  const command = commandOf(entry, window, forwarding);
  return { reason: 'ReplayAvailable', message: `${logs} were not delivered: to have them sent again, run: ${command}` };
}

/** Returns a statement if Konnect will soon delete logs that were not delivered, or has begun to. */
function lossOf(
  entry: DeliveryStatus,
  now: Date,
): { readonly reason: 'GapSixDaysOld' | 'LogsLost'; readonly message: string }[] {
  const [oldest] = gapsOf(entry);
  if (oldest === undefined) return [];
  const ageMs = now.getTime() - Date.parse(oldest.from);
  if (!(ageMs >= imminentMs)) return [];
  const from = startOf(oldest.from);
  const name = entryName(entry);
  return ageMs >= retentionMs
    ? [
        {
          reason: 'LogsLost',
          message: `Konnect deletes audit logs of ${name} that were not delivered since ${from}, because it keeps them for 7 days: see LogsUndelivered`,
        },
      ]
    : [
        {
          reason: 'GapSixDaysOld',
          message: `audit logs of ${name} since ${from} were not delivered, and Konnect deletes them after 7 days: see LogsUndelivered`,
        },
      ];
}

/** Returns the message about logs that no replay can send. */
export function lostMessage(entry: DeliveryStatus, lost: Period): string {
  return `${logsOf(entryName(entry), inSeconds(lost))} are lost: they were not delivered, and Konnect keeps audit logs for 7 days`;
}

/** Records an event for each replay that Konnect has accepted, completed or failed since `before`. */
export function recordReplayNews(context: ReconcileContext, before: RecordedState): void {
  for (const entry of context.status.recorded.delivery ?? []) {
    const { key, replay } = entry;
    const was = deliveryOf(before, key)?.replay;
    if (replay === undefined || (was?.state === replay.state && was.requestedTime === replay.requestedTime)) continue;
    const logs = logsOf(entryName(entry), replay);
    if (replay.state === 'Completed') {
      recordEvent(context, 'Normal', 'ReplayCompleted', 'Replay', `Konnect has sent ${logs} again`);
    } else if (replay.state === 'Failed') {
      const [finding] = findingsOf(entry, context.status.forwarding);
      recordEvent(context, 'Warning', 'ReplayFailed', 'Replay', finding?.message ?? '');
    } else if (
      replay.state !== 'Requested' &&
      (was === undefined || was.state === 'Requested' || was.requestedTime !== replay.requestedTime)
    ) {
      recordEvent(context, 'Normal', 'ReplayStarted', 'Replay', `Konnect accepted a replay of ${logs}`);
    }
  }
}

/** Returns the command with which a user requests the replay. */
function commandOf(
  { key }: DeliveryStatus,
  { from, to }: Period,
  { metadata: { namespace, name } }: StatusWriter['forwarding'],
): string {
  return `kubectl annotate auditlogforwarding ${name} -n ${namespace} --overwrite ${replayAnnotation}=${from}/${to}/${key}`;
}

function logsOf(name: string, { from, to }: Period): string {
  return `audit logs of ${name} from ${from} to ${to}`;
}
