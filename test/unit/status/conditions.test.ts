import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { Condition } from '../../../src/api/v1alpha1.ts';
import {
  type ConditionContext,
  conditionsOf,
  type Health,
  progressing,
  type Report,
  suspended,
} from '../../../src/status/conditions.ts';
import type { Problem } from '../../../src/status/problem.ts';

const now = new Date('2026-01-02T03:04:05.678Z');
const good: Health = { kind: 'good', reason: 'InPlace', message: 'as wanted' };
const unchecked: Health = { kind: 'unchecked', message: 'see SecretsResolved' };
const allGood: Report = { secrets: good, destination: good, webhooks: good, cleanup: good, readyMessage: 'forwards' };

function problem(severity: Problem['severity'], reason: string): Problem {
  return { severity, reason, message: `${reason} is wrong` };
}

function bad(...problems: Problem[]): Health {
  return { kind: 'bad', problems };
}

function context(over: Partial<ConditionContext> = {}): ConditionContext {
  return { generation: 3, previous: [], now, grace: 'none', ...over };
}

function summary(conditions: readonly Condition[]): Record<string, string> {
  return Object.fromEntries(conditions.map(({ type, status, reason }) => [type, `${status} ${reason}`]));
}

const ready = conditionsOf(allGood, context({ now: new Date('2026-01-01T00:00:00Z'), generation: 2 }));

describe('conditions of a report', () => {
  const cases: readonly [string, Partial<Report>, Partial<ConditionContext>, Record<string, string>][] = [
    ['all in place', {}, {}, { Ready: 'True InSync' }],
    [
      'a Secret is missing',
      { secrets: bad(problem('waiting', 'SecretNotFound')), destination: unchecked, webhooks: unchecked },
      {},
      {
        Ready: 'False SecretNotFound',
        Reconciling: 'True SecretNotFound',
        SecretsResolved: 'False SecretNotFound',
        DestinationReady: 'Unknown NotChecked',
        WebhooksReady: 'Unknown NotChecked',
      },
    ],
    [
      'a Secret has an invalid value',
      { secrets: bad(problem('stalled', 'SecretInvalid')), destination: unchecked, webhooks: unchecked },
      {},
      {
        Ready: 'False SecretInvalid',
        Stalled: 'True SecretInvalid',
        SecretsResolved: 'False SecretInvalid',
        DestinationReady: 'Unknown NotChecked',
        WebhooksReady: 'Unknown NotChecked',
      },
    ],
    [
      'a portal is not found',
      { webhooks: bad(problem('stalled', 'PortalNotFound')) },
      {},
      { Ready: 'False PortalNotFound', Stalled: 'True PortalNotFound', WebhooksReady: 'False PortalNotFound' },
    ],
    [
      'Konnect has not released a destination yet',
      { cleanup: bad(problem('waiting', 'DestinationInUse')) },
      {},
      { Ready: 'False DestinationInUse', Reconciling: 'True DestinationInUse' },
    ],
    [
      'Konnect is unavailable for a short time, and nothing newer has to be applied',
      { destination: bad(problem('unavailable', 'RateLimited')), webhooks: bad(problem('unavailable', 'RateLimited')) },
      { grace: 'keep', previous: ready },
      {
        Ready: 'True InSync',
        Reconciling: 'True RateLimited',
        DestinationReady: 'True InPlace',
        WebhooksReady: 'True InPlace',
      },
    ],
    [
      'Konnect is unavailable for a long time',
      { destination: bad(problem('unavailable', 'RateLimited')), webhooks: bad(problem('unavailable', 'RateLimited')) },
      { grace: 'unknown', previous: ready },
      {
        Ready: 'Unknown RateLimited',
        Reconciling: 'True RateLimited',
        DestinationReady: 'Unknown RateLimited',
        WebhooksReady: 'Unknown RateLimited',
      },
    ],
    [
      'Konnect is unavailable, and something newer has to be applied',
      { destination: bad(problem('unavailable', 'RateLimited')) },
      { grace: 'none', previous: ready },
      { Ready: 'False RateLimited', Reconciling: 'True RateLimited', DestinationReady: 'False RateLimited' },
    ],
    [
      'Konnect is unavailable, and there was no condition before',
      { destination: bad(problem('unavailable', 'RateLimited')) },
      { grace: 'keep' },
      { Ready: 'Unknown RateLimited', Reconciling: 'True RateLimited', DestinationReady: 'Unknown RateLimited' },
    ],
    [
      'one webhook is stalled, and another waits for Konnect: a user has to act',
      { webhooks: bad(problem('unavailable', 'RateLimited'), problem('stalled', 'WebhookInUse')) },
      { grace: 'keep', previous: ready },
      { Ready: 'False WebhookInUse', Stalled: 'True WebhookInUse' },
    ],
  ];

  test.each(cases)('%s', (_title, report, over, expected) => {
    const found = summary(conditionsOf({ ...allGood, ...report }, context(over)));
    const usual = { SecretsResolved: 'True InPlace', DestinationReady: 'True InPlace', WebhooksReady: 'True InPlace' };
    expect(found).toEqual({ ...usual, ...expected });
  });

  test('a reconciliation in progress', () => {
    const found = summary(progressing('Applying', 'creating', context({ previous: ready })));
    const parts = { SecretsResolved: 'True InPlace', DestinationReady: 'True InPlace', WebhooksReady: 'True InPlace' };
    expect(found).toEqual({ Ready: 'False Applying', Reconciling: 'True Applying', ...parts });
  });
});

