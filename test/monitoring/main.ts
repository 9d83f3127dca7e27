/**
 * `npm run test:monitoring [-- --pictures]`: runs every query of the dashboard on a real Prometheus that scrapes the operator, while Konnect and the SIEM work and
 * while each of them fails, and checks that alerts reach a receiver through a real Alertmanager. The exit code is 1 if a check fails.
 * With `--pictures`, each state lasts longer, and a picture of it is written into `dist/dashboard/`.
 */
import { deepEqual, ok } from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { runKubectl } from '../../sandbox/control-plane/access.ts';
import { createKonnectClient, webhookOf } from '../../sandbox/konnect-client.ts';
import { startOperator } from '../../sandbox/operator-process.ts';
import {
  namespace,
  sandboxData,
  serviceAccount,
  startSandboxWithoutOperator,
  writeForwarding,
} from '../../sandbox/sandbox.ts';
import { reconcileAnnotation } from '../../src/api/v1alpha1.ts';
import { createReporter } from '../interop/reporter.ts';
import { eventually } from '../support/eventually.ts';
import { asGrafanaSends, dashboardQueries } from '../validators/dashboard-queries.ts';
import { createPictures } from './picture.ts';
import { type Monitoring, startMonitoring } from './servers.ts';

const write = (text: string) => void process.stdout.write(text);
const progress = (line: string) => write(`==> ${line}\n`);
const reporter = createReporter(write);

// The average over 30 days has a point every five minutes, which is longer than this run.
const rateInterval = '1m';
const shortened = (expr: string) => expr.replace('[30d:5m]', '[1m:1s]');
const queries = dashboardQueries(rateInterval).map(({ panel, expr }) => ({ panel, expr: shortened(expr) }));
// The sandbox's forwarding has no verification, whose first result takes longer than this run.
const withoutData = ['Not verified', 'Lines of the last verification', 'Last verification'];
const panels = [...new Set(queries.map(({ panel }) => panel))];

/** Resolves with the panels that have data. Rejects if Prometheus refuses a query. */
async function panelsWithData({ query }: Monitoring): Promise<Set<string>> {
  const found = new Set<string>();
  for (const { panel, expr } of queries) if ((await query(expr)).length > 0) found.add(panel);
  return found;
}

const pictures = process.argv.includes('--pictures') ? await createPictures(progress) : undefined;
await import('../../scripts/build.ts');
const sandbox = await startSandboxWithoutOperator(progress);
const { controlPlane, services } = sandbox;
const { konnect, sumologic } = services;
const client = createKonnectClient(sandbox);
const stops: (() => Promise<unknown>)[] = [() => sandbox.stop()];
const seen = new Set<string>();

const kubectl = (...args: readonly string[]) => runKubectl(controlPlane, args);

const look = (name: string) =>
  kubectl(
    'annotate',
    'alf',
    name,
    `-n=${namespace}`,
    '--overwrite',
    `${reconcileAnnotation}=${String(performance.now())}`,
  );

const stateMs = 30_000;
// The picture of the docs has no empty half then.
const drawnSeconds = 180;
const inDocs = 'siem-401';

/** Writes a picture of the dashboard, with `--pictures`. The forwarding is reconciled all the time, so that the lines move. */
async function picture(monitoring: Monitoring, name: string): Promise<void> {
  if (pictures === undefined) return;
  const untilMs = performance.now() + stateMs;
  while (performance.now() < untilMs) {
    await look('sumologic');
    // Konnect refuses it in one of the states.
    await login().catch(() => undefined);
    await delay(3_000);
  }
  await mkdir('dist/dashboard', { recursive: true });
  const to = Math.floor(Date.now() / 1_000);
  const asSent = (expr: string) => shortened(asGrafanaSends(expr, rateInterval));
  const png = await pictures(monitoring, { from: to - drawnSeconds, to, asSent });
  await writeFile(`dist/dashboard/${name}.png`, png);
  if (name === inDocs) await writeFile('docs/operate/dashboard.png', png);
  progress(`wrote dist/dashboard/${name}.png, ${String(Math.round(png.length / 1_024))} KB`);
}

