import { parseArgs } from 'node:util';
import * as z from 'zod';
import { parseDurationMs } from '../api/duration.ts';
import type { ProxyEnvironment } from '../konnect/http.ts';
import { defaultKonnectURL, problemWithKonnectURL } from '../konnect/konnect-url.ts';
import { areLeaseTimes } from '../leader-election/lease.ts';
import { parseBindAddress } from '../telemetry/bind-address.ts';
import { logFormats, logLevels } from '../telemetry/log.ts';

/** What is known of a flag besides how its text is read. */
export interface Flag {
  /** Without the leading dashes. */
  name: string;
  /** What stands for the value in the help text. */
  value: string;
  /** As it would be written; empty for none. */
  default: string;
  help: string;
  /** What a right value looks like, after "must be". */
  expected: string;
  /** True where the value may hold a credential, so that it is never repeated. */
  secret?: boolean;
  /** What the flag means without a value; one that has this never takes the next argument for its value. */
  bare?: string;
}

const flags = z.registry<Flag>();

function optionalText(flag: Flag, pattern: RegExp) {
  const read = z
    .union([z.literal('').transform(() => undefined), z.string().regex(pattern)])
    .transform((value): string | undefined => value);
  return read.register(flags, flag);
}

function oneOf<const T extends readonly [string, ...string[]]>(words: T, flag: Omit<Flag, 'value' | 'expected'>) {
  return z.enum(words).register(flags, { ...flag, value: words.join('|'), expected: `one of ${words.join(', ')}` });
}

function yesOrNo(flag: Omit<Flag, 'value' | 'expected' | 'bare'>) {
  const read = z.enum(['true', 'false']).transform((value) => value === 'true');
  return read.register(flags, { ...flag, value: 'true|false', expected: 'true or false', bare: 'true' });
}

function address(flag: Omit<Flag, 'value' | 'expected'>) {
  const read = z.string().transform((value, context) => {
    const parsed = parseBindAddress(value);
    if (parsed === undefined) context.addIssue('not an address');
    return parsed === 'off' ? undefined : parsed;
  });
  return read.register(flags, {
    ...flag,
    value: 'address',
    expected: 'an address such as :8080 or 127.0.0.1:8080, or 0 for off',
  });
}

function duration(fromMs: number, toMs: number, range: string, flag: Omit<Flag, 'value' | 'expected'>) {
  const read = z.string().transform((value, context) => {
    const ms = parseDurationMs(value) ?? Number.NaN;
    if (!(ms >= fromMs && ms <= toMs)) context.addIssue('not a duration in range');
    return ms;
  });
  return read.register(flags, { ...flag, value: 'duration', expected: `a duration such as 30s or 1m30s, ${range}` });
}

function integer(from: number, to: number, flag: Omit<Flag, 'value' | 'expected'>) {
  const read = z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .pipe(z.int().min(from).max(to));
  return read.register(flags, { ...flag, value: 'number', expected: `a whole number from ${from} to ${to}` });
}

/** Of the times of a lease; what must hold between them is said of the renew deadline. */
function leaseTime(flag: Omit<Flag, 'value' | 'expected'>, more = '') {
  return duration(100, 3_600_000, `from 100ms to 1h${more}`, flag);
}

const namespace = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const resourceName = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/;

