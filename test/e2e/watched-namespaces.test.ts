/** Namespaces and labels that the operator does not watch, and namespaces that do not exist, or that it may not read. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as z from 'zod';
import { type OperatorProcess, startOperator } from '../../sandbox/operator-process.ts';
import { serviceAccount } from '../../sandbox/sandbox.ts';
import { pendingCondition, reconcileAnnotation } from '../../src/api/v1alpha1.ts';
import { cluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { createEnvironment, type Environment } from './support/environment.ts';
import { forwarding } from './support/manifests.ts';

const { kubectl, serviceAccountKubeconfig } = cluster();
let environment: Environment;

beforeAll(async () => {
  environment = await createEnvironment({ prefix: 'watched' });
  await environment.applySecrets();
});

afterAll(() => environment?.stop());

/** Returns what the operator says about namespaces: the notes of its readiness, the metrics of watched namespaces, and the warnings in its log. */
async function said(operator: OperatorProcess): Promise<{ ready: string; metrics: string[]; warnings: string[] }> {
  const text = async (url: string) => (await fetch(url)).text();
  const metrics = (await text(operator.metricsURL)).split('\n');
  const Line = z.object({ level: z.string(), message: z.string(), namespace: z.string().optional() });
  const lines = (await operator.output()).split('\n').filter((line) => line.startsWith('{'));
  return {
    ready: await text(`${operator.healthURL}/readyz?verbose`),
    metrics: metrics.filter((line) => /^konnect_audit_log_watch_(?:namespace_missing|forbidden)\{/.test(line)),
    warnings: lines
      .map((line) => Line.parse(JSON.parse(line)))
      .filter(({ level, namespace }) => level === 'warn' && namespace !== undefined)
      .map(({ message, namespace = '' }) => `${namespace}: ${message}`),
  };
}

test('a forwarding in a namespace that is not watched is Pending, and later keeps its status and its finalizer', async () => {
  const { namespace } = environment;
  const elsewhere = { flags: [`--watch-namespaces=${serviceAccount.namespace}`] };
  await environment.restartOperator(elsewhere);
  const portals = environment.blue.portals.us.map((id) => ({ id }));
  await environment.apply(forwarding('sumologic', { portals }));
  expect((await environment.forwarding('sumologic')).status.conditions).toEqual([pendingCondition]);
  await environment.restartOperator();
  const { status } = await environment.waitForReady('sumologic');

  await environment.restartOperator(elsewhere);
  await environment.kubectl(['delete', 'alf', 'sumologic', '--wait=false']);
  const { code } = await environment.kubectl(['wait', 'alf/sumologic', '--for=delete', '--timeout=3s'], {
    allowFailure: true,
  });
  expect(code).toBe(1);
  expect((await environment.forwarding('sumologic')).status).toEqual(status);
  await environment.restartOperator({ flags: [`--watch-namespaces=${serviceAccount.namespace},${namespace}`] });
  await environment.kubectl(['wait', 'alf/sumologic', '--for=delete', '--timeout=90s']);
});

test('a watched namespace that does not exist is named, and the others are reconciled', async () => {
  const missing = `${environment.namespace}-misspelled`;
  await environment.restartOperator({ flags: [`--watch-namespaces=${environment.namespace},${missing}`] });
  await eventually(async () => {
    expect(await said(environment.operator())).toEqual({
      ready: expect.stringContaining(`[+]watches ok: these namespaces do not exist: ${missing}\n`),
      metrics: [`konnect_audit_log_watch_namespace_missing{namespace="${missing}"} 1`],
      warnings: [`${missing}: a namespace of --watch-namespaces does not exist: create it, or correct the flag`],
    });
  });
  await environment.apply(forwarding('beside', { portals: [{ id: environment.blue.portals.us[0] }] }));
  await environment.waitForReady('beside');
  await environment.remove('beside');
});

test('a watched namespace without a RoleBinding is named, and the others are reconciled', async () => {
  const { namespace } = environment;
  const bare = await cluster().createNamespace('watched-bare');
  const account = 'limited';
  await kubectl(['create', 'serviceaccount', account, '-n', namespace]);
  await kubectl([
    'create',
    'rolebinding',
    account,
    '-n',
    namespace,
    `--clusterrole=${serviceAccount.name}`,
    `--serviceaccount=${namespace}:${account}`,
  ]);
  await environment.stopOperator();
  const operator = await startOperator({
    kubeconfig: await serviceAccountKubeconfig(namespace, account),
    konnectURL: environment.services.konnect.urlTemplate,
    flags: [`--watch-namespaces=${namespace},${bare}`],
  });
  try {
    const forbidden = ['auditlogforwardings', 'secrets'];
    const message = 'the API server forbids to list or watch a resource, or the namespace does not exist';
    await eventually(async () => {
      const { ready, metrics, warnings } = await said(operator);
      for (const resource of forbidden) expect(ready).toContain(`${resource} in ${bare}`);
      expect(metrics.toSorted()).toEqual(
        forbidden.map((one) => `konnect_audit_log_watch_forbidden{resource="${one}",namespace="${bare}"} 1`),
      );
      expect(warnings).toEqual(expect.arrayContaining([`${bare}: ${message}`]));
    });
    await environment.apply(forwarding('beside', { portals: [{ id: environment.blue.portals.us[0] }] }));
    await environment.waitForReady('beside');
    await environment.remove('beside');
  } finally {
    await operator.stop();
    await environment.startOperator();
  }
});

test('a forwarding whose labels change goes to the operator that watches them, and nothing changes in Konnect', async () => {
  const label = async (shard: string) =>
    environment.kubectl(['label', 'alf', 'moving', `shard=${shard}`, '--overwrite']);
  await environment.restartOperator({ flags: ['--watch-label-selector=shard=a'] });
  await environment.apply(forwarding('moving', { portals: [{ id: environment.blue.portals.us[0] }] }));
  await label('a');
  await environment.waitForReady('moving');
  const other = await startOperator({
    kubeconfig: await serviceAccountKubeconfig(serviceAccount.namespace, serviceAccount.name),
    konnectURL: environment.services.konnect.urlTemplate,
    flags: [`--watch-namespaces=${environment.namespace}`, '--watch-label-selector=shard=b'],
  });
  try {
    environment.clearCalls();
    await label('b');
    const asked = '2026-01-02T03:04:05Z';
    await environment.kubectl(['annotate', 'alf', 'moving', `${reconcileAnnotation}=${asked}`]);
    await environment.waitFor('moving', ({ status }) => status.lastHandledReconcileAt === asked);
    expect(environment.calls().filter(({ method }) => method !== 'GET')).toEqual([]);
    expect((await environment.events('moving')).map(({ reason }) => reason)).not.toContain('DeletedWithoutFinalizer');
    // The first operator has asked whether the forwarding still exists, and works on without it.
    await environment.apply(forwarding('staying', { portals: [{ id: environment.blue.portals.us[1] }] }));
    await environment.kubectl(['label', 'alf', 'staying', 'shard=a']);
    await environment.waitForReady('staying');
    await environment.remove('moving');
    await environment.remove('staying');
  } finally {
    await other.stop();
    await environment.restartOperator();
  }
});
