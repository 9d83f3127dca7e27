/** What the metrics show of one forwarding. Pure. */
import { parseDurationMs } from '../api/duration.ts';
import type { AuditLogForwarding, DeliveryStatus, VerificationStatus } from '../api/v1alpha1.ts';

/** The metrics of a forwarding, by their keys in the table of metrics. */
export type ForwardingMetric =
  | 'forwardingInfo'
  | 'condition'
  | 'lastReady'
  | 'interval'
  | 'deletion'
  | 'driftObjects'
  | 'webhooks'
  | 'webhookState'
  | 'webhookDelivering'
  | 'webhookLastAttempt'
  | 'webhookLastResponseCode'
  | 'webhookGapStart'
  | 'verificationLines'
  | 'lastVerified';

/** One series, without the labels `namespace` and `name`. */
export interface ForwardingSample {
  readonly metric: ForwardingMetric;
  readonly labels: Readonly<Record<string, string>>;
  /** `now`: the time at which metrics are requested. */
  readonly value: number | 'now';
}

/** Returns every series of a forwarding. None has a value that a request for metrics could not repeat, except `now`. */
export function samplesOf(forwarding: AuditLogForwarding): ForwardingSample[] {
  const { metadata, status } = forwarding;
  const { deletionTimestamp } = metadata;
  const intervalMs = parseDurationMs(forwarding.spec.interval);
  return [
    { metric: 'forwardingInfo', labels: infoOf(forwarding), value: 1 },
    ...conditionSamples(forwarding),
    ...(intervalMs === undefined || forwarding.spec.suspend ? [] : [only('interval', intervalMs / 1_000)]),
    ...timed('deletion', {}, deletionTimestamp),
    only('driftObjects', status.drift?.length ?? 0),
    ...deliveryCounts(status.delivery),
    ...webhookSamples(forwarding),
    ...verificationSamples(status.verification),
  ];
}

function only(metric: ForwardingMetric, value: number): ForwardingSample {
  return { metric, labels: {}, value };
}

/** Returns the sample of a time, or none if there is no valid time. */
function timed(
  metric: ForwardingMetric,
  labels: Readonly<Record<string, string>>,
  time: string | undefined,
): ForwardingSample[] {
  const seconds = Date.parse(time ?? '') / 1_000;
  return Number.isNaN(seconds) ? [] : [{ metric, labels, value: seconds }];
}

function infoOf({ spec, status }: AuditLogForwarding): Readonly<Record<string, string>> {
  return {
    region: spec.konnect.region,
    organization: status.konnect?.organizationID ?? '',
    destination: status.destination?.name ?? '',
    log_format: spec.destination?.logFormat ?? '',
    mode: spec.mode,
  };
}

function conditionSamples({ status }: AuditLogForwarding): ForwardingSample[] {
  const { conditions = [] } = status;
  const ready = conditions.find(({ type }) => type === 'Ready');
  return [
    ...conditions.map(
      ({ type, status: is, reason }): ForwardingSample => ({
        metric: 'condition',
        labels: { type, status: is, reason: wordOf(reason) },
        value: 1,
      }),
    ),
    ...(ready?.status === 'True'
      ? [{ metric: 'lastReady', labels: {}, value: 'now' } as const]
      : timed('lastReady', {}, ready?.lastTransitionTime)),
  ];
}

/** Returns a reason as a label. A tenant may be able to write status, and a label must not carry a text of a tenant. */
function wordOf(reason: string): string {
  return /^\w{1,64}$/.test(reason) ? reason : 'other';
}

function deliveryCounts(delivery: readonly DeliveryStatus[] = []): ForwardingSample[] {
  const counts = new Map<string, number>();
  for (const { state } of delivery) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].map(([state, value]) => ({ metric: 'webhooks', labels: { state }, value }));
}

function webhookSamples({ spec, status }: AuditLogForwarding): ForwardingSample[] {
  const { organization, portals = [], delivery = [], konnect } = status;
  const region = konnect?.region ?? spec.konnect.region;
  const attachments = [
    ...(organization === undefined ? [] : [{ webhook: 'organization', ...organization }]),
    ...portals.map((portal) => ({ webhook: portal.id, ...portal })),
  ];
  return [
    ...attachments.map(
      ({ webhook, state, reason = '' }): ForwardingSample => ({
        metric: 'webhookState',
        labels: { region, webhook, state, reason: reason === '' ? '' : wordOf(reason) },
        value: 1,
      }),
    ),
    ...delivery.flatMap((one) => deliverySamples(one, { region, webhook: one.key })),
  ];
}

/** Returns at most four series, besides `webhookState`: each webhook of each forwarding costs them. */
function deliverySamples(
  { state, lastAttemptTime, lastResponseCode, lastDeliveredTime, failingSince, earlierGaps, gap }: DeliveryStatus,
  labels: Readonly<Record<string, string>>,
): ForwardingSample[] {
  const isFailing = state === 'Failing' || state === 'SwitchedOff';
  const isKnown = isFailing || state === 'Delivered';
  // With gapRecovery None, status has no gap.
  const gapStart = (earlierGaps?.[0] ?? gap)?.from ?? (isFailing ? (lastDeliveredTime ?? failingSince) : undefined);
  return [
    ...(isKnown ? [{ metric: 'webhookDelivering', labels, value: isFailing ? 0 : 1 } as const] : []),
    ...timed('webhookLastAttempt', labels, lastAttemptTime),
    ...(lastAttemptTime === undefined
      ? []
      : [{ metric: 'webhookLastResponseCode', labels, value: lastResponseCode ?? 0 } as const]),
    ...timed('webhookGapStart', labels, gapStart),
  ];
}

/** Returns the results of the last verification. What was not counted has no series. */
function verificationSamples({
  found,
  missing,
  unsigned,
  invalidSignatures: invalid,
  foreign,
  lastVerifiedTime,
}: VerificationStatus = {}): ForwardingSample[] {
  const counts = Object.entries({ found, missing, unsigned, invalid, foreign });
  return [
    ...timed('lastVerified', {}, lastVerifiedTime),
    ...counts.flatMap(([result, value]): ForwardingSample[] =>
      value === undefined ? [] : [{ metric: 'verificationLines', labels: { result }, value }],
    ),
  ];
}
