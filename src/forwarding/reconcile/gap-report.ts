/** Says in conditions and events which audit logs were not delivered, and what becomes of them. */
import { type Condition, type DeliveryStatus, replayAnnotation } from '../../api/v1alpha1.ts';
import { type ConditionContext, exactCondition, firstOf, type gapConditionTypes } from '../../status/conditions.ts';
import { deliveryOf } from '../../status/delivery.ts';
import { imminentMs, isReplaying, type Period, retentionMs } from '../../status/gaps.ts';
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
  const { gap, replay } = entry;
  const found = replayFinding(entry, forwarding);
  if (gap === undefined) return found;
  const { from, to } = gap;
  const window = to === undefined ? undefined : inSeconds({ from, to });
  const isSaid = window !== undefined && replay !== undefined && found.length > 0 && isSameWindow(replay, window);
  return isSaid ? found : [...found, gapFinding(entry, from, window, forwarding)];
}

function replayFinding(entry: DeliveryStatus, forwarding: StatusWriter['forwarding']): Finding[] {
  const { replay } = entry;
  const name = entryName(entry);
  if (replay?.state === 'Failed') {
    const why = replay.code === undefined ? '' : `, because Konnect refused it (HTTP ${String(replay.code)})`;
    const next =
      replay.retryTime === undefined
        ? `correct the cause, then run: ${commandOf(entry, replay, forwarding)}`
        : `the operator requests it once more at ${startOf(replay.retryTime)}`;
    return [{ reason: 'ReplayFailed', message: `the replay of ${logsOf(name, replay)} failed${why}: ${next}` }];
  }
  if (!isReplaying(replay)) return [];
  const how = replay.state === 'Requested' ? 'the operator requests it' : `Konnect calls it ${replay.state}`;
  return [{ reason: 'Replaying', message: `a replay of ${logsOf(name, replay)} is in progress: ${how}` }];
}

/** Returns what a user can do about a gap. `window` is undefined while the gap is open. */
function gapFinding(
  entry: DeliveryStatus,
  since: string,
  window: Period | undefined,
  forwarding: StatusWriter['forwarding'],
): Finding {
  const name = entryName(entry);
  const { spec } = forwarding;
  if (window === undefined) {
    const message = `audit logs of ${name} since ${startOf(since)} were not delivered: make the endpoint accept deliveries (see Delivering)`;
    return { reason: 'GapOpen', message };
  }
  const logs = logsOf(name, window);
  if (spec.mode === 'Observe') {
    const message = `${logs} were not delivered: set spec.mode to Enforce, so that the operator may request a replay`;
    return { reason: 'ReplayAvailable', message };
  }
  if (spec.gapRecovery?.mode === 'Replay') {
    const message = `${logs} were not delivered: the operator requests a replay after the next delivery`;
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
  const { gap, replay } = entry;
  const waiting = isReplaying(replay) && replay.isManual !== true ? replay.from : undefined;
  const starts = [gap?.from, waiting].flatMap((time) => (time === undefined ? [] : Date.parse(time)));
  const ageMs = now.getTime() - Math.min(...starts);
  if (starts.length === 0 || !(ageMs >= imminentMs)) return [];
  const from = startOf(new Date(Math.min(...starts)).toISOString());
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
