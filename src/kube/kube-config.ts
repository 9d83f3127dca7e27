import { existsSync, readFileSync } from 'node:fs';
import type { Agent } from 'node:http';
import type { AgentOptions } from 'node:https';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
// The index of client-node loads its generated models and clients, which cost ten times as much as the kubeconfig.
import { type DispatcherOptions, KubeConfig, makeAbsolutePath } from '@kubernetes/client-node/dist/config.js';
import type { Cluster, User } from '@kubernetes/client-node/dist/config_types.js';
import { HttpMethod, RequestContext } from '@kubernetes/client-node/dist/gen/http/http.js';
import { load } from 'js-yaml';
import { type Impersonation, impersonationHeaders } from './impersonation.ts';
import { TokenFile } from './token-file.ts';

const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';
const serviceAccountToken = `${serviceAccountFolder}/token`;

/** The number of connections for everything but watches. Further requests wait for one of these. */
const maxRequestConnections = 8;

/** Short enough that no load balancer drops an idle connection. */
const tcpKeepAliveMs = 30_000;

/** How long a connection may be silent while it opens, and how long it may be idle. The operator closes it before servers and load balancers do. */
const silentSocketMs = 10_000;

/** What one request needs for authentication. */
export interface Credentials {
  headers: Record<string, string | string[]>;
  /** Which credentials of an exec plugin these are. */
  execRound: number;
  /** Limited in its number of connections. */
  requests: Agent;
  /** For watches, each of which uses a connection for minutes. */
  watches: Agent;
}

/** The fields of a user that client-node drops. */
type RawUser = Omit<Impersonation, 'name'> & { tokenFile?: string };

interface RawConfig {
  users?: { name?: string; user?: RawUser | null }[] | null;
}

interface Pools {
  settings: AgentOptions;
  requests: Agent;
  watches: Agent;
}

/**
 * The KubeConfig of client-node with connections that are kept alive and shared. client-node does the authentication of each request (exec plugins, auth
 * providers, token files) and the proxies. A new client certificate or CA opens new connections, and the old ones end after their requests. With a SOCKS
 * proxy, each request has a connection of its own.
 *
 * A `tokenFile` is read as kubectl does it: it takes precedence over `token`, and it is read again every minute and after its token was refused.
 * client-node ignores it in a kubeconfig, and in a Pod it reads it again by the time of day, which may jump.
 */
export class PooledKubeConfig extends KubeConfig {
  #pools: Pools | undefined;
  readonly #tokenFiles = new Map<string, TokenFile>();
  /** How often credentials of an exec plugin were refused. */
  #execRound = 0;

  /** The URL of the API server, without a slash at its end. Throws if the configuration names none. */
  get server(): string {
    const cluster = this.getCurrentCluster();
    if (cluster === null) throw new Error('the kubeconfig has no current context, or its cluster does not exist');
    return cluster.server.replace(/\/+$/, '');
  }

  /** Returns the headers and connections for one request. */
  async credentials(): Promise<Credentials> {
    const context = new RequestContext(this.server, HttpMethod.GET);
    const execRound = this.#execRound;
    await this.applySecurityAuthentication(context);
    const trimmed = Object.entries(context.getHeaders()).map(([name, value]) => [name, value.trim()]);
    const headers = { ...Object.fromEntries(trimmed), ...this.impersonation() };
    if (this.#pools === undefined) throw new Error('client-node has requested no connection');
    const { requests, watches } = this.#pools;
    return { headers, execRound, requests, watches };
  }

  /** Returns the headers for impersonation that client-node does not send. Throws an error with a message for users if they are invalid. */
  impersonation(): Credentials['headers'] {
    const user = super.getCurrentUser();
    return user === null ? {} : impersonationHeaders(user);
  }

  /** Returns whether there are newer credentials than these, or may be. Called after a 401: the request can be repeated then. */
  isReplaced({ headers, execRound }: Pick<Credentials, 'headers' | 'execRound'>): boolean {
    const user = super.getCurrentUser();
    if (user?.exec !== undefined && user.exec !== null) {
      if (execRound === this.#execRound) this.#forgetExecCredentials();
      return true;
    }
    const file = this.#tokenFileOf(user);
    return file?.isReplaced(String(headers['Authorization'] ?? '').replace(/^Bearer /, '')) === true;
  }

  /** client-node keeps the credentials of a plugin until they expire, also after the API server refused them. New authenticators know none. */
  #forgetExecCredentials(): void {
    this.#execRound += 1;
    this['authenticators'] = new KubeConfig()['authenticators'];
  }

  /** Returns the user, with the content of its token file as the token. Throws if the file cannot be read. */
  override getCurrentUser(): User | null {
    const user = super.getCurrentUser();
    const file = this.#tokenFileOf(user);
    if (user === null || file === undefined) return user;
    const { authProvider: _authProvider, ...rest } = user;
    return { ...rest, token: file.read() };
  }

  /** Closes all connections. */
  close(): void {
    const { requests, watches } = this.#pools ?? {};
    this.#pools = undefined;
    for (const agent of [requests, watches]) agent?.destroy();
  }

  /** client-node calls this with the TLS settings of every request. `none` keeps it from opening a connection of its own. */
  override createDispatcherOptions(cluster: Cluster | null, settings: AgentOptions): DispatcherOptions {
    if (this.#pools === undefined || !isDeepStrictEqual(this.#pools.settings, settings)) {
      const { requests, watches } = this.#pools ?? {};
      // Its connections end after their requests, and those without a request after some seconds.
      for (const old of [requests, watches]) if (old !== undefined) old.maxFreeSockets = 0;
      this.#pools = {
        settings,
        requests: this.#agentFor(cluster, { ...settings, maxSockets: maxRequestConnections }),
        watches: this.#agentFor(cluster, settings),
      };
    }
    return { type: 'none' };
  }

