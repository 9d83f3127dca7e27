import { beforeAll, expect, test } from '@jest/globals';
import { type Condition, pendingCondition } from '../../src/api/v1alpha1.ts';
import { conditionsOf, progressing } from '../../src/status/conditions.ts';
import { argoSettings } from './argocd-settings.ts';
import { assertLegalStatus } from './legal-status.ts';
import { buildTimeoutMs, progress } from './progress.ts';
import { allGood, before, context, forwarding, generation, healthOf, statusCases } from './status-cases.ts';
import { ensureValidators, type Validators } from './validators.ts';

let validators: Validators;
beforeAll(async () => {
  validators = await ensureValidators({ progress });
}, buildTimeoutMs);

const everything = statusCases();

test('kstatus returns the expected status for every report', async () => {
  const statuses = await validators.statuses(everything.map(({ object }) => object));
  const wrong = everything.filter(({ expected }, index) => statuses[index]?.status !== expected);
  expect(wrong).toEqual([]);
});

test('every report results in a valid status', async () => {
  const objects = everything.map(({ object }) => object);
  await expect(assertLegalStatus(validators, ...objects)).resolves.toBeUndefined();
});

test('Argo CD agrees with kstatus about every report', async () => {
  const same = { Current: 'Healthy', InProgress: 'Progressing', Failed: 'Degraded', Terminating: 'Progressing' };
  const shown = await validators.health(
    everything.map(({ object }) => object),
    argoSettings(),
  );
  const wrong = everything.filter(({ expected }, index) => shown[index]?.shown.status !== same[expected]);
  expect(wrong).toEqual([]);
});

test('a new, a ready and a stalled object are in progress while the operator applies a change', async () => {
  const stalled = conditionsOf({ ...allGood, webhooks: healthOf('stalled') }, context({ generation: generation - 1 }));
  const objects = [[], before, stalled].map((previous) =>
    forwarding(progressing('Applying', 'the change is applied', context({ previous }))),
  );
  await assertLegalStatus(validators, ...objects);
  const statuses = await validators.statuses(objects);
  expect(statuses.map(({ status }) => status)).toEqual(['InProgress', 'InProgress', 'InProgress']);
});

test('an object is in progress until the operator observes its current generation', async () => {
  const fresh = forwarding([pendingCondition], -1);
  const changed = forwarding(before, generation - 1);
  await assertLegalStatus(validators, fresh, changed);
  const statuses = await validators.statuses([fresh, changed]);
  expect(statuses.map(({ status }) => status)).toEqual(['InProgress', 'InProgress']);
});

test('assertLegalStatus rejects a status that violates a rule, with the rule', async () => {
  const at = (type: string, status: Condition['status'], over: Partial<Condition> = {}): Condition => ({
    type,
    status,
    reason: 'Trouble',
    message: 'is wrong',
    lastTransitionTime: '2026-01-02T03:04:05Z',
    observedGeneration: generation,
    ...over,
  });
  const cases: [Condition[], string][] = [
    [[at('Ready', 'False'), at('Reconciling', 'True'), at('Stalled', 'True')], 'both Reconciling and Stalled stand'],
    [[at('Ready', 'True'), at('Stalled', 'True')], 'Stalled and yet Ready'],
    [[at('Ready', 'False'), at('Stalled', 'False')], 'Stalled stands without being true'],
    [[at('WebhooksReady', 'False')], 'there are conditions, but no Ready'],
    [[at('Ready', 'True'), at('Ready', 'True')], 'a condition stands twice'],
    [[at('Ready', 'True', { reason: 'in sync' })], 'Ready has the reason "in sync"'],
    [[at('Ready', 'False', { message: '' })], 'Ready has no message'],
    [[at('Ready', 'True', { observedGeneration: generation + 1 })], 'speaks of a generation that does not exist yet'],
  ];
  for (const [conditions, rule] of cases) {
    await expect(assertLegalStatus(validators, forwarding(conditions))).rejects.toThrow(rule);
  }
});

test('assertLegalStatus rejects a status without an observed generation, which kstatus treats as current', async () => {
  await expect(assertLegalStatus(validators, { ...forwarding([]), status: {} })).rejects.toThrow(
    'means InProgress, kstatus reads Current',
  );
});
