import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { reconcileAnnotation } from '../../../src/api/v1alpha1.ts';
import { type ClusterServer, startClusterServer } from './cluster-server.ts';
import { runAuditlog } from './run-auditlog.ts';

let cluster: ClusterServer;
let path: string;
beforeEach(async () => {
  cluster = await startClusterServer();
  path = cluster.putForwarding('platform/sumologic', { spec: { interval: '10m' } });
});
afterEach(() => cluster.stop());

const run = (...args: readonly string[]) => runAuditlog(args, { env: cluster.env });

function annotationsOf(): Readonly<Record<string, string>> {
  return Object(cluster.objects.get(path)?.metadata['annotations']);
}

/** The operator answers each request, from the first look of the command on. */
function answerRequests(): void {
  cluster.onRequest = (request) => {
    const object = cluster.objects.get(path);
    const lastHandledReconcileAt = annotationsOf()[reconcileAnnotation];
    if (object === undefined || !request.startsWith('GET') || lastHandledReconcileAt === undefined) return;
    const conditions = [{ type: 'Ready', status: 'True', reason: 'InSync', message: '1 portal forwards' }];
    cluster.put(path, { ...object, status: { lastHandledReconcileAt, conditions } });
  };
}

describe('auditlog reconcile', () => {
  test('requests a reconciliation in the namespace of the context, and shows the outcome', async () => {
    answerRequests();
    const { code, output, errors } = await run('reconcile', 'sumologic');
    expect({ code, output, errors }).toEqual({
      code: 0,
      output: 'platform/sumologic: Ready is True (InSync): 1 portal forwards\n',
      errors: '',
    });
    expect(annotationsOf()[reconcileAnnotation]).toMatch(/^\d{4}-.*Z$/);
  });

  test('says so if nobody answers in time', async () => {
    const { code, errors } = await run('reconcile', 'sumologic', '--timeout', '1ms');
    expect(code).toBe(3);
    expect(errors).toContain('check that it runs and watches this namespace');
  });

  test('does not wait for 0s', async () => {
    await expect(run('reconcile', 'sumologic', '--timeout', '0s')).resolves.toMatchObject({ code: 0, output: '' });
    expect(cluster.writes).toHaveLength(1);
  });

  test.each<[readonly string[], string]>([
    [[], 'give the name of one forwarding'],
    [['a', 'b'], 'give the name of one forwarding'],
    [['a/b'], 'give the name of one forwarding'],
    [['a', '--timeout', 'soon'], '--timeout must be a duration'],
  ])('refuses the arguments %j', async (args, message) => {
    const { code, errors } = await run('reconcile', ...args);
    expect(code).toBe(2);
    expect(errors).toContain(message);
  });

  test('says that a forwarding does not exist', async () => {
    const { code, errors } = await run('reconcile', 'nothing', '-n', 'elsewhere');
    expect(code).toBe(1);
    expect(errors).toMatch(
      /namespaces\/elsewhere\/auditlogforwardings\/nothing: 404 .*: check the name, and the namespace with -n\n$/,
    );
  });
});

describe('auditlog suspend and resume', () => {
  test('change only spec.suspend', async () => {
    await expect(run('suspend', 'sumologic')).resolves.toEqual({
      code: 0,
      output: 'platform/sumologic is suspended\n',
      errors: '',
    });
    await expect(run('resume', 'sumologic')).resolves.toEqual({
      code: 0,
      output: 'platform/sumologic is resumed\n',
      errors: '',
    });
    expect(cluster.writes).toEqual(
      [true, false].map((suspend) => ({ request: `PATCH ${path}`, body: { spec: { suspend } } })),
    );
  });

  test.each([
    ['Flux', { labels: { 'kustomize.toolkit.fluxcd.io/name': 'apps' } }],
    ['Argo CD', { annotations: { 'argocd.argoproj.io/tracking-id': 'x' } }],
  ])('warn that %s may set the field back', async (owner, metadata) => {
    cluster.putForwarding('platform/sumologic', { metadata, spec: {} });
    expect((await run('suspend', 'sumologic')).errors).toBe(
      `${owner} manages this forwarding and may set spec.suspend back: set it in its source too\n`,
    );
  });
});
