import type { Config } from '../config/config.ts';
import { describeForbidden, staleWatches, type WatchHealth } from '../kube/watch-staleness.ts';
import type { LeaderElection } from '../leader-election/leader-election.ts';
import type { Log } from '../runtime/log.ts';
import { probe } from '../telemetry/routes.ts';
import { TelemetryServer } from '../telemetry/server.ts';

/** A watch receives data about once a minute, and one without data is restarted after 70 s. A silence of this time is longer than both. */
const staleWatchAfterMs = 180_000;

export interface ProbeServerOptions {
  readonly config: Pick<Config, 'healthProbeBindAddress'>;
  readonly informers: readonly WatchHealth[];
  readonly leadership: Pick<LeaderElection, 'hasAttempted'> | undefined;
  readonly log: Log;
}

/** Returns the server of `/healthz` and `/readyz`, or none if probes are off. */
export function createProbeServers({ config, informers, leadership, log }: ProbeServerOptions): TelemetryServer[] {
  const address = config.healthProbeBindAddress;
  if (address === undefined) return [];
  const watches = () => {
    const note = describeForbidden(informers);
    return staleWatches(informers, staleWatchAfterMs) ?? (note === undefined ? undefined : { note });
  };
  const lease = () => (leadership?.hasAttempted === false ? 'the Lease could not be read yet' : undefined);
  const routes = { '/healthz': probe('healthz', {}), '/readyz': probe('readyz', { watches, lease }) };
  return [new TelemetryServer({ address, routes, log })];
}
