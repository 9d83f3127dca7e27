import type { KonnectModel, Organization, RecordedEvent, ReplayJob, Webhook } from '../model.ts';
import { conflict } from '../problem.ts';
import { invalid } from '../validation.ts';
import { deliver, deliveryTarget } from './webhooks.ts';

export type ReplayStatus = 'unconfigured' | 'accepted' | 'pending' | 'running' | 'completed' | 'failed';

/** How long Konnect keeps lines. */
const retentionMs = 7 * 24 * 3_600_000;

/**
 * Accepts a job that sends the lines of a period again, and replaces the last one. Times are RFC 3339.
 *
 * @throws {Problem} 400 for times outside the last seven days or a disabled webhook, 409 while a job runs
 */
export function startReplay(
  model: KonnectModel,
  organization: Organization,
  webhook: Webhook,
  { startAt, endAt }: Pick<ReplayJob, 'startAt' | 'endAt'>,
): void {
  rejectInvalidTimes(model, startAt, endAt);
  if (!webhook.enabled || deliveryTarget(organization, webhook) === undefined) {
    throw invalid([
      { field: 'enabled', rule: 'invalid', reason: 'of the audit log webhook must be true for a replay' },
    ]);
  }
  if (replayStatus(model, webhook) === 'running') throw conflict('A replay job is currently running');
  webhook.replay = { startAt, endAt, acceptedAt: model.clock(), pending: 0, failed: false };
  runDueReplays(model);
}

export function replayStatus(model: KonnectModel, { replay }: Webhook): ReplayStatus {
  if (replay === undefined) return 'unconfigured';
  const { startedAt, pending, failed } = replay;
  if (startedAt === undefined) {
    return msSince(model, replay.acceptedAt) < model.behavior.replayQueueMs / 2 ? 'accepted' : 'pending';
  }
  if (pending > 0 || msSince(model, startedAt) < model.behavior.replayDurationMs) return 'running';
  return failed || model.behavior.replayOutcome === 'failed' ? 'failed' : 'completed';
}

/** Runs every job that has waited long enough: sends its lines, oldest first, to what the webhook points at now. */
export function runDueReplays(model: KonnectModel): void {
  for (const organization of model.organizations.values()) {
    for (const { id, region, webhook } of organization.portals.values()) {
      runIfDue(model, organization, webhook, { region, portalID: id });
    }
    for (const [region, webhook] of organization.webhooks) runIfDue(model, organization, webhook, { region });
  }
}

/** The lines of a webhook: the logins of a portal, or the calls of the organization in a region. */
type ReplayScope = Pick<RecordedEvent, 'region' | 'portalID'>;

function runIfDue(model: KonnectModel, organization: Organization, webhook: Webhook, scope: ReplayScope): void {
  const { replay: job } = webhook;
  if (job === undefined || job.startedAt !== undefined) return;
  if (msSince(model, job.acceptedAt) < model.behavior.replayQueueMs) return;
  job.startedAt = model.clock();
  for (const { event, region, portalID } of organization.events) {
    if (region !== scope.region || portalID !== scope.portalID) continue;
    if (event.at.getTime() < Date.parse(job.startAt) || event.at.getTime() > Date.parse(job.endAt)) continue;
    job.pending += 1;
    const sent = deliver(model, organization, webhook, event, (ok) => {
      job.pending -= 1;
      job.failed ||= !ok;
    });
    if (!sent) job.pending -= 1;
  }
}

function msSince(model: KonnectModel, time: Date): number {
  return model.clock().getTime() - time.getTime();
}

function rejectInvalidTimes(model: KonnectModel, startAt: string, endAt: string): void {
  const now = model.clock().getTime();
  for (const [field, value] of [
    ['start_at', startAt],
    ['end_at', endAt],
  ] as const) {
    const time = Date.parse(value);
    if (time < now - retentionMs || time > now) {
      throw invalid([{ field, rule: 'invalid', reason: `must be within the last 7 days [${value}]` }]);
    }
  }
  if (Date.parse(startAt) > Date.parse(endAt)) {
    throw invalid([{ field: 'end_at', rule: 'invalid', reason: `must not be before start_at [${endAt}]` }]);
  }
}
