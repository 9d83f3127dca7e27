import { beforeAll, expect, test } from '@jest/globals';
import type { Condition } from '../../src/api/v1alpha1.ts';
import { conditionsOf, progressing } from '../../src/status/conditions.ts';
import { argoSettings } from './argocd-settings.ts';
import { assertLegalStatus } from './legal-status.ts';
import { buildTimeoutMs, progress } from './progress.ts';
import { allGood, before, context, everySituation, forwarding, generation, healthOf } from './status-cases.ts';
import { ensureJudges, type Judges } from './validators.ts';

let judges: Judges;
beforeAll(async () => {
  judges = await ensureJudges({ progress });
}, buildTimeoutMs);

const everything = everySituation();

test('kstatus reads from every report what it means', async () => {
  const verdicts = await judges.statuses(everything.map(({ object }) => object));
  const wrong = everything.filter(({ expected }, index) => verdicts[index]?.status !== expected);
  expect(wrong).toEqual([]);
});

test('every report makes a legal status', async () => {
  const objects = everything.map(({ object }) => object);
  await expect(assertLegalStatus(judges, ...objects)).resolves.toBeUndefined();
});

test('Argo CD reads from every report what kstatus does', async () => {
  const same = { Current: 'Healthy', InProgress: 'Progressing', Failed: 'Degraded', Terminating: 'Progressing' };
  const shown = await judges.health(
    everything.map(({ object }) => object),
    argoSettings(),
  );
  const wrong = everything.filter(({ expected }, index) => shown[index]?.shown.status !== same[expected]);
  expect(wrong).toEqual([]);
});

test('work under way is in progress, on a fresh object, a ready one and a stalled one', async () => {
  const stalled = conditionsOf({ ...allGood, webhooks: healthOf('stalled') }, context({ generation: generation - 1 }));
  const objects = [[], before, stalled].map((previous) =>
    forwarding(progressing('Applying', 'the change is applied', context({ previous }))),
  );
  await assertLegalStatus(judges, ...objects);
  const verdicts = await judges.statuses(objects);
  expect(verdicts.map(({ status }) => status)).toEqual(['InProgress', 'InProgress', 'InProgress']);
});

test('what no operator has seen, or not since the last change, is in progress', async () => {
  const fresh = { ...forwarding([]), status: { observedGeneration: -1 } };
  const changed = forwarding(before, generation - 1);
  await assertLegalStatus(judges, fresh, changed);
  const verdicts = await judges.statuses([fresh, changed]);
  expect(verdicts.map(({ status }) => status)).toEqual(['InProgress', 'InProgress']);
});

test('a status that breaks the rules is refused, with the rule', async () => {
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
    await expect(assertLegalStatus(judges, forwarding(conditions))).rejects.toThrow(rule);
  }
});

test('a status without an observed generation is refused: kstatus takes it for current', async () => {
  await expect(assertLegalStatus(judges, { ...forwarding([]), status: {} })).rejects.toThrow(
    'means InProgress, kstatus reads Current',
  );
});
