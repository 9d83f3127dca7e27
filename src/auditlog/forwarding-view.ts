/**
 * What the commands show of a forwarding. The schema takes what it knows and leaves out the rest, since the CRD and the operator in the
 * cluster may have another version than the command.
 */
import * as z from 'zod';
import { parseDurationMs } from '../api/duration.ts';

const text = z.string().optional().catch(undefined);
const count = z.int().optional().catch(undefined);

/** Returns a schema for a list. An entry that does not match is left out. */
function list<T>(entry: z.ZodType<T>) {
  return z
    .array(z.unknown())
    .catch([])
    .default([])
    .transform((entries) => entries.flatMap((one) => entry.safeParse(one).data ?? []));
}

const Attachment = z.object({ enabled: z.boolean().catch(true), state: z.string(), reason: text });
const Gap = z.object({ from: z.string(), to: text });
const Replay = z.object({ from: text, to: text, state: z.string(), requestedTime: text });

const Delivery = z.object({
  key: z.string(),
  state: z.string(),
  lastAttemptTime: text,
  lastResponseCode: count,
  failingSince: text,
  lastDeliveredTime: text,
  earlierGaps: z.array(Gap).optional().catch(undefined),
  gap: Gap.optional().catch(undefined),
  replay: Replay.optional().catch(undefined),
});

const Verification = z.object({
  lastVerifiedTime: text,
  window: z
    .union([z.string(), z.object({ from: z.string(), to: z.string() })])
    .optional()
    .catch(undefined),
  entries: count,
  found: count,
  missing: count,
  unsigned: count,
  invalidSignatures: count,
  foreign: count,
  latencyP50: text,
  latencyP99: text,
  oldestMissing: z.object({ traceID: z.string(), time: z.string() }).optional().catch(undefined),
});

const Condition = z.object({
  type: z.string(),
  status: z.string(),
  reason: z.string(),
  message: z.string(),
  lastTransitionTime: text,
});

export type ShownCondition = z.infer<typeof Condition>;

const Correction = z.object({ object: z.string(), at: list(z.string()) });

const Forwarding = z.object({
  metadata: z.object({ namespace: z.string(), name: z.string(), creationTimestamp: text, deletionTimestamp: text }),
  spec: z
    .object({
      konnect: z.object({ region: z.string().catch('') }).catch({ region: '' }),
      mode: text,
      suspend: z.boolean().optional().catch(undefined),
      interval: text,
      portals: list(z.object({ id: z.string() })),
      organization: z.unknown().optional(),
    })
    .catch({ konnect: { region: '' }, mode: undefined, suspend: undefined, interval: undefined, portals: [] }),
  status: z
    .object({
      conditions: list(Condition),
      konnect: z.object({ organizationID: text }).optional().catch(undefined),
      destination: z.object({ id: text, name: z.string(), logFormat: text }).optional().catch(undefined),
      organization: Attachment.optional().catch(undefined),
      portals: list(Attachment.extend({ id: z.string() })),
      delivery: list(Delivery),
      verification: Verification.optional().catch(undefined),
      corrections: list(Correction),
      lastObservedTime: text,
    })
    .catch({ conditions: [], portals: [], delivery: [], corrections: [], lastObservedTime: undefined }),
});

export interface WebhookView {
  /** `organization`, or the ID of the Dev Portal. */
  readonly key: string;
  /** The state in `status.delivery`, or `NotAttached`. */
  readonly state: string;
  /** Why it is not attached. */
  readonly reason?: string | undefined;
  /** Since when deliveries fail, or since when none of the forwarding does. */
  readonly since?: string | undefined;
  readonly failingSince?: string | undefined;
  readonly lastResponseCode?: number | undefined;
  readonly lastAttemptTime?: string | undefined;
  readonly lastDeliveredTime?: string | undefined;
  /** Gaps before `gap`, the oldest first. */
  readonly earlierGaps?: readonly z.infer<typeof Gap>[] | undefined;
  readonly gap?: z.infer<typeof Gap> | undefined;
  readonly replay?: z.infer<typeof Replay> | undefined;
}

