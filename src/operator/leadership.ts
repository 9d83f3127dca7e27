import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Config } from '../config/config.ts';
import { KubeClient, type KubeClientOptions } from '../kube/kube-client.ts';
import { podNamespace } from '../kube/kube-config.ts';
import { kubernetesLease } from '../leader-election/kubernetes-lease.ts';
import { LeaderElection } from '../leader-election/leader-election.ts';
import type { Log } from '../runtime/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';

export interface LeadershipOptions {
  readonly config: Config;
  readonly kubeConfig: KubeClientOptions['config'];
  readonly userAgent: string;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'setLeader'>;
  readonly onAnswer: KubeClientOptions['onAnswer'];
}

/** Returns the leader election that the flags describe, or undefined without `--leader-elect`. Throws if the namespace of the Lease is unknown. */
export function createLeadership({
  config,
  kubeConfig,
  userAgent,
  log,
  metrics,
  onAnswer,
}: LeadershipOptions): LeaderElection | undefined {
  if (!config.leaderElect) return undefined;
  const name = config.leaderElectResourceName;
  const namespace = config.leaderElectResourceNamespace ?? podNamespace();
  if (namespace === undefined)
    throw new Error('outside of a Pod, leader election needs --leader-elect-resource-namespace');
  metrics.setLeader(name, false);
  return new LeaderElection({
    store: kubernetesLease(clientForLeases({ kubeConfig, userAgent, onAnswer }), { namespace, name }),
    name: `lease ${namespace}/${name}`,
    identity: `${hostname()}_${randomUUID()}`,
    times: {
      leaseDurationMs: config.leaderElectLeaseDurationMs,
      renewDeadlineMs: config.leaderElectRenewDeadlineMs,
      retryPeriodMs: config.leaderElectRetryPeriodMs,
    },
    log,
    onChange: (isLeader) => metrics.setLeader(name, isLeader),
  });
}

/** Returns a client without a fence, and with connections of its own, so that no other request delays a renewal. */
function clientForLeases({
  kubeConfig,
  userAgent,
  onAnswer,
}: Pick<LeadershipOptions, 'kubeConfig' | 'userAgent' | 'onAnswer'>): KubeClient {
  return new KubeClient({
    userAgent,
    onAnswer,
    config: {
      server: kubeConfig.server,
      isReplaced: (credentials) => kubeConfig.isReplaced(credentials),
      async credentials() {
        const credentials = await kubeConfig.credentials();
        return { ...credentials, requests: credentials.watches };
      },
    },
  });
}
