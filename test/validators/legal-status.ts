import * as z from 'zod';
import { Condition } from '../../src/api/v1alpha1.ts';
import type { Judges, KStatus, KubeObject } from './validators.ts';

const Judged = z.looseObject({
  metadata: z.looseObject({
    generation: z.int().optional(),
    deletionTimestamp: z.string().optional(),
  }),
  status: z
    .looseObject({ observedGeneration: z.int().optional(), conditions: z.array(Condition).default([]) })
    .default({ conditions: [] }),
});
type Judged = z.infer<typeof Judged>;

/**
 * Rejects unless every object's status keeps kstatus' rules, and kstatus' own code reads from it what its conditions mean. Objects are whole:
 * with `apiVersion`, `kind`, `metadata.generation` and `status`, as the API server shows them. Without judges, only the rules are checked.
 */
export async function assertLegalStatus(judges: Judges | undefined, ...objects: readonly KubeObject[]): Promise<void> {
  const verdicts = await judges?.statuses(objects);
  const faults = objects.flatMap((object, index) => {
    const judged = Judged.parse(object);
    const verdict = verdicts?.[index]?.status;
    const meant = meaning(judged);
    const found = illegalities(judged);
    if (judges !== undefined && verdict !== meant) found.push(`means ${meant}, kstatus reads ${String(verdict)}`);
    return found.map((fault) => `${fault}: ${JSON.stringify(judged.status)}`);
  });
  if (faults.length > 0) throw new Error(`illegal status:\n${faults.join('\n')}`);
}

/** What of a status breaks kstatus' rules or the API conventions for conditions. No executable is needed for it. */
export function illegalities(object: KubeObject): string[] {
  const { metadata, status } = Judged.parse(object);
  const { conditions } = status;
  const generation = metadata.generation ?? 0;
  const types = conditions.map(({ type }) => type);
  const byType = new Map(conditions.map((condition) => [condition.type, condition]));
  const faults: string[] = [];
  if (new Set(types).size < types.length) faults.push('a condition stands twice');
  if ((status.observedGeneration ?? 0) > generation) faults.push('a generation is observed that does not exist yet');
  if (byType.has('Reconciling') && byType.has('Stalled')) faults.push('both Reconciling and Stalled stand');
  for (const mark of ['Reconciling', 'Stalled']) {
    const condition = byType.get(mark);
    if (condition !== undefined && condition.status !== 'True') faults.push(`${mark} stands without being true`);
  }
  if (byType.has('Stalled') && byType.get('Ready')?.status === 'True') faults.push('Stalled and yet Ready');
  if (conditions.length > 0 && !byType.has('Ready')) faults.push('there are conditions, but no Ready');
  for (const { type, reason, message, observedGeneration = 0 } of conditions) {
    if (!/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/.test(reason)) faults.push(`${type} has the reason "${reason}"`);
    if (message === '') faults.push(`${type} has no message`);
    if (observedGeneration > generation) faults.push(`${type} speaks of a generation that does not exist yet`);
  }
  return faults;
}

/** What kstatus has to read from the conditions. */
function meaning({ metadata, status }: Judged): KStatus['status'] {
  const isTrue = (type: string) => status.conditions.some((one) => one.type === type && one.status === 'True');
  if (metadata.deletionTimestamp !== undefined) return 'Terminating';
  if (status.observedGeneration !== metadata.generation) return 'InProgress';
  if (isTrue('Stalled')) return 'Failed';
  return isTrue('Ready') && !isTrue('Reconciling') ? 'Current' : 'InProgress';
}
