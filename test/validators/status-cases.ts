/** Builds every status that the conditions of a forwarding can have, with the result that kstatus has to return. */
import { apiVersion, type Condition, kind } from '../../src/api/v1alpha1.ts';
import { type ConditionContext, conditionsOf, type Health, type Report } from '../../src/status/conditions.ts';
import type { Problem } from '../../src/status/problem.ts';
import type { KStatus, KubeObject } from './validators.ts';

const now = new Date('2026-01-02T03:04:05Z');
export const generation = 3;
const healths = ['good', 'unchecked', 'stalled', 'waiting', 'unavailable'] as const;
type Kind = (typeof healths)[number];
const graces = ['none', 'keep', 'unknown'] as const;

export function healthOf(part: Kind): Health {
  switch (part) {
    case 'good':
      return { kind: 'good', reason: 'InPlace', message: 'as wanted' };
    case 'unchecked':
      return { kind: 'unchecked', message: 'see SecretsResolved' };
    case 'stalled':
    case 'waiting':
    case 'unavailable': {
      const problem: Problem = { severity: part, reason: 'Trouble', message: `the trouble is ${part}` };
      return { kind: 'bad', problems: [problem] };
    }
  }
}

export const allGood: Report = {
  secrets: healthOf('good'),
  destination: healthOf('good'),
  webhooks: healthOf('good'),
  cleanup: healthOf('good'),
  readyMessage: 'all is forwarded',
};

export function context(over: Partial<ConditionContext>): ConditionContext {
  return { generation, previous: [], now, grace: 'none', ...over };
}

export const before = conditionsOf(allGood, context({ generation: generation - 1 }));

export function forwarding(conditions: readonly Condition[], observedGeneration = generation): KubeObject {
  return {
    apiVersion,
    kind,
    metadata: { name: 'sumologic', namespace: 'platform', generation },
    spec: {},
    status: { observedGeneration, conditions },
  };
}

export interface StatusCase {
  readonly object: KubeObject;
  readonly expected: KStatus['status'];
}

/** Returns a case for every kind of report and every grace, for a new object and for one that was ready. */
export function statusCases(): StatusCase[] {
  const reports = healths.flatMap((secrets) =>
    healths.flatMap((destination) =>
      healths.flatMap((webhooks) => healths.map((cleanup) => [secrets, destination, webhooks, cleanup] as const)),
    ),
  );
  return reports.flatMap((parts) => {
    const [secrets, destination, webhooks, cleanup] = parts;
    const report: Report = {
      secrets: healthOf(secrets),
      destination: healthOf(destination),
      webhooks: healthOf(webhooks),
      cleanup: healthOf(cleanup),
      readyMessage: 'all is forwarded',
    };
    return graces.flatMap((grace) =>
      [[], before].map((previous) => ({
        object: forwarding(conditionsOf(report, context({ grace, previous }))),
        expected: expectedOf(parts),
      })),
    );
  });
}

function expectedOf(parts: readonly Kind[]): KStatus['status'] {
  if (parts.includes('stalled')) return 'Failed';
  return parts.includes('waiting') || parts.includes('unavailable') ? 'InProgress' : 'Current';
}
