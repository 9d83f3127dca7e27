import type { KonnectModel, Organization, ReplayJob, Webhook } from '../model.ts';
import { conflict } from '../problem.ts';
import { invalid } from '../validation.ts';
import { deliver, deliveryTarget } from './webhooks.ts';

export type ReplayStatus = 'unconfigured' | 'accepted' | 'running' | 'completed' | 'failed';

/** How long Konnect keeps lines. */
const retentionMs = 7 * 24 * 3_600_000;

/** The lines of a webhook: the logins of a portal, or the calls of the organization in a region. */
export interface ReplayScope {
  readonly region: string;
  readonly portalID?: string;
}

/**
 * Sends the lines of a period again, oldest first. Times are RFC 3339.
 *
 * @throws {Problem} 400 for times outside the last seven days or a disabled webhook, 409 while a job runs
 */
export function startReplay(
  model: KonnectModel,
  organization: Organization,
  webhook: Webhook,
  scope: ReplayScope,
  { startAt, endAt }: Pick<ReplayJob, 'startAt' | 'endAt'>,
): void {
  rejectInvalidTimes(model, startAt, endAt);
  if (!webhook.enabled || deliveryTarget(organization, webhook) === undefined) {
    throw invalid([
      { field: 'enabled', rule: 'invalid', reason: 'of the audit log webhook must be true for a replay' },
    ]);
  }
  if (replayStatus(model, webhook) === 'running') throw conflict('A replay job is currently running');
  const job: ReplayJob = { startAt, endAt, updatedAt: model.clock(), pending: 0, failed: false };
  webhook.replay = job;
  for (const { event, region, portalID } of organization.events) {
    if (region !== scope.region || portalID !== scope.portalID) continue;
    if (event.at.getTime() < Date.parse(startAt) || event.at.getTime() > Date.parse(endAt)) continue;
    job.pending += 1;
    const sent = deliver(model, organization, webhook, event, (ok) => {
      job.pending -= 1;
      job.failed ||= !ok;
    });
    if (!sent) job.pending -= 1;
  }
}

export function replayStatus(model: KonnectModel, { replay }: Webhook): ReplayStatus {
  if (replay === undefined) return 'unconfigured';
  const ranMs = model.clock().getTime() - replay.updatedAt.getTime();
  if (replay.pending > 0 || ranMs < model.behavior.replayDurationMs) return 'running';
  return replay.failed ? 'failed' : 'completed';
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
