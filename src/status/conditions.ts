/** The conditions of a forwarding, worked out in one place from the health of its parts. Pure. */
import type { Condition } from '../api/v1alpha1.ts';
import { type Problem, worstFirst } from './problem.ts';

export type Health =
  | { readonly kind: 'good'; readonly reason: string; readonly message: string }
  /** At least one, the one that matters most first. */
  | { readonly kind: 'bad'; readonly problems: readonly Problem[] }
  /** Could not be looked at, since something before it is wrong. */
  | { readonly kind: 'unchecked'; readonly message: string };

export interface Report {
  readonly secrets: Health;
  readonly destination: Health;
  readonly webhooks: Health;
  /** What is still to be undone elsewhere: part of `Ready`, without a condition of its own. */
  readonly cleanup: Health;
  readonly readyMessage: string;
  /** Nothing is wrong, but what stands is not what is wanted, and is not to be changed. */
  readonly drifted?: string;
}

export interface ConditionContext {
  readonly generation: number;
  readonly previous: readonly Condition[];
  readonly now: Date;
  /**
   * For trouble that says nothing about what stands in Konnect, while what was last applied is still what is wanted: `keep` leaves the
   * conditions as they are, `unknown` says that they may no longer be true. `none`: something newer waits to be applied.
   */
  readonly grace: 'none' | 'keep' | 'unknown';
}

const longest = 1_000;
const named = 3;

/** What an object that is worked on says before the outcome is known. */
export function progressing(reason: string, message: string, context: ConditionContext): Condition[] {
  return [
    condition('Ready', 'False', reason, message, context),
    condition('Reconciling', 'True', reason, message, context),
    ...context.previous.filter(isPart),
  ];
}

/** Of an object that is to be left alone for a while: the parts stay as they were. */
export function suspended(message: string, context: ConditionContext): Condition[] {
  return [condition('Ready', 'Unknown', 'Suspended', message, context), ...context.previous.filter(isPart)];
}

/** Of types that another version may have written there is none: who keeps them keeps them for ever. */
function isPart({ type }: Condition): boolean {
  return ['SecretsResolved', 'DestinationReady', 'WebhooksReady'].includes(type);
}

/**
 * `Ready`, the three parts, and at most one of `Stalled` and `Reconciling`, which stand only while true (kstatus). A transition time
 * changes with the status of its condition alone.
 */
export function conditionsOf(report: Report, context: ConditionContext): Condition[] {
  const parts = [report.secrets, report.destination, report.webhooks, report.cleanup];
  const worst = worstFirst(parts.flatMap((part) => (part.kind === 'bad' ? part.problems : [])));
  const [first] = worst;
  const partConditions = [
    partCondition('SecretsResolved', report.secrets, context),
    partCondition('DestinationReady', report.destination, context),
    partCondition('WebhooksReady', report.webhooks, context),
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
      ? graced('Ready', first, message, context)
      : condition('Ready', 'False', first.reason, message, context);
  const mark = first.severity === 'stalled' ? 'Stalled' : 'Reconciling';
  return [ready, condition(mark, 'True', first.reason, message, context), ...partConditions];
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
        ? graced(type, first, summary(health.problems), context)
        : condition(type, 'False', first.reason, summary(health.problems), context);
    }
  }
}

function graced(type: string, problem: Problem, message: string, context: ConditionContext): Condition {
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

function summary(problems: readonly Problem[]): string {
  const messages = [...new Set(problems.map(({ message }) => message))];
  const more = messages.length - named;
  const text = messages.slice(0, named).join('; ') + (more > 0 ? `; and ${String(more)} more` : '');
  // Half of a pair of surrogates would be stored as something else, and differ at every look.
  return text.length > longest ? `${text.slice(0, longest - 1).toWellFormed()}…` : text;
}

function condition(
  type: string,
  status: Condition['status'],
  reason: string,
  message: string,
  { generation, previous, now }: ConditionContext,
): Condition {
  const before = previous.find((one) => one.type === type);
  const lastTransitionTime =
    before?.status === status ? before.lastTransitionTime : now.toISOString().replace(/\.\d{3}Z$/, 'Z');
  return { type, status, reason, message, lastTransitionTime, observedGeneration: generation };
}
