/** How commands reach Konnect. */
import { readFile } from 'node:fs/promises';
import type { ProxyEnvironment } from '../http/proxy.ts';
import { isKonnectError, type KonnectErrorKind } from '../konnect/errors.ts';
import type { KonnectHTTP } from '../konnect/http.ts';
import { defaultKonnectURL, isRegion, problemWithKonnectURL } from '../konnect/konnect-url.ts';
import { type Arguments, CommandError, type Options, type Terminal, textOf, UsageError } from './command.ts';

const tokenVariable = 'KONNECT_TOKEN';

export const konnectURLOption: Options = {
  'konnect-url': {
    type: 'string',
    value: 'TEMPLATE',
    help: `The URL of the Konnect API with {region}. The default is ${defaultKonnectURL}.`,
  },
};

export const tokenOption: Options = {
  'token-file': {
    type: 'string',
    value: 'FILE',
    help: `A file with a token of Konnect. Without it, the command reads the variable ${tokenVariable}.`,
  },
};

/** Returns the options of a command that calls Konnect in a region. */
export function konnectOptions(regionHelp: string): Options {
  return { region: { type: 'string', value: 'REGION', help: regionHelp }, ...tokenOption, ...konnectURLOption };
}

/** How a command sends requests to Konnect. */
export interface KonnectHost {
  readonly http: KonnectHTTP;
  readonly urlTemplate: string;
  readonly proxies: ProxyEnvironment;
}

/** What a command needs to call Konnect in a region. */
export interface KonnectConnection extends KonnectHost {
  readonly region: string;
  /** Undefined if the user gave none. */
  readonly token: string | undefined;
}

/** Calls `use` as {@link withHTTP} does, with the region and the token that the options name. */
export async function withKonnect<T>(
  args: Arguments,
  terminal: Terminal,
  use: (connection: KonnectConnection) => Promise<T>,
): Promise<T> {
  const region = textOf(args, 'region') ?? '';
  if (!isRegion(region)) throw new UsageError('--region must be the name of a region of Konnect, such as us or eu');
  const token = await konnectToken(args, terminal);
  return withHTTP(args, terminal, (host) => use({ ...host, region, token }));
}

const checkHost = 'check --region and --konnect-url';
const tryLater = 'repeat the command in a few minutes';
const remedies: Readonly<Record<KonnectErrorKind, string>> = {
  Unauthorized: 'use a token that is neither expired nor revoked',
  Forbidden: 'use a token with the role Admin of Audit Logs, and one that can read the portals',
  NotFound: checkHost,
  Conflict: tryLater,
  Refused: checkHost,
  RateLimited: tryLater,
  ServerError: tryLater,
  Unreachable: 'check DNS, the firewall, HTTPS_PROXY, --region and --konnect-url',
  UnexpectedAnswer: checkHost,
};

/**
 * Calls `use` with a connection to Konnect as the options and the environment say, then closes the connections. Throws a UsageError for an invalid option, and a
 * CommandError for an error of Konnect.
 */
export async function withHTTP<T>(
  args: Arguments,
  { env }: Terminal,
  use: (host: KonnectHost) => Promise<T>,
): Promise<T> {
  const urlTemplate = konnectURL(args);
  // A command that calls Konnect only for some options does without these otherwise.
  const [{ parseProxies }, { KonnectHTTP }, { userAgent }] = await Promise.all([
    import('../config/config.ts'),
    import('../konnect/http.ts'),
    import('./user-agent.ts'),
  ]);
  const proxies = parseProxies(env);
  if (typeof proxies === 'string') throw new UsageError(proxies);
  const http = new KonnectHTTP({ userAgent, proxies });
  try {
    return await use({ http, urlTemplate, proxies });
  } catch (error) {
    if (isKonnectError(error)) throw new CommandError(`${error.message}: ${remedies[error.kind]}`);
    throw error;
  } finally {
    http.close();
  }
}

function konnectURL(args: Arguments): string {
  const template = textOf(args, 'konnect-url') ?? defaultKonnectURL;
  const problem = problemWithKonnectURL(template);
  if (problem !== undefined) throw new UsageError(`--konnect-url ${problem}`);
  return template;
}

/** Returns the token. Throws a UsageError that begins with `why` if the user gave none. */
export function requiredToken(token: string | undefined, why = ''): string {
  if (token !== undefined) return token;
  throw new UsageError(`${why}give a token in the variable ${tokenVariable} or with --token-file FILE`);
}

/** Returns the token that the options or the environment give, or undefined. */
export async function konnectToken(args: Arguments, { env }: Terminal): Promise<string | undefined> {
  const file = textOf(args, 'token-file');
  if (file === undefined) return env[tokenVariable]?.trim() || undefined;
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch {
    throw new CommandError(`--token-file ${file} cannot be read`);
  }
}