export interface ForwardingView {
  readonly namespace: string;
  readonly name: string;
  readonly created?: string | undefined;
  readonly region: string;
  readonly organizationID?: string | undefined;
  readonly destination?: { readonly id?: string | undefined; readonly name: string } | undefined;
  readonly isDeleting: boolean;
  readonly isSuspended: boolean;
  readonly mode: string;
  readonly lastObservedTime?: string | undefined;
  /** True if the operator has not compared Konnect with spec for longer than it does at rest. */
  readonly isOutdated: boolean;
  readonly webhooks: readonly WebhookView[];
  readonly verification?: z.infer<typeof Verification> | undefined;
  readonly corrections: readonly z.infer<typeof Correction>[];
  readonly conditions: readonly ShownCondition[];
}

/** Returns what the commands show of an object, or undefined if it is no forwarding. */
export function viewOf(object: unknown, now: Date): ForwardingView | undefined {
  const parsed = Forwarding.safeParse(object);
  if (!parsed.success) return undefined;
  const { metadata, spec, status } = parsed.data;
  const { namespace, name } = metadata;
  const isSuspended = spec.suspend === true;
  return {
    namespace,
    name,
    created: metadata.creationTimestamp,
    region: spec.konnect.region,
    organizationID: status.konnect?.organizationID,
    destination: status.destination,
    isDeleting: metadata.deletionTimestamp !== undefined,
    isSuspended,
    mode: spec.mode ?? 'Enforce',
    lastObservedTime: status.lastObservedTime,
    isOutdated: !isSuspended && isOutdated(status.lastObservedTime, spec.interval, now),
    webhooks: webhooksOf(parsed.data),
    verification: status.verification,
    corrections: status.corrections,
    conditions: status.conditions,
  };
}

/** Returns the gaps of a webhook, the oldest first. */
export function gapsIn({ earlierGaps = [], gap }: WebhookView): readonly z.infer<typeof Gap>[] {
  return [...earlierGaps, ...(gap === undefined ? [] : [gap])];
}

export function conditionIn({ conditions }: ForwardingView, type: string): ShownCondition | undefined {
  return conditions.find((one) => one.type === type);
}

/** Returns true if the SIEM lacks audit lines, or has some that are not as Konnect sent them. */
export function isRefuted(view: ForwardingView): boolean {
  return conditionIn(view, 'Verified')?.status === 'False';
}

/** The operator writes `lastObservedTime` at most once an hour. Back-off and an outage of Konnect may add an interval. */
function isOutdated(lastObservedTime: string | undefined, interval: string | undefined, now: Date): boolean {
  const intervalMs = parseDurationMs(interval ?? '') ?? 600_000;
  const ageMs = now.getTime() - Date.parse(lastObservedTime ?? '');
  return !(ageMs < 3_600_000 + 2 * intervalMs);
}

function webhooksOf({ spec, status }: z.infer<typeof Forwarding>): WebhookView[] {
  const { organization, portals, delivery, conditions } = status;
  const attachments = new Map(portals.map((one) => [one.id, one]));
  const named = [
    ...(spec.organization === undefined && organization === undefined ? [] : ['organization']),
    ...new Set([...spec.portals, ...portals].map(({ id }) => id)),
  ];
  const delivering = conditions.find(({ type, status: is }) => type === 'Delivering' && is === 'True');
  return named.map((key) => {
    const attachment = key === 'organization' ? organization : attachments.get(key);
    const known = delivery.find((one) => one.key === key);
    if (known === undefined || attachment === undefined || !['on', 'off'].includes(attachment.state))
      return { ...known, key, state: 'NotAttached', reason: attachment?.reason ?? attachment?.state };
    const { state, failingSince } = known;
    const since = failingSince ?? (kindOf(state) === 'good' ? delivering?.lastTransitionTime : undefined);
    return { ...known, key, state, since };
  });
}

/** Returns `good` for the state of a webhook that delivers as far as anybody can know, and `open` for a state that says nothing about it. */
export function kindOf(state: string): 'good' | 'open' | 'bad' {
  if (['Delivered', 'NoAttemptYet', 'Off'].includes(state)) return 'good';
  return ['Failing', 'SwitchedOff', 'NotAttached'].includes(state) ? 'bad' : 'open';
}
