import { hostname } from 'node:os';
import type { Config } from '../config/config.ts';
import { reviewAccess } from '../kube/access-review.ts';
import { KubeClient, type KubeClientOptions } from '../kube/kube-client.ts';
import type { Log } from '../runtime/log.ts';
import { createAuthorizer } from '../telemetry/authorizer.ts';
import { readCertificate } from '../telemetry/certificate.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { metricsPage } from '../telemetry/routes.ts';
import { selfSigned } from '../telemetry/self-signed.ts';
import { TelemetryServer } from '../telemetry/server.ts';

const path = '/metrics';

export interface MetricsServerOptions {
  readonly config: Pick<Config, 'metricsBindAddress' | 'metricsSecure' | 'metricsCertDir'>;
  readonly kubeConfig: KubeClientOptions['config'];
  readonly userAgent: string;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly onAnswer: KubeClientOptions['onAnswer'];
}

/** Returns the server of `/metrics`, or none if it is off. Throws if the certificate cannot be read. */
export function createMetricsServers({
  config,
  kubeConfig,
  userAgent,
  metrics,
  log,
  onAnswer,
}: MetricsServerOptions): TelemetryServer[] {
  const { metricsBindAddress: address, metricsSecure, metricsCertDir } = config;
  if (address === undefined) return [];
  const routes = { [path]: metricsPage(metrics) };
  if (!metricsSecure) return [new TelemetryServer({ address, routes, log })];
  const own = metricsCertDir === undefined ? selfSigned(hostname(), new Date()) : undefined;
  // Without a fence: reviews are not writes, and a replica on standby serves metrics, too.
  const client = new KubeClient({ config: kubeConfig, userAgent, timeoutMs: 10_000, onAnswer });
  const authorizer = createAuthorizer({
    review: (token) => reviewAccess(client, { token, path }),
    log,
    nowMs: () => performance.now(),
  });
  const certificate = () => own ?? readCertificate(metricsCertDir ?? '');
  return [new TelemetryServer({ address, routes, log, authorizer, certificate })];
}
