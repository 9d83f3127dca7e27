/** Computes the conditions of a forwarding from the health of its parts. Pure. */
import type { Condition } from '../api/v1alpha1.ts';
import { causeOf, mergeCauses, type Problem, worstFirst } from './problem.ts';

export type Health =
  | { readonly kind: 'good'; readonly reason: string; readonly message: string }
  /** At least one problem, the worst first. */
  | { readonly kind: 'bad'; readonly problems: readonly Problem[] }
  /** Not checked, because an earlier step failed. */
  | { readonly kind: 'unchecked'; readonly message: string };

/** Whether audit logs are delivered. It has a condition of its own and does not count for `Ready`. */
export type DeliveryHealth =
  | {
      readonly kind: 'seen';
      readonly status: Condition['status'];
      readonly reason: string;
      readonly message: string;
      /** Why Konnect did not show the deliveries of some webhooks for the moment. */
      readonly outages: readonly Problem[];
      /** True if a webhook has another state than before. */
      readonly isNews: boolean;
    }
  /** The operator could not look. */
  | { readonly kind: 'unseen' };

export interface Report {
  readonly secrets: Health;
  readonly destination: Health;
  readonly webhooks: Health;
  /** What is still to be removed from Konnect. It counts for `Ready` and has no condition of its own. */
  readonly cleanup: Health;
  readonly readyMessage: string;
  /** Undefined if no webhook is in place. */
  readonly delivery?: DeliveryHealth | undefined;
  /** The message of `Drifted`: there is no problem, but Konnect differs from spec, and `mode` is Observe. */
  readonly drifted?: string;
}

export interface ConditionContext {
  readonly generation: number;
  readonly previous: readonly Condition[];
  readonly now: Date;
  /**
   * What an `unavailable` problem does to a condition. `keep`: the condition stays as it is. `unknown`: it becomes Unknown.
   * `none`: it becomes False, since what spec and Secrets want now was never applied.
   */
  readonly grace: 'none' | 'keep' | 'unknown';
}

const maxMessageLength = 1_000;
const maxMessages = 3;

/** The conditions of gaps, which are present only while true. */
export const gapConditionTypes = ['LogsUndelivered', 'LogLossImminent'] as const;

/** The conditions beside `Ready`, `Stalled` and `Reconciling`, in their order. */
export const partTypes = [
  'SecretsResolved',
  'DestinationReady',
  'WebhooksReady',
  'Delivering',
  ...gapConditionTypes,
  'Verified',
] as const;

/** Returns the conditions of a reconciliation that is still in progress. */
export function progressing(reason: string, message: string, context: ConditionContext): Condition[] {
  return [
    condition('Ready', 'False', reason, message, context),
    condition('Reconciling', 'True', reason, message, context),
    ...context.previous.filter(isPart),
  ];
}

/** Returns the conditions of a suspended forwarding: those of the parts stay as they were. */
export function suspended(message: string, context: ConditionContext): Condition[] {
  return [condition('Ready', 'Unknown', 'Suspended', message, context), ...context.previous.filter(isPart)];
}

/** Drops condition types that other versions wrote, since nothing would ever remove them. */
function isPart({ type }: Condition): boolean {
  return partTypes.some((one) => one === type);
}

/**
 * Returns `Ready`, the three parts, `Delivering` if there is something to deliver, and at most one of `Stalled` and `Reconciling`, which are present only while true (kstatus).
 * A transition time changes only when the status of its condition changes.
 */
export function conditionsOf(report: Report, context: ConditionContext): Condition[] {
  const parts = [report.secrets, report.destination, report.webhooks, report.cleanup];
  const worst = worstFirst(parts.flatMap((part) => (part.kind === 'bad' ? part.problems : [])));
  const [first] = worst;
  const partConditions = [
    partCondition('SecretsResolved', report.secrets, context),
    partCondition('DestinationReady', report.destination, context),
    partCondition('WebhooksReady', report.webhooks, context),
    ...deliveryCondition(report.delivery, first, context),
  ];
  if (first === undefined && report.drifted !== undefined) {
    return [condition('Ready', 'False', 'Drifted', report.drifted, context), ...partConditions];
  }
  if (first === undefined) {
    return [condition('Ready', 'True', 'InSync', report.readyMessage, context), ...partConditions];
  }
  const message = summary(worst);
  const ready =
    first.severity === 'unavailable'
      ? withGrace('Ready', first, message, context)
      : condition('Ready', 'False', first.reason, message, context);
  const abnormal = first.severity === 'stalled' ? 'Stalled' : 'Reconciling';
  return [ready, condition(abnormal, 'True', first.reason, message, context), ...partConditions];
}

