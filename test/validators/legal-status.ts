import * as z from 'zod';
import { Condition } from '../../src/api/v1alpha1.ts';
import type { KStatus, KubeObject, Validators } from './validators.ts';

const ObjectWithStatus = z.looseObject({
  metadata: z.looseObject({
    generation: z.int().optional(),
    deletionTimestamp: z.string().optional(),
  }),
  status: z
    .looseObject({ observedGeneration: z.int().optional(), conditions: z.array(Condition).default([]) })
    .default({ conditions: [] }),
});
type ObjectWithStatus = z.infer<typeof ObjectWithStatus>;

/**
 * Rejects unless the status of every object follows the rules of kstatus, and kstatus' own code returns what its conditions mean. The objects are
 * complete: they have `apiVersion`, `kind`, `metadata.generation` and `status`. Without validators, the function checks only the rules.
 */
export async function assertLegalStatus(
  validators: Validators | undefined,
  ...objects: readonly KubeObject[]
): Promise<void> {
  const answers = await validators?.statuses(objects);
  const faults = objects.flatMap((object, index) => {
    const parsed = ObjectWithStatus.parse(object);
    const actual = answers?.[index]?.status;
    const expected = meaning(parsed);
    const found = illegalities(parsed);
    if (validators !== undefined && actual !== expected)
      found.push(`means ${expected}, kstatus reads ${String(actual)}`);
    return found.map((fault) => `${fault}: ${JSON.stringify(parsed.status)}`);
  });
  if (faults.length > 0) throw new Error(`illegal status:\n${faults.join('\n')}`);
}

/** Returns the violations of kstatus' rules and of the API conventions for conditions. Needs no executable. */
export function illegalities(object: KubeObject): string[] {
  const { metadata, status } = ObjectWithStatus.parse(object);
  const { conditions } = status;
  const generation = metadata.generation ?? 0;
  const types = conditions.map(({ type }) => type);
  const byType = new Map(conditions.map((condition) => [condition.type, condition]));
  const faults: string[] = [];
  if (new Set(types).size < types.length) faults.push('a condition stands twice');
  if ((status.observedGeneration ?? 0) > generation) faults.push('a generation is observed that does not exist yet');
  if (byType.has('Reconciling') && byType.has('Stalled')) faults.push('both Reconciling and Stalled stand');
  for (const type of ['Reconciling', 'Stalled']) {
    const condition = byType.get(type);
    if (condition !== undefined && condition.status !== 'True') faults.push(`${type} stands without being true`);
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

/** Returns the status that kstatus has to return for these conditions. */
function meaning({ metadata, status }: ObjectWithStatus): KStatus['status'] {
  const isTrue = (type: string) => status.conditions.some((one) => one.type === type && one.status === 'True');
  if (metadata.deletionTimestamp !== undefined) return 'Terminating';
  if (status.observedGeneration !== metadata.generation) return 'InProgress';
  if (isTrue('Stalled')) return 'Failed';
  return isTrue('Ready') && !isTrue('Reconciling') ? 'Current' : 'InProgress';
}
