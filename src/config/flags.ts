/** The table of flags: names, defaults, help, and how each text is parsed. */
import * as z from 'zod';
import { defaultKonnectURL, problemWithKonnectURL } from '../konnect/konnect-url.ts';
import { areLeaseTimes } from '../leader-election/lease.ts';
import { defaultSumoLogicURL, problemWithSumoLogicURL } from '../sumologic/sumologic-url.ts';
import { logFormats, logLevels } from '../telemetry/log.ts';
import { address, boolean, duration, type Flag, flags, integer, oneOf, optionalText } from './flag-types.ts';
import { labelSelector } from './label-selector.ts';

const namespace = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const resourceName = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/;
const path = /^[^\p{Cc}]{1,4096}$/u;

/** Returns a schema for one of the times of a lease. The flag of the renew deadline describes how they depend on each other. */
function leaseTime(flag: Omit<Flag, 'value' | 'expected'>, more = '') {
  return duration(100, 3_600_000, `from 100ms to 1h${more}`, flag);
}

const flagSchema = z.object({
  konnectURL: z
    .string()
    .refine((value) => problemWithKonnectURL(value) === undefined)
    .register(flags, {
      name: 'konnect-url',
      value: 'template',
      default: defaultKonnectURL,
      help: 'The URL of the Konnect API. The operator replaces {region} with the region, or with "global" for destinations.',
      expected:
        'an https URL (http for loopback hosts only) with {region} once, in the path or before a fixed part of the host, without credentials, query or fragment',
      isSecret: true,
    }),
  konnectTimeoutMs: duration(1_000, 120_000, 'from 1s to 2m', {
    name: 'konnect-timeout',
    default: '15s',
    help: 'The time limit for one request to Konnect, from connecting to the last byte.',
  }),
  konnectQPS: integer(1, 1_000, {
    name: 'konnect-qps',
    default: '10',
    help: 'How many requests a second the operator sends to Konnect on average, for each organization and region.',
  }),
  konnectBurst: integer(1, 10_000, {
    name: 'konnect-burst',
    default: '100',
    help: 'How many requests the operator may send to Konnect at once after a pause, for each organization and region.',
  }),
  sumoLogicURL: z
    .string()
    .refine((value) => problemWithSumoLogicURL(value) === undefined)
    .register(flags, {
      name: 'sumologic-url',
      value: 'template',
      default: defaultSumoLogicURL,
      help: 'The URL of the SumoLogic API, without /api/v1. The operator replaces {deployment} with spec.verification.sumoLogic.deployment, and leaves it out for us1.',
      expected:
        'an https URL (http for loopback hosts only) without /api/v1, credentials, query or fragment, with {deployment} at most once, as one label of the host between others',
      isSecret: true,
    }),
  verificationDelayMs: duration(1_000, 3_600_000, 'from 1s to 1h', {
    name: 'verification-delay',
    default: '10m',
    help: 'The age from which on a line has to be in SumoLogic. A verification compares only what is older.',
  }),
  staleListWindowMs: duration(0, 600_000, 'from 0s to 10m', {
    name: 'stale-list-window',
    default: '30s',
    help: 'How long a list of destinations may lack a new one. After a lost answer, the operator looks for the destination for this time before it creates another.',
  }),
  clusterName: optionalText(
    {
      name: 'cluster-name',
      value: 'name',
      default: '',
      help: 'A prefix for the names of destinations, so that several clusters can share an organization.',
      expected:
        'at most 63 letters, digits, dots, dashes and underscores, with a letter or digit at the beginning and at the end',
    },
    /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/,
  ),
  watchNamespaces: z
    .string()
    .transform((value) => [...new Set(value.split(',').map((name) => name.trim()))].filter((name) => name !== ''))
    .pipe(z.array(z.string().regex(namespace)))
    .register(flags, {
      name: 'watch-namespaces',
      value: 'names',
      default: '',
      help: 'The namespaces to watch, separated by commas. All namespaces if empty.',
      expected: 'names of namespaces, separated by commas',
    }),
  watchLabelSelector: optionalText(
    {
      name: 'watch-label-selector',
      value: 'selector',
      default: '',
      help: 'The forwardings to watch, by their labels. All forwardings if empty. Each forwarding must belong to exactly one operator.',
      expected: 'a label selector of Kubernetes, such as shard=a or "shard notin (a, b)"',
    },
    labelSelector,
  ),
  authRefs: boolean({
    name: 'auth-refs',
    default: 'false',
    help: 'Watch the KonnectAPIAuthConfigurations of kong-operator, which spec.konnect.authRef names. Their CRD has to be installed.',
  }),
  kubeconfig: optionalText(
    {
      name: 'kubeconfig',
      value: 'file',
      default: '',
      help: 'The kubeconfig file. If empty, the operator uses $KUBECONFIG, else ~/.kube/config, else the service account of the Pod.',
      expected: 'the path of a file',
    },
    path,
  ),
  maxConcurrentReconciles: integer(1, 256, {
    name: 'max-concurrent-reconciles',
    default: '4',
    help: 'How many forwardings the operator reconciles at the same time, for each organization and region.',
  }),
  gracePeriodMs: duration(0, 600_000, 'from 0s to 10m', {
    name: 'grace-period',
    default: '20s',
    help: 'How long reconciliations in progress may continue after SIGTERM.',
  }),
  leaderElect: boolean({
    name: 'leader-elect',
    default: 'false',
    help: 'Enable leader election, so that only one of several replicas is active.',
  }),
  leaderElectLeaseDurationMs: leaseTime({
    name: 'leader-elect-lease-duration',
    default: '15s',
    help: 'How long a replica on standby waits after the last renewal that it saw, before it takes over.',
  }),
  leaderElectRenewDeadlineMs: leaseTime(
    {
      name: 'leader-elect-renew-deadline',
      default: '10s',
      help: 'How long the leader continues without a renewal, before it exits.',
    },
    ', less than the lease duration and more than 1.2 retry periods',
  ),
  leaderElectRetryPeriodMs: leaseTime({
    name: 'leader-elect-retry-period',
    default: '2s',
    help: 'How often the leader renews the Lease. A replica on standby reads the Lease two to four times as often.',
  }),
  leaderElectResourceName: z.string().regex(resourceName).register(flags, {
    name: 'leader-elect-resource-name',
    value: 'name',
    default: 'konnect-audit-log-operator',
    help: 'The name of the Lease.',
    expected: 'a valid name in Kubernetes, with at most 253 lower-case letters, digits, dots and dashes',
  }),
  leaderElectResourceNamespace: optionalText(
    {
      name: 'leader-elect-resource-namespace',
      value: 'name',
      default: '',
      help: 'The namespace of the Lease. If empty, the namespace of the Pod.',
      expected: 'the name of a namespace',
    },
    namespace,
  ),
  metricsBindAddress: address({
    name: 'metrics-bind-address',
    default: ':8080',
    help: 'The address of /metrics. 0 turns it off.',
  }),
  metricsSecure: boolean({
    name: 'metrics-secure',
    default: 'true',
    help: 'Serve /metrics over TLS, and only to clients with a bearer token whose owner may GET /metrics by Kubernetes RBAC.',
  }),
  metricsCertDir: optionalText(
    {
      name: 'metrics-cert-dir',
      value: 'folder',
      default: '',
      help: 'The folder with tls.crt and tls.key for /metrics, read again every minute. If empty, the operator generates a self-signed certificate.',
      expected: 'the path of a folder',
    },
    path,
  ),
  healthProbeBindAddress: address({
    name: 'health-probe-bind-address',
    default: ':8081',
    help: 'The address of /healthz and /readyz. 0 turns them off.',
  }),
  logLevel: oneOf(logLevels, { name: 'log-level', default: 'info', help: 'The lowest severity that is logged.' }),
  logFormat: oneOf(logFormats, {
    name: 'log-format',
    default: 'json',
    help: 'The format of the log: json for machines, text for humans.',
  }),
});

/** Parses the texts of all flags by their key. */
export const configSchema = flagSchema.superRefine((config, context) => {
  const times = {
    leaseDurationMs: config.leaderElectLeaseDurationMs,
    renewDeadlineMs: config.leaderElectRenewDeadlineMs,
    retryPeriodMs: config.leaderElectRetryPeriodMs,
  };
  if (!areLeaseTimes(times)) context.addIssue({ code: 'custom', path: ['leaderElectRenewDeadlineMs'] });
});

export interface FlagOfConfig extends Flag {
  key: string;
}

/** All flags that take a value, in the order of the help text. Besides them there are `--help` (`-h`) and `--version`. */
export const flagTable: readonly Readonly<FlagOfConfig>[] = Object.entries(flagSchema.shape).map(([key, schema]) => {
  const flag = flags.get(schema);
  if (flag === undefined) throw new Error(`${key} is not a flag`);
  return { ...flag, key };
});

/** Returns the name of the environment variable of a flag. */
export function environmentName(flag: Pick<Flag, 'name'>): string {
  return `KONNECT_AUDIT_LOG_${flag.name.toUpperCase().replaceAll('-', '_')}`;
}