/** Returns the conditions with another `Verified`, which is always the last one. */
export function withVerified(
  { status, reason, message }: Pick<Condition, 'status' | 'reason' | 'message'>,
  context: ConditionContext,
): Condition[] {
  const verified = exactCondition('Verified', status, reason, message, context);
  return [...context.previous.filter(({ type }) => type !== 'Verified'), verified];
}

function partCondition(type: string, health: Health, context: ConditionContext): Condition {
  switch (health.kind) {
    case 'good':
      return condition(type, 'True', health.reason, health.message, context);
    case 'unchecked':
      return condition(type, 'Unknown', 'NotChecked', health.message, context);
    case 'bad': {
      const [first] = health.problems;
      if (first === undefined) return condition(type, 'Unknown', 'NotChecked', '', context);
      return first.severity === 'unavailable'
        ? withGrace(type, first, summary(health.problems), context)
        : condition(type, 'False', first.reason, summary(health.problems), context);
    }
  }
}

/** While Konnect is unavailable, the condition stays as it is for the same time as `Ready`. */
function deliveryCondition(
  delivery: DeliveryHealth | undefined,
  worst: Problem | undefined,
  context: ConditionContext,
): Condition[] {
  if (delivery === undefined) return [];
  const before = context.previous.find(({ type }) => type === 'Delivering');
  if (delivery.kind === 'unseen') {
    if (before === undefined) return [];
    if (worst?.severity === 'unavailable' && context.grace === 'keep') return [before];
    const message = 'the operator could not look at the deliveries: see Ready';
    return [condition('Delivering', 'Unknown', 'StatusUnavailable', message, context)];
  }
  const { status, reason, message, outages } = delivery;
  // The code of the last answer is that of the SIEM.
  if (outages.length === 0 || status === 'False')
    return [exactCondition('Delivering', status, reason, message, context)];
  if (context.grace === 'keep' && before !== undefined) return [before];
  return [condition('Delivering', 'Unknown', 'StatusUnavailable', unseenMessage(outages), context)];
}

/** Returns the message for webhooks whose deliveries Konnect does not show. */
export function unseenMessage(problems: readonly Problem[]): string {
  return `Konnect does not show whether deliveries succeed: ${summary(problems)}`;
}

function withGrace(type: string, problem: Problem, message: string, context: ConditionContext): Condition {
  const before = context.previous.find((one) => one.type === type);
  switch (context.grace) {
    case 'keep':
      return before ?? condition(type, 'Unknown', problem.reason, message, context);
    case 'unknown':
      return condition(type, 'Unknown', problem.reason, message, context);
    case 'none':
      return condition(type, 'False', problem.reason, message, context);
  }
}

/** Returns the messages of at most three causes. */
export function summary(problems: readonly Problem[]): string {
  const text = firstOf(mergeCauses(problems).map(({ message }) => message));
  // The API server would store half of a surrogate pair as another character, and every comparison would find a difference.
  return text.length > maxMessageLength ? `${text.slice(0, maxMessageLength - 1).toWellFormed()}…` : text;
}

/** Returns at most three of the messages as one, with the number of the others. */
export function firstOf(messages: readonly string[]): string {
  const more = messages.length - maxMessages;
  return messages.slice(0, maxMessages).join('; ') + (more > 0 ? `; and ${String(more)} more` : '');
}

/** Returns a condition whose message is always the present one: its numbers and times are what a user should know. */
export function exactCondition(
  type: string,
  status: Condition['status'],
  reason: string,
  message: string,
  context: ConditionContext,
): Condition {
  return { ...condition(type, status, reason, message, context), message };
}

/** Returns a condition. Its transition time changes only with its status. */
export function condition(
  type: string,
  status: Condition['status'],
  reason: string,
  message: string,
  { generation, previous, now }: ConditionContext,
): Condition {
  const before = previous.find((one) => one.type === type);
  const lastTransitionTime =
    before?.status === status ? before.lastTransitionTime : now.toISOString().replace(/\.\d{3}Z$/, 'Z');
  // The code and the time of the first failure stay, so that status does not change with every answer of a failing Konnect.
  const isSame = before?.reason === reason && causeOf(before.message) === causeOf(message);
  const shown = isSame ? before.message : message;
  return { type, status, reason, message: shown, lastTransitionTime, observedGeneration: generation };
}