/** The one table of flags: names, defaults, help, and how each text is read. All are texts before they are parsed. */
const flagSchema = z.object({
  konnectURL: z
    .string()
    .refine((value) => problemWithKonnectURL(value) === undefined)
    .register(flags, {
      name: 'konnect-url',
      value: 'template',
      default: defaultKonnectURL,
      help: 'Where Konnect is, with {region} in place of the region; "global" is put in for destinations.',
      expected:
        'an https URL (http for loopback hosts only) with {region} once, in the path or before a fixed part of the host, without credentials, query or fragment',
      secret: true,
    }),
  konnectTimeoutMs: duration(1_000, 120_000, 'from 1s to 2m', {
    name: 'konnect-timeout',
    default: '15s',
    help: 'How long a request to Konnect may take as a whole.',
  }),
  konnectQPS: integer(1, 1_000, {
    name: 'konnect-qps',
    default: '10',
    help: 'How many requests a second go to Konnect for one organization and region, in the long run.',
  }),
  konnectBurst: integer(1, 10_000, {
    name: 'konnect-burst',
    default: '100',
    help: 'How many requests for one organization and region may go to Konnect at once after a rest.',
  }),
  staleListWindowMs: duration(0, 600_000, 'from 0s to 10m', {
    name: 'stale-list-window',
    default: '30s',
    help: 'For how long a list of destinations may lack one that was just created. A lost answer to a creation is looked up for as long, before another try.',
  }),
  clusterName: optionalText(
    {
      name: 'cluster-name',
      value: 'name',
      default: '',
      help: 'Put before the names of destinations, so that several clusters can share an organization.',
      expected:
        'letters, digits, dots, dashes and underscores, at most 63, beginning and ending with a letter or digit',
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
      help: 'Namespaces to work in, separated by commas; all if empty.',
      expected: 'names of namespaces, separated by commas',
    }),
  kubeconfig: optionalText(
    {
      name: 'kubeconfig',
      value: 'file',
      default: '',
      help: 'How to reach Kubernetes; if empty $KUBECONFIG, ~/.kube/config or the service account of the Pod, whichever is there first.',
      expected: 'the path of a file',
    },
    /^[^\p{Cc}]{1,4096}$/u,
  ),
  maxConcurrentReconciles: integer(1, 256, {
    name: 'max-concurrent-reconciles',
    default: '4',
    help: 'How many resources of one organization and region are worked on at a time.',
  }),
  gracePeriodMs: duration(0, 600_000, 'from 0s to 10m', {
    name: 'grace-period',
    default: '20s',
    help: 'How long work in flight may go on after SIGTERM before it is cut off.',
  }),
  leaderElect: yesOrNo({
    name: 'leader-elect',
    default: 'false',
    help: 'Whether to work only while holding a Lease, so that several copies can run of which one works.',
  }),
  leaderElectLeaseDurationMs: leaseTime({
    name: 'leader-elect-lease-duration',
    default: '15s',
    help: 'How long a copy that stands by waits after the last renewal that it saw, before it takes over.',
  }),
  leaderElectRenewDeadlineMs: leaseTime(
    {
      name: 'leader-elect-renew-deadline',
      default: '10s',
      help: 'How long the copy that works goes on without a renewal, before it ends.',
    },
    ', less than the lease duration and more than 1.2 retry periods',
  ),
  leaderElectRetryPeriodMs: leaseTime({
    name: 'leader-elect-retry-period',
    default: '2s',
    help: 'How often the Lease is renewed. A copy that stands by looks two to four times as often.',
  }),
  leaderElectResourceName: z.string().regex(resourceName).register(flags, {
    name: 'leader-elect-resource-name',
    value: 'name',
    default: 'konnect-audit-log-operator',
    help: 'The name of the Lease.',
    expected: 'lower-case letters, digits, dots and dashes, at most 253, as names in Kubernetes are',
  }),
  leaderElectResourceNamespace: optionalText(
    {
      name: 'leader-elect-resource-namespace',
      value: 'name',
      default: '',
      help: "The namespace of the Lease; if empty the Pod's.",
      expected: 'the name of a namespace',
    },
    namespace,
  ),
  metricsBindAddress: address({
    name: 'metrics-bind-address',
    default: ':8080',
    help: 'Where /metrics is served; 0 for nowhere.',
  }),
  metricsSecure: yesOrNo({
    name: 'metrics-secure',
    default: 'true',
    help: 'Whether /metrics speaks TLS, and answers only bearer tokens whose owners may GET /metrics by Kubernetes RBAC.',
  }),
  metricsCertDir: optionalText(
    {
      name: 'metrics-cert-dir',
      value: 'folder',
      default: '',
      help: 'Where tls.crt and tls.key for /metrics are, read again every minute; if empty a certificate is made that nobody vouches for.',
      expected: 'the path of a folder',
    },
    /^[^\p{Cc}]{1,4096}$/u,
  ),
  healthProbeBindAddress: address({
    name: 'health-probe-bind-address',
    default: ':8081',
    help: 'Where /healthz and /readyz are served; 0 for nowhere.',
  }),
  logLevel: oneOf(logLevels, { name: 'log-level', default: 'info', help: 'The least severe messages to write.' }),
  logFormat: oneOf(logFormats, { name: 'log-format', default: 'json', help: 'json for machines, text for people.' }),
});

const configSchema = flagSchema.superRefine((config, context) => {
  const times = {
    leaseDurationMs: config.leaderElectLeaseDurationMs,
    renewDeadlineMs: config.leaderElectRenewDeadlineMs,
    retryPeriodMs: config.leaderElectRetryPeriodMs,
  };
  if (!areLeaseTimes(times)) context.addIssue({ code: 'custom', path: ['leaderElectRenewDeadlineMs'] });
});

/** The flags' values, and where a user's own configuration of kubectl would be found. */
export type Config = z.output<typeof configSchema> & {
  /** The home directory; undefined where the environment names none. */
  home: string | undefined;
  /** Proxies on the way to Konnect, from HTTP_PROXY, HTTPS_PROXY and NO_PROXY in either case. May hold a password. */
  proxies: ProxyEnvironment;
};

export type ParsedConfig =
  | { kind: 'config'; config: Config }
  | { kind: 'help' | 'version'; text: string }
  | { kind: 'error'; message: string };

interface FlagOfConfig extends Flag {
  key: string;
}

/** All flags that take a value, in the order of the help text. Besides them there are `--help` (`-h`) and `--version`. */
export const flagTable: readonly Readonly<FlagOfConfig>[] = Object.entries(flagSchema.shape).map(([key, schema]) => {
  const flag = flags.get(schema);
  if (flag === undefined) throw new Error(`${key} is no flag`);
  return { ...flag, key };
});

/** The environment variable that stands in for a flag. */
export function environmentName(flag: Pick<Flag, 'name'>): string {
  return `KONNECT_AUDIT_LOG_${flag.name.toUpperCase().replaceAll('-', '_')}`;
}

