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

  test('ends when it is interrupted', async () => {
    const stop = new AbortController();
    cluster.onRequest = (request) => {
      if (request.startsWith('GET')) stop.abort();
    };
    await expect(
      runAuditlog(['reconcile', 'sumologic'], { env: cluster.env, signal: stop.signal }),
    ).resolves.toMatchObject({ code: 1, errors: 'auditlog reconcile: interrupted\n' });
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

describe('auditlog replay', () => {
  const annotation = 'konnect-audit-log.io/replay';
  const hourAgo = () => new Date(Date.now() - 3_600_000).toISOString();

  test('requests a replay of all webhooks, and waits until the operator has taken the request', async () => {
    cluster.onRequest = () => {
      const object = cluster.objects.get(path);
      const lastHandledReplay = annotationsOf()[annotation];
      if (object !== undefined && lastHandledReplay !== undefined)
        cluster.put(path, { ...object, status: { lastHandledReplay } });
    };
    const { code, output, errors } = await run('replay', 'sumologic', '--from', '2h', '--to', '1h');
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    const value = annotationsOf()[annotation] ?? '';
    expect(value).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const [from = '', to = ''] = value.split('/');
    expect(Date.parse(to) - Date.parse(from)).toBe(3_600_000);
    expect(output).toContain(`platform/sumologic: the operator has taken the request for ${value}`);
  });

  test.each(['organization', '3e551b39-227d-4297-b911-e68fd5d77c17'])('names the webhook %s', async (webhook) => {
    const from = hourAgo();
    await run('replay', 'sumologic', '--from', from, '--webhook', webhook, '--timeout', '0s');
    expect(annotationsOf()[annotation]).toMatch(new RegExp(`^${from.replace(/\.\d+/, '')}/[^/]+Z/${webhook}$`));
  });

  test.each(['0s', '1m'])(
    'fails if the operator has taken the same request before, with --timeout %s',
    async (timeout) => {
      const [from, to] = [7_200_000, 3_600_000].map((agoMs) =>
        new Date(Date.now() - agoMs).toISOString().replace(/\.\d+/, ''),
      );
      const value = `${from ?? ''}/${to ?? ''}`;
      cluster.putForwarding('platform/sumologic', { spec: {}, status: { lastHandledReplay: value } });
      const again = ['replay', 'sumologic', '--from', from ?? '', '--to', to ?? '', '--timeout', timeout];
      await expect(run(...again)).resolves.toEqual({
        code: 1,
        output: '',
        errors: `auditlog replay: the operator has taken the request for ${value} before, and takes a request only once: change --from or --to by a second\n`,
      });
    },
  );

  test('says so if the operator does not answer', async () => {
    await expect(run('replay', 'sumologic', '--from', '2h', '--timeout', '1ms')).resolves.toMatchObject({ code: 3 });
  });

  test.each<[string, readonly string[], string]>([
    ['without a start', [], 'say from when on with --from TIME'],
    ['that ends before its start', ['--from', '1h', '--to', '2h'], '--from must be before --to'],
    ['that ends in the future', ['--from', '1h', '--to', '2999-01-01T00:00:00Z'], '--to must not be in the future'],
    ['that begins before what Konnect keeps', ['--from', '169h'], 'within the last 7 days'],
    [
      'of a webhook that cannot exist',
      ['--from', '1h', '--webhook', 'shop'],
      '--webhook must be organization, or the ID',
    ],
  ])('refuses a period %s', async (_name, args, message) => {
    const { code, errors } = await run('replay', 'sumologic', ...args);
    expect(code).toBe(2);
    expect(errors).toContain(message);
    expect(cluster.writes).toEqual([]);
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
