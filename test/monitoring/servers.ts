/** A real Prometheus that scrapes the operator, and a real Alertmanager that sends its alerts to a local receiver. */
import { writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { stringify } from 'yaml';
import * as z from 'zod';
import { freePort } from '../../sandbox/control-plane/ports.ts';
import { startSupervised } from '../../sandbox/control-plane/supervised.ts';
import { renderRules } from '../../scripts/monitoring/rules.ts';
import { startHTTPServer } from '../support/http-server.ts';
import { alertmanager, ensureProgram, prometheus } from '../validators/build.ts';

export interface Notification {
  readonly status: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface Monitoring {
  /** Resolves with the series that a query returns. Rejects with the error of Prometheus. */
  readonly query: (expr: string) => Promise<Series[]>;
  /** Resolves with the series that a query returns in each second between two times, which are in seconds. */
  readonly queryRange: (expr: string, start: number, end: number) => Promise<SeriesRange[]>;
  /** The alerts that Alertmanager has sent so far. */
  readonly notifications: readonly Notification[];
  stop(): Promise<void>;
}

const Value = z.tuple([z.number(), z.string()]);
const Series = z.object({ metric: z.record(z.string(), z.string()), value: Value });
const SeriesRange = z.object({ metric: z.record(z.string(), z.string()), values: z.array(Value) });
type Series = z.infer<typeof Series>;
type SeriesRange = z.infer<typeof SeriesRange>;
const Answer = z.object({
  status: z.string(),
  error: z.string().optional(),
  data: z.object({ result: z.array(z.unknown()) }).optional(),
});
const Notified = z.object({
  alerts: z.array(
    z.object({
      status: z.string(),
      labels: z.record(z.string(), z.string()),
      annotations: z.record(z.string(), z.string()),
    }),
  ),
});

const readyTimeoutMs = 60_000;

/** Starts both servers. Scrapes every second, and lets alerts fire after a second instead of minutes. */
export async function startMonitoring(metricsURL: string, progress: (line: string) => void): Promise<Monitoring> {
  const executables = {
    prometheus: await ensureProgram(prometheus, { progress }),
    alertmanager: await ensureProgram(alertmanager, { progress }),
  };
  const notifications: Notification[] = [];
  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    notifications.push(...Notified.parse(JSON.parse(await text(request))).alerts);
    response.end();
  }
  const receiver = await startHTTPServer((request, response) => void receive(request, response));

  return startSupervised(async (supervised) => {
    const [port, alertPort] = [await freePort(), await freePort()];
    const url = `http://127.0.0.1:${String(port)}`;
    const alertURL = `http://127.0.0.1:${String(alertPort)}`;
    const file = async (name: string, content: string) => {
      const path = join(supervised.folder, name);
      await writeFile(path, content);
      return path;
    };
    const rules = await file('rules.yaml', renderRules().replaceAll(/^( +)for: .*$/gm, '$1for: 1s'));
    const config = await file(
      'prometheus.yaml',
      stringify({
        global: { scrape_interval: '1s', evaluation_interval: '1s' },
        rule_files: [rules],
        alerting: { alertmanagers: [{ static_configs: [{ targets: [`127.0.0.1:${String(alertPort)}`] }] }] },
        scrape_configs: [
          {
            job_name: 'operator',
            honor_labels: true,
            static_configs: [{ targets: [new URL(metricsURL).host], labels: { namespace: 'konnect-audit-log' } }],
          },
        ],
      }),
    );
    const alertConfig = await file(
      'alertmanager.yaml',
      stringify({
        route: { receiver: 'local', group_by: ['...'], group_wait: '1s', group_interval: '1s' },
        receivers: [{ name: 'local', webhook_configs: [{ url: `${receiver.url}/`, max_alerts: 0 }] }],
      }),
    );
    await supervised.start('alertmanager', executables.alertmanager, [
      `--config.file=${alertConfig}`,
      `--storage.path=${join(supervised.folder, 'alerts')}`,
      `--web.listen-address=127.0.0.1:${String(alertPort)}`,
      '--cluster.listen-address=',
    ]);
    await supervised.start('prometheus', executables.prometheus, [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(supervised.folder, 'series')}`,
      `--web.listen-address=127.0.0.1:${String(port)}`,
    ]);
    await supervised.waitUntilOK('alertmanager', `${alertURL}/-/ready`, readyTimeoutMs);
    await supervised.waitUntilOK('prometheus', `${url}/-/ready`, readyTimeoutMs);
    progress('Prometheus scrapes the operator, and Alertmanager sends its alerts to a local receiver');
    const ask = async (path: string, parameters: Readonly<Record<string, string>>) => {
      const answer = await fetch(`${url}/api/v1/${path}`, { method: 'POST', body: new URLSearchParams(parameters) });
      const { status, error, data } = Answer.parse(await answer.json());
      if (status !== 'success') throw new Error(`${parameters['query'] ?? ''}: ${error ?? 'no error'}`);
      return data?.result ?? [];
    };
    return {
      notifications,
      query: async (expr) => z.array(Series).parse(await ask('query', { query: expr })),
      queryRange: async (expr, start, end) =>
        z
          .array(SeriesRange)
          .parse(await ask('query_range', { query: expr, start: String(start), end: String(end), step: '1' })),
      async stop() {
        await supervised.end();
        receiver.stop();
      },
    };
  });
}