/** The operator's version, put in by the build. */
export const version: string = process.env.OPERATOR_VERSION ?? 'dev';

/**
 * Reads the command line (without the program's name) and the environment. A flag wins over its environment variable, which wins over the default;
 * an empty variable counts as unset, and of a flag given twice the last counts. An error is one line that names the flag or variable,
 * what it got (unless that may be secret) and what would be right.
 */
export function parseConfig(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): ParsedConfig {
  const given = parseCommandLine(argv);
  if (given.kind !== 'values') return given;
  const sources = flagTable.map((flag) => sourceOf(flag, given.values, env));
  const parsed = configSchema.safeParse(Object.fromEntries(sources.map(({ flag, value }) => [flag.key, value])));
  if (!parsed.success) {
    const wrong = sources.find(({ flag }) => flag.key === parsed.error.issues[0]?.path[0]);
    return { kind: 'error', message: wrong === undefined ? 'wrong configuration' : describeWrong(wrong) };
  }
  const kubeconfig = parsed.data.kubeconfig ?? nonEmpty(env['KUBECONFIG']);
  const home = nonEmpty(env['HOME']) ?? nonEmpty(env['USERPROFILE']);
  const proxies = {
    HTTP_PROXY: eitherCase(env, 'HTTP_PROXY'),
    HTTPS_PROXY: eitherCase(env, 'HTTPS_PROXY'),
    NO_PROXY: eitherCase(env, 'NO_PROXY'),
  };
  return { kind: 'config', config: { ...parsed.data, kubeconfig, home, proxies } };
}

interface Source {
  flag: FlagOfConfig;
  /** How a message calls it: `--name` or the variable. */
  from: string;
  value: string;
}

function sourceOf(
  flag: FlagOfConfig,
  given: ReadonlyMap<string, string>,
  env: Readonly<Record<string, string | undefined>>,
): Source {
  const onCommandLine = given.get(flag.name);
  if (onCommandLine !== undefined) return { flag, from: `--${flag.name}`, value: onCommandLine };
  const inEnvironment = nonEmpty(env[environmentName(flag)]);
  if (inEnvironment !== undefined) return { flag, from: environmentName(flag), value: inEnvironment };
  return { flag, from: `--${flag.name}`, value: flag.default };
}

function parseCommandLine(
  argv: readonly string[],
): { kind: 'values'; values: Map<string, string> } | Exclude<ParsedConfig, { kind: 'config' }> {
  const known = flagTable.map(({ name, bare }) => [name, { type: bare === undefined ? 'string' : 'boolean' }] as const);
  const { tokens } = parseArgs({
    args: [...argv],
    options: { ...Object.fromEntries(known), help: { type: 'boolean', short: 'h' }, version: { type: 'boolean' } },
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const flagsByName = new Map(flagTable.map((flag) => [flag.name, flag]));
  const values = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    // Not repeated: it may be a token that somebody pasted.
    if (token.kind === 'positional')
      return { kind: 'error', message: `argument ${token.index + 1} is no flag: ${hint}` };
    if (token.name === 'help') return { kind: 'help', text: helpText() };
    if (token.name === 'version') return { kind: 'version', text: version };
    const flag = flagsByName.get(token.name);
    if (flag === undefined)
      return {
        kind: 'error',
        message: `unknown flag${mayHoldCredential(token.rawName) ? '' : ` ${quoted(token.rawName)}`}: ${hint}`,
      };
    const value = token.value ?? flag.bare;
    if (value === undefined || (token.inlineValue === false && value.startsWith('-'))) {
      return { kind: 'error', message: `--${token.name} needs a value: --${token.name}=…` };
    }
    values.set(token.name, value);
  }
  return { kind: 'values', values };
}

const hint = 'see --help';

function describeWrong({ flag, from, value }: Source): string {
  return `${from} must be ${flag.expected}${flag.secret === true || mayHoldCredential(value) ? '' : `, not ${quoted(value)}`}`;
}

/** A URL with a user in it, or a token of Konnect, that got where it does not belong. */
function mayHoldCredential(value: string): boolean {
  return /:\/\/[^/]*@|[ks]pat_/i.test(value);
}

function quoted(value: string): string {
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

function eitherCase(env: Readonly<Record<string, string | undefined>>, name: string): string | undefined {
  return nonEmpty(env[name.toLowerCase()]) ?? nonEmpty(env[name]);
}

function helpText(): string {
  const entries = flagTable.map((flag) => {
    const preset = flag.default === '' ? '' : ` (default ${flag.default})`;
    return `  --${flag.name}=<${flag.value}>${preset}\n      ${flag.help}\n      $${environmentName(flag)}`;
  });
  return [
    'Keeps Kong Konnect audit-log forwarding configured, as AuditLogForwarding resources in Kubernetes say.',
    '',
    'Flags; each can also be given by the environment variable below it, over which the flag wins:',
    ...entries,
    '  -h, --help',
    '      This text.',
    '  --version',
    '      The version of the operator.',
  ].join('\n');
}
