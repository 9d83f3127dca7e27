import type { Config } from '../config/config.ts';
import type { NamespaceCheck } from '../kube/namespace-check.ts';
import { describeForbidden, staleWatches, type WatchHealth } from '../kube/watch-staleness.ts';
import type { LeaderElection } from '../leader-election/leader-election.ts';
import type { Log } from '../runtime/log.ts';
import { probe } from '../telemetry/routes.ts';
import { TelemetryServer } from '../telemetry/server.ts';

/** A watch receives data about once a minute, and one without data is restarted after 70 s. A silence of this time is longer than both. */
const staleWatchAfterMs = 180_000;

export interface ProbeServerOptions {
  readonly config: Pick<Config, 'healthProbeBindAddress'>;
  readonly watches: () => readonly WatchHealth[];
  readonly namespaceCheck: Pick<NamespaceCheck, 'missing'>;
  readonly leadership: Pick<LeaderElection, 'hasAttempted'> | undefined;
  readonly log: Log;
}

/** Returns the server of `/healthz` and `/readyz`, or none if probes are off. */
export function createProbeServers(options: ProbeServerOptions): TelemetryServer[] {
  const { config, namespaceCheck, leadership, log } = options;
  const address = config.healthProbeBindAddress;
  if (address === undefined) return [];
  const watches = () => {
    const { missing } = namespaceCheck;
    const informers = options.watches();
    const absent = missing.length === 0 ? undefined : `these namespaces do not exist: ${missing.join(', ')}`;
    const notes = [describeForbidden(informers), absent].filter((note) => note !== undefined);
    return staleWatches(informers, staleWatchAfterMs) ?? (notes.length === 0 ? undefined : { note: notes.join('; ') });
  };
  const lease = () => (leadership?.hasAttempted === false ? 'the Lease could not be read yet' : undefined);
  const routes = { '/healthz': probe('healthz', {}), '/readyz': probe('readyz', { watches, lease }) };
  return [new TelemetryServer({ address, routes, log })];
}