const login = () => client.login(sandboxData.portals.developers);

/** Checks that these panels have data, and that Prometheus takes all queries. */
async function expectPanels(monitoring: Monitoring, ...wanted: readonly string[]): Promise<void> {
  deepEqual(
    wanted.filter((title) => !panels.includes(title)),
    [],
    'a panel does not exist',
  );
  // Some panels have data only shortly after an event.
  const found = new Set<string>();
  await reporter.check(
    `all ${String(queries.length)} queries run, and these panels have data: ${wanted.join(', ')}`,
    () =>
      eventually(
        async () => {
          for (const panel of await panelsWithData(monitoring)) {
            found.add(panel);
            seen.add(panel);
          }
          deepEqual(
            wanted.filter((panel) => !found.has(panel)),
            [],
            'no data',
          );
        },
        { everyMs: 1_000 },
      ),
  );
}

async function expectValue({ query }: Monitoring, what: string, expr: string, value: number): Promise<void> {
  await reporter.check(what, () =>
    eventually(
      async () =>
        deepEqual(
          (await query(expr)).map((series) => Number(series.value[1])),
          [value],
        ),
      {
        everyMs: 500,
      },
    ),
  );
}

async function expectAlert(
  { notifications }: Monitoring,
  name: string,
  labels: Readonly<Record<string, string>>,
  summary: RegExp,
) {
  await reporter.check(`the alert ${name} reaches the receiver`, () =>
    eventually(
      () => {
        const sent = notifications.filter(
          ({ status, labels: has }) => status === 'firing' && has['alertname'] === name,
        );
        const matching = sent.filter(({ labels: has }) =>
          Object.entries(labels).every(([key, value]) => has[key] === value),
        );
        deepEqual(
          new Set(matching.map(({ annotations }) => summary.test(annotations['summary'] ?? ''))),
          new Set([true]),
        );
      },
      { everyMs: 500 },
    ),
  );
}

