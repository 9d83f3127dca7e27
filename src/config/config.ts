import { parseArgs } from 'node:util';
import type * as z from 'zod';
import { expectedProxyURL, type ProxyEnvironment, parseProxyURL } from '../http/proxy.ts';
import { configSchema, environmentName, type FlagOfConfig, flagTable } from './flags.ts';

/** The values of the flags, and what else the operator reads from the environment. */
export type Config = z.output<typeof configSchema> & {
  /** The home directory. Undefined if the environment names none. */
  home: string | undefined;
  /** The proxies for Konnect, from HTTP_PROXY, HTTPS_PROXY and NO_PROXY in upper or lower case. They may contain a password. */
  proxies: ProxyEnvironment;
};

type Environment = Readonly<Record<string, string | undefined>>;

export type ParsedConfig =
  | { kind: 'config'; config: Config }
  | { kind: 'help' | 'version'; text: string }
  | { kind: 'error'; message: string };

/** The version of the operator. The build replaces the variable with it. */
export const version: string = process.env.OPERATOR_VERSION ?? 'dev';

/**
 * Parses the command line (without the name of the program) and the environment. A flag takes precedence over its environment variable, and the
 * variable over the default. An empty variable counts as unset. If a flag is given twice, the last one counts. An error is one line with the flag or
 * variable, its value (unless that may be secret), and a description of valid values.
 */
export function parseConfig(argv: readonly string[], env: Environment): ParsedConfig {
  const given = parseCommandLine(argv);
  if (given.kind !== 'values') return given;
  const sources = flagTable.map((flag) => sourceOf(flag, given.values, env));
  const parsed = configSchema.safeParse(Object.fromEntries(sources.map(({ flag, value }) => [flag.key, value])));
  if (!parsed.success) {
    const invalid = sources.find(({ flag }) => flag.key === parsed.error.issues[0]?.path[0]);
    return { kind: 'error', message: invalid === undefined ? 'invalid configuration' : describeInvalid(invalid) };
  }
  const proxies = parseProxies(env);
  return typeof proxies === 'string'
    ? { kind: 'error', message: proxies }
    : { kind: 'config', config: { ...parsed.data, ...kubeConfigSources(env, parsed.data.kubeconfig), proxies } };
}

/** Returns where the kubeconfig can be. `flag` takes precedence over the environment. */
export function kubeConfigSources(env: Environment, flag: string | undefined): Pick<Config, 'kubeconfig' | 'home'> {
  const kubeconfig = flag ?? nonEmpty(env['KUBECONFIG']);
  return { kubeconfig, home: nonEmpty(env['HOME']) ?? nonEmpty(env['USERPROFILE']) };
}

/** Returns the proxies, or a message that names the invalid variable. The message does not repeat its value, which may contain a password. */
export function parseProxies(env: Environment): ProxyEnvironment | string {
  const proxies: ProxyEnvironment = { NO_PROXY: env[eitherCase(env, 'NO_PROXY')] };
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY'] as const) {
    const variable = eitherCase(env, name);
    const value = env[variable]?.trim() ?? '';
    if (value === '') continue;
    proxies[name] = parseProxyURL(value);
    if (proxies[name] === undefined) return `${variable} must be ${expectedProxyURL}`;
  }
  return proxies;
}

interface Source {
  flag: FlagOfConfig;
  /** The name for messages: `--name` or the variable. */
  from: string;
  value: string;
}

function sourceOf(flag: FlagOfConfig, given: ReadonlyMap<string, string>, env: Environment): Source {
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
    // The message does not repeat it: it may be a token that was pasted.
    if (token.kind === 'positional')
      return { kind: 'error', message: `argument ${token.index + 1} is not a flag: ${hint}` };
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

function describeInvalid({ flag, from, value }: Source): string {
  return `${from} must be ${flag.expected}${flag.isSecret === true || mayHoldCredential(value) ? '' : `, not ${quoted(value)}`}`;
}

/** Returns whether a value looks like a URL with a user, or like a token of Konnect, given to the wrong flag. */
function mayHoldCredential(value: string): boolean {
  return /:\/\/[^/]*@|[ks]pat_/i.test(value);
}

function quoted(value: string): string {
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

/** Returns which of the two names of a variable counts: the one in lower case, unless it is empty. */
function eitherCase(env: Environment, name: string): string {
  return nonEmpty(env[name.toLowerCase()]) === undefined ? name : name.toLowerCase();
}

function helpText(): string {
  const entries = flagTable.map((flag) => {
    const byDefault = flag.default === '' ? '' : ` (default ${flag.default})`;
    return `  --${flag.name}=<${flag.value}>${byDefault}\n      ${flag.help}\n      $${environmentName(flag)}`;
  });
  return [
    'Configures Kong Konnect to forward its audit logs, as the AuditLogForwarding resources in Kubernetes describe.',
    '',
    'Flags. The environment variable below a flag sets it, too. The flag takes precedence.',
    ...entries,
    '  -h, --help',
    '      Print this text.',
    '  --version',
    '      Print the version of the operator.',
  ].join('\n');
}