  /** Returns an agent of client-node, which knows the proxies of a kubeconfig. */
  #agentFor(cluster: Cluster | null, settings: AgentOptions): Agent {
    // client-node refuses plain http unless TLS verification is off. On the loopback (`kubectl proxy`) there is no TLS to verify.
    const reached = cluster !== null && isPlainLoopback(cluster.server) ? { ...cluster, skipTLSVerify: true } : cluster;
    // An agent for SOCKS would end every watch after this time, and would keep idle connections without end.
    const isKept = cluster?.proxyUrl?.startsWith('socks') !== true;
    const kept = isKept ? { keepAlive: true, keepAliveMsecs: tcpKeepAliveMs, timeout: silentSocketMs } : {};
    this['agentCache'].clear();
    return this['createAgent'](reached, { ...settings, ...kept });
  }

  override loadFromString(...[text, options]: Parameters<KubeConfig['loadFromString']>): void {
    super.loadFromString(text, options);
    const { users }: RawConfig = load(text) ?? {};
    const raw = new Map((users ?? []).map(({ name, user }) => [name, user]));
    this.users = this.users.map(({ token, ...known }) => {
      const { tokenFile, as, 'as-uid': uid, 'as-groups': groups, 'as-user-extra': extra } = raw.get(known.name) ?? {};
      const user = { ...known, as, 'as-uid': uid, 'as-groups': groups, 'as-user-extra': extra };
      if (tokenFile !== undefined) return { ...user, authProvider: { name: 'tokenFile', config: { tokenFile } } };
      return token === undefined ? user : { ...user, token };
    });
  }

  override makePathsAbsolute(rootDirectory: string): void {
    super.makePathsAbsolute(rootDirectory);
    for (const { authProvider } of this.users)
      if (authProvider?.name === 'tokenFile')
        authProvider.config.tokenFile = makeAbsolutePath(rootDirectory, authProvider.config.tokenFile);
  }

  #tokenFileOf(user: User | null): TokenFile | undefined {
    const tokenFile: unknown = user?.authProvider?.config?.tokenFile;
    if (typeof tokenFile !== 'string') return undefined;
    const known = this.#tokenFiles.get(tokenFile) ?? new TokenFile(tokenFile);
    this.#tokenFiles.set(tokenFile, known);
    return known;
  }
}

function isPlainLoopback(server: string): boolean {
  const { protocol, hostname } = new URL(server);
  return protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(hostname);
}

/** Returns the namespace of the Pod that this process runs in. Returns undefined outside of a Pod, and if the Pod mounts no ServiceAccount. */
export function podNamespace(): string | undefined {
  try {
    return readFileSync(`${serviceAccountFolder}/namespace`, 'utf8').trim();
  } catch {
    return undefined;
  }
}

export interface KubeConfigSources {
  /** The value of `KUBECONFIG` or of a flag: paths, separated as in `PATH`. Missing files are skipped. If a name appears twice, the first one counts. */
  kubeconfig?: string | undefined;
  /** The home directory, for `.kube/config`. */
  home?: string | undefined;
  /** A context to use instead of the current one. */
  context?: string | undefined;
}

/**
 * Returns the configuration in the order of kubectl: `kubeconfig`, else `~/.kube/config`, else the service account of the Pod. Throws an error with a
 * message for users if there is none, or if it cannot be read.
 */
export function loadKubeConfig({ kubeconfig, home, context }: KubeConfigSources): PooledKubeConfig {
  const named = (kubeconfig ?? '').split(path.delimiter).filter((file) => file !== '');
  const candidates = named.length > 0 || home === undefined ? named : [path.join(home, '.kube', 'config')];
  const files = candidates.filter((file) => existsSync(file));
  const config = new PooledKubeConfig();
  if (files.length > 0) loadFiles(config, files);
  else if (named.length > 0) throw new Error(`kubeconfig not found: ${named.join(', ')}`);
  else if (existsSync(serviceAccountToken)) config.loadFromCluster();
  else
    throw new Error('no kubeconfig: set KUBECONFIG, or create ~/.kube/config, or run in a Pod with a service account');
  if (context !== undefined) config.setCurrentContext(context);
  const cluster = config.getCurrentCluster();
  if (cluster === null)
    throw new Error(`kubeconfig: context ${JSON.stringify(config.currentContext ?? '')} or its cluster does not exist`);
  // The file may contain something else than a text.
  if (typeof cluster.server !== 'string' || !/^https?:\/\//i.test(cluster.server) || !URL.canParse(cluster.server))
    throw new Error('kubeconfig: the server of the current cluster is not an http or https URL');
  // An error in these is for the start, not for the first request.
  config.impersonation();
  return config;
}

function loadFiles(config: PooledKubeConfig, files: string[]): void {
  const parts = files.map((file) => {
    const part = new PooledKubeConfig();
    try {
      part.loadFromString(readFileSync(file, 'utf8'));
      part.makePathsAbsolute(path.dirname(path.resolve(file)));
    } catch {
      // The message of the parser may quote the file, and with it a token.
      throw new Error(`kubeconfig ${file} cannot be read or is not valid`);
    }
    return part;
  });
  config.loadFromOptions({
    clusters: firstByName(parts.flatMap(({ clusters }) => clusters)),
    users: firstByName(parts.flatMap(({ users }) => users)),
    contexts: firstByName(parts.flatMap(({ contexts }) => contexts)),
    currentContext: parts.map(({ currentContext }) => currentContext).find((name) => name !== undefined && name !== ''),
  });
}

function firstByName<T extends { name: string }>(entries: T[]): T[] {
  return [...new Map(entries.toReversed().map((entry) => [entry.name, entry])).values()].toReversed();
}
