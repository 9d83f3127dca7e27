import { expect } from '@jest/globals';
import { reconcileAnnotation } from '../../../src/api/v1alpha1.ts';
import { eventually } from '../../support/eventually.ts';
import type { Environment } from './environment.ts';
import type { ForwardingObject } from './forwarding-object.ts';

/** Resolves when the operator has finished `count` reconciliations since its start, and none is running or queued. */
export async function reconciliationsDone(environment: Environment, count: number): Promise<void> {
  await eventually(async () => expect(await workOf(environment)).toEqual({ passes: count, waiting: 0, busy: 0 }), {
    everyMs: 50,
  });
}

/** Resolves when no reconciliation is running or queued. */
async function reconciliationsEnded(environment: Environment): Promise<void> {
  await eventually(async () => expect(await workOf(environment)).toMatchObject({ waiting: 0, busy: 0 }), {
    everyMs: 50,
  });
}

/** Requests a reconciliation by annotation, as a user does, and does not wait for the answer. Resolves with the value of the annotation. */
export async function annotateForReconcile(environment: Environment, name: string): Promise<string> {
  const value = new Date().toISOString();
  await environment.kubectl(['annotate', 'alf', name, `${reconcileAnnotation}=${value}`, '--overwrite']);
  return value;
}

/** Requests a reconciliation, and resolves with the forwarding after it. During an outage of Konnect the operator does not answer. */
export async function requestReconcile(environment: Environment, name: string): Promise<ForwardingObject> {
  const value = await annotateForReconcile(environment, name);
  await environment.waitFor(name, ({ status }) => status.lastHandledReconcileAt === value);
  await reconciliationsEnded(environment);
  return environment.forwarding(name);
}

async function workOf(environment: Environment): Promise<{ passes: number; waiting: number; busy: number }> {
  const metrics = await (await fetch(environment.operator().metricsURL)).text();
  return {
    passes: sum(metrics, /^controller_runtime_reconcile_total\{.*\} (\d+)$/gm),
    waiting: sum(metrics, /^workqueue_depth\{.*\} (\d+)$/gm),
    busy: sum(metrics, /^controller_runtime_active_workers\{.*\} (\d+)$/gm),
  };
}

function sum(metrics: string, pattern: RegExp): number {
  return [...metrics.matchAll(pattern)].reduce((total, [, value]) => total + Number(value), 0);
}