async function run(): Promise<void> {
  const operator = await startOperator({
    kubeconfig: sandbox.kubeconfig,
    konnectURL: konnect.urlTemplate,
    flags: ['--leader-elect', `--leader-elect-resource-namespace=${serviceAccount.namespace}`],
  });
  stops.push(() => operator.stop());
  const monitoring = await startMonitoring(operator.metricsURL, progress);
  stops.push(() => monitoring.stop());
  const count = (title: string) => queries.find(({ panel }) => panel === title)?.expr ?? '';

  reporter.section('everything works');
  await kubectl('apply', '-f', await writeForwarding(sandbox));
  const replay = '{"spec":{"gapRecovery":{"mode":"Replay"}}}';
  await kubectl('patch', 'alf', 'sumologic', `-n=${namespace}`, '--type=merge', `-p=${replay}`);
  await kubectl('wait', '--for=condition=Ready', '--timeout=60s', `-n=${namespace}`, 'alf/sumologic');
  await login();
  await look('sumologic');
  await expectValue(monitoring, 'one forwarding is ready', count('Forwardings ready'), 1);
  await expectValue(
    monitoring,
    'the label namespace is that of the forwarding',
    `count(konnect_audit_log_forwarding_info{namespace="${namespace}",name="sumologic"})`,
    1,
  );
  await expectPanels(
    monitoring,
    'Forwardings ready',
    'Delivering, 30 days',
    'Delivering',
    'Requests',
    'Failing share',
    'Latency, 99th percentile',
    'Wait for the budget, 99th percentile',
    'Withheld',
    'Who leads',
    'Versions',
    'Reconciliations',
    'Wait in the queue, 99th percentile',
    'Silence of the API server',
    'Requests to the API server',
    'Memory',
    'Event loop lag',
  );
  await expectValue(monitoring, 'every webhook delivers', count('Webhooks not delivering'), 0);
  await picture(monitoring, 'healthy');

  reporter.section('another client changes a webhook');
  const webhook = webhookOf(sandboxData.portals.developers);
  await client.call('PATCH', 'us', webhook, { ...(await client.webhook(webhook)), enabled: false });
  await look('sumologic');
  await expectPanels(monitoring, 'Corrected after changes of other clients');

  reporter.section('a portal that does not exist');
  const Forwarding = z.looseObject({ apiVersion: z.string(), kind: z.string(), spec: z.looseObject({}) });
  const { apiVersion, kind, spec } = Forwarding.parse(
    JSON.parse(await kubectl('get', 'alf', 'sumologic', `-n=${namespace}`, '-o=json')),
  );
  const wrong = {
    apiVersion,
    kind,
    metadata: { name: 'wrong', namespace },
    spec: { ...spec, organization: undefined, portals: [{ id: '00000000-0000-4000-8000-000000000001' }] },
  };
  const file = join(sandbox.folder, 'wrong.json');
  await writeFile(file, JSON.stringify(wrong));
  await kubectl('apply', '-f', file);
  await expectValue(monitoring, 'one forwarding is not ready', count('Forwardings not ready'), 1);
  await expectPanels(monitoring, 'Forwardings that are not ready', 'Webhooks that are not on');
  await expectAlert(
    monitoring,
    'KonnectAuditLogNotReady',
    { namespace, name: 'wrong' },
    /platform\/wrong is not ready: PortalNotFound\.$/,
  );
  await picture(monitoring, 'wrong-portal');
  await kubectl('delete', 'alf', 'wrong', `-n=${namespace}`, '--timeout=60s');

  reporter.section('SumoLogic answers 401');
  sumologic.control.respond(sandboxData.sourceCode, 401);
  await login();
  await eventually(
    async () => {
      await look('sumologic');
      ok((await monitoring.query('konnect_audit_log_webhook_last_response_code == 401')).length > 0, 'no 401');
    },
    { everyMs: 2_000 },
  );
  await expectPanels(monitoring, 'Webhooks that do not deliver', 'Oldest gap', 'Gaps');
  await expectAlert(
    monitoring,
    'KonnectAuditLogNotDelivering',
    { namespace, name: 'sumologic' },
    /takes no audit logs from webhook .+ of platform\/sumologic\.$/,
  );
  await picture(monitoring, 'siem-401');

  reporter.section('SumoLogic works again, and the operator replays');
  sumologic.control.respond(sandboxData.sourceCode, 200);
  await login();
  await look('sumologic');
  await expectPanels(monitoring, 'Replays');

  reporter.section('a user changes the spec');
  const interval = '{"spec":{"interval":"11m"}}';
  await kubectl('patch', 'alf', 'sumologic', `-n=${namespace}`, '--type=merge', `-p=${interval}`);
  await expectPanels(monitoring, 'From a change to Konnect, 99th percentile');

  reporter.section('Konnect answers 429');
  const fault = konnect.control.fail({ kind: 'status', status: 429, retryAfter: 20 });
  await eventually(
    async () => {
      await look('sumologic');
      ok((await monitoring.query('konnect_audit_log_konnect_ratelimit_remaining == 0')).length > 0, 'no limit');
    },
    { everyMs: 2_000 },
  );
  await expectPanels(monitoring, 'Left of the rate limit', 'Failing share', 'Withheld');
  await expectAlert(monitoring, 'KonnectAuditLogRateLimitNear', { region: 'us' }, /region us\.$/);
  await picture(monitoring, 'konnect-429');
  fault.remove();

  reporter.section('the whole run');
  await reporter.check('every panel but those of verification had data in one of these states', () =>
    deepEqual(
      panels.filter((panel) => !seen.has(panel)),
      withoutData,
    ),
  );
}

function fail(error: unknown): void {
  write(`\n==> ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

const startedMs = performance.now();
try {
  await run();
  write(`\n==> all checks succeeded, ${String(Math.round((performance.now() - startedMs) / 1_000))} s\n`);
} catch (error) {
  fail(error);
}
for (const stop of stops.toReversed()) await stop().catch(fail);
process.exit();
