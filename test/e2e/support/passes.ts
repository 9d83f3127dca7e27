import { expect } from '@jest/globals';
import { eventually } from '../../support/eventually.ts';
import type { World } from './world.ts';

/** Resolves when the operator that runs has made `count` passes since its start, and no pass is under way or due. */
export async function passesMade(world: World, count: number): Promise<void> {
  await eventually(
    async () => {
      const metrics = await (await fetch(world.operator().metricsURL)).text();
      expect({
        passes: sum(metrics, /^controller_runtime_reconcile_total\{.*\} (\d+)$/gm),
        waiting: sum(metrics, /^workqueue_depth\{.*\} (\d+)$/gm),
        busy: sum(metrics, /^controller_runtime_active_workers\{.*\} (\d+)$/gm),
      }).toEqual({ passes: count, waiting: 0, busy: 0 });
    },
    { everyMs: 50 },
  );
}

function sum(metrics: string, pattern: RegExp): number {
  return [...metrics.matchAll(pattern)].reduce((total, [, value]) => total + Number(value), 0);
}
