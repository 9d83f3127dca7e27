import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Agent, request } from 'undici';
import { parseConfig } from '../../../src/config/config.ts';
import { createLeadership } from '../../../src/operator/leadership.ts';
import { createMetricsServers } from '../../../src/operator/metrics-server.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';
import { ApiServer, configFor, json, refuse } from '../kube/api-server.ts';

let server: ApiServer;
const counted: string[] = [];

beforeEach(async () => {
  counted.length = 0;
  server = new ApiServer();
  await server.start();
});

afterEach(() => server.stop());

/** Returns what both functions take. `onAnswer` collects the requests that the metrics would count. */
function options(...argv: readonly string[]) {
  const parsed = parseConfig(argv, {});
  if (parsed.kind !== 'config') throw new Error(JSON.stringify(parsed));
  const quiet = () => undefined;
  return {
    config: parsed.config,
    kubeConfig: configFor(server.url),
    userAgent: 'test',
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    metrics: createMetrics({ version: '1', nodeVersion: '1', hasProcessMetrics: false }),
    onAnswer: (method: string, code: string) => counted.push(`${method} ${code}`),
  };
}

test('the metrics count the requests for the Lease', async () => {
  server.otherwise = ({ method }, response) => {
    if (method === 'GET') refuse(response, 404, 'NotFound');
    else json(response, 200, { metadata: { name: 'x', namespace: 'a', uid: 'u', resourceVersion: '1' } });
    return true;
  };
  const leadership = createLeadership(options('--leader-elect', '--leader-elect-resource-namespace=a'));
  await leadership?.run(new AbortController().signal, () => Promise.resolve());
  expect(counted).toEqual(['GET 404', 'POST 200', 'PATCH 200']);
});

test('the metrics count the reviews of their clients', async () => {
  server.otherwise = (_, response) => {
    json(response, 201, { status: { authenticated: false } });
    return true;
  };
  const [metricsServer] = createMetricsServers(options('--metrics-bind-address=127.0.0.1:0'));
  const stop = new AbortController();
  const running = metricsServer?.run(stop.signal);
  const port = await metricsServer?.port;
  const dispatcher = new Agent({ connect: { rejectUnauthorized: false } });
  const headers = { authorization: 'Bearer theirs' };
  const { statusCode } = await request(`https://127.0.0.1:${String(port)}/metrics`, { dispatcher, headers });
  expect(statusCode).toBe(401);
  expect(counted).toEqual(['POST 201']);
  await dispatcher.destroy();
  stop.abort();
  await running;
});