describe('messages', () => {
  test('name the first three problems, each once, and count the others', () => {
    const problems = ['A', 'B', 'B', 'C', 'D', 'E'].map((reason) => problem('stalled', reason));
    const found = conditionsOf({ ...allGood, webhooks: bad(...problems) }, context());
    expect(found[0]?.message).toBe('A is wrong; B is wrong; C is wrong; and 2 more');
  });

  test('keep the code and the time of the first failure, until the cause is another one', () => {
    const failing = (message: string) => ({ ...allGood, webhooks: bad({ ...problem('unavailable', 'A'), message }) });
    const first = conditionsOf(failing('failed (HTTP 503) until 2026-01-02T03:05:00Z'), context());
    const second = conditionsOf(failing('failed (HTTP 500) until 2026-01-02T04:05:00Z'), context({ previous: first }));
    expect(second).toEqual(first);
    const third = conditionsOf(failing('failed (HTTP 400)'), context({ previous: second }));
    expect(third[0]?.message).toBe('failed (HTTP 400)');
    const fourth = conditionsOf(failing('failed (HTTP 500)'), context({ previous: third }));
    expect(fourth[0]?.message).toBe('failed (HTTP 500)');
  });

  test('are cut if they are too long', () => {
    const long = { ...problem('stalled', 'A'), message: 'x'.repeat(5_000) };
    const found = conditionsOf({ ...allGood, webhooks: bad(long) }, context());
    expect(found[0]?.message).toHaveLength(1_000);
  });
});

describe('transition times', () => {
  test('change only with the status, not with reason, message or generation', () => {
    const first = conditionsOf({ ...allGood, webhooks: bad(problem('stalled', 'A')) }, context());
    const later = context({ previous: first, generation: 4, now: new Date('2026-02-01T00:00:00Z') });
    const second = conditionsOf({ ...allGood, webhooks: bad(problem('stalled', 'B')) }, later);
    expect(second.map(({ lastTransitionTime }) => lastTransitionTime)).toEqual(
      first.map(({ lastTransitionTime }) => lastTransitionTime),
    );
    expect(second.every(({ observedGeneration }) => observedGeneration === 4)).toBe(true);
    const third = conditionsOf(allGood, context({ previous: second, now: new Date('2026-03-01T00:00:00Z') }));
    expect(third.find(({ type }) => type === 'Ready')?.lastTransitionTime).toBe('2026-03-01T00:00:00Z');
    expect(third.find(({ type }) => type === 'DestinationReady')?.lastTransitionTime).toBe('2026-01-02T03:04:05Z');
  });

  test('have whole seconds, as Kubernetes stores them', () => {
    expect(ready.every(({ lastTransitionTime }) => lastTransitionTime === '2026-01-01T00:00:00Z')).toBe(true);
  });
});

const severity = fc.constantFrom('stalled' as const, 'waiting' as const, 'unavailable' as const);
const aProblem = fc.record({ severity, reason: fc.constantFrom('A', 'B', 'C'), message: fc.constantFrom('a', 'b') });
test('conditions of other types, which another version may have written, are removed', () => {
  const [first] = ready;
  const previous = [...ready, ...(first === undefined ? [] : [{ ...first, type: 'Foreign' }])];
  for (const found of [
    suspended('rests', context({ previous })),
    progressing('Applying', 'at it', context({ previous })),
  ]) {
    expect(found.map(({ type }) => type)).not.toContain('Foreign');
    expect(found.map(({ type }) => type)).toContain('WebhooksReady');
  }
});

const aHealth: fc.Arbitrary<Health> = fc.oneof(
  fc.constant(good),
  fc.constant(unchecked),
  fc.array(aProblem, { minLength: 1, maxLength: 4 }).map((problems): Health => ({ kind: 'bad', problems })),
);
const aReport: fc.Arbitrary<Report> = fc.record({
  secrets: aHealth,
  destination: aHealth,
  webhooks: aHealth,
  cleanup: aHealth,
  readyMessage: fc.constant('forwards'),
});
const aGrace = fc.constantFrom('none' as const, 'keep' as const, 'unknown' as const);

test('any report has at most one of Stalled and Reconciling, none if there is no problem, each type once, and gives the same result twice', () => {
  fc.assert(
    fc.property(aReport, aReport, aGrace, (before, report, grace) => {
      const previous = conditionsOf(before, context({ generation: 2 }));
      const found = conditionsOf(report, context({ previous, grace }));
      const types = found.map(({ type }) => type);
      expect(new Set(types).size).toBe(types.length);
      const marks = types.filter((type) => type === 'Stalled' || type === 'Reconciling');
      const wrong = [report.secrets, report.destination, report.webhooks, report.cleanup].some(
        ({ kind }) => kind === 'bad',
      );
      expect(marks).toHaveLength(wrong ? 1 : 0);
      const statuses = wrong ? (marks[0] === 'Stalled' ? ['False'] : ['True', 'False', 'Unknown']) : ['True'];
      expect(found[0]?.type).toBe('Ready');
      expect(statuses).toContain(found[0]?.status);
      const again = conditionsOf(report, context({ previous: found, grace, now: new Date('2027-01-01T00:00:00Z') }));
      expect(again).toEqual(found);
    }),
  );
});
