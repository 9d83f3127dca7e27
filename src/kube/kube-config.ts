import { existsSync, readFileSync } from 'node:fs';
import type { AgentOptions } from 'node:https';
import path from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import {
  type Cluster,
  type DispatcherOptions,
  HttpMethod,
  KubeConfig,
  loadYaml,
  makeAbsolutePath,
  RequestContext,
  type User,
} from '@kubernetes/client-node';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import { TokenFile } from './token-file.ts';

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
const SERVICE_ACCOUNT_TOKEN = `${SERVICE_ACCOUNT}/token`;

/** Connections for everything but watches: a burst waits for one of these instead of opening more. */
const MAX_REQUEST_CONNECTIONS = 8;

/** Short enough that no load balancer on the way forgets an idle connection. */
const TCP_KEEP_ALIVE_MS = 30_000;

/** What one request needs to be let in. */
export interface Credentials {
  headers: Record<string, string>;
  /** Bounded in its connections. */
  requests: Dispatcher;
  /** For watches, each of which holds a connection for minutes. */
  watches: Dispatcher;
}

interface Pools {
  madeFor: DispatcherOptions;
  requests: Dispatcher;
  watches: Dispatcher;
}

/**
 * client-node's KubeConfig, with connections that are kept and shared. Authentication (exec plugins, auth providers, token files) is worked
 * out for each request as client-node does it; a new client certificate or CA brings new connections, and the old ones end with
 * what they were doing. A SOCKS proxy is the exception: client-node dials it, once per request.
 *
 * A `tokenFile`, which client-node leaves out of a kubeconfig and reads by the time of day in a Pod, is read as kubectl does: it wins over `token`
 * and is read again every minute, and when its token was refused.
 */
export class PooledKubeConfig extends KubeConfig {
  #pools: Pools | undefined;
  readonly #tokenFiles = new Map<string, TokenFile>();

  /** The API server's URL, without a slash at its end. Throws when the configuration names none. */
  get server(): string {
    const cluster = this.getCurrentCluster();
    if (cluster === null)
      throw new Error('the kubeconfig has no current context, or it names a cluster that is not there');
    return cluster.server.replace(/\/+$/, '');
  }

  /** Headers and connections for one request to be sent now. */
  async credentials(): Promise<Credentials> {
    const context = new RequestContext(this.server, HttpMethod.GET);
    await this.applySecurityAuthentication(context);
    const headers = Object.fromEntries(
      Object.entries(context.getHeaders()).map(([name, value]) => [name, value.trim()]),
    );
    const own = context.getDispatcher();
    if (own !== undefined) return { headers, requests: own, watches: own };
    if (this.#pools === undefined) throw new Error('client-node asked for no connection');
    return { headers, requests: this.#pools.requests, watches: this.#pools.watches };
  }

  /** To be told of an answer 401. True where other credentials than these are there by now, so that asking again makes sense. */
  isReplaced({ headers }: Pick<Credentials, 'headers'>): boolean {
    const file = this.#tokenFileOf(super.getCurrentUser());
    return file?.isReplaced((headers['Authorization'] ?? '').replace(/^Bearer /, '')) === true;
  }

  /** A token file's content as the user's token. Throws where it cannot be had. */
  override getCurrentUser(): User | null {
    const user = super.getCurrentUser();
    const file = this.#tokenFileOf(user);
    if (user === null || file === undefined) return user;
    const { authProvider: _authProvider, ...rest } = user;
    return { ...rest, token: file.read() };
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    const pools = this.#pools;
    this.#pools = undefined;
    await Promise.all([pools?.requests.destroy(), pools?.watches.destroy()]);
  }

  /** client-node asks this with the TLS settings of every request; `none` keeps it from opening a connection of its own. */
  override createDispatcherOptions(cluster: Cluster | null, agentOptions: AgentOptions): DispatcherOptions {
    // client-node refuses plain http unless certificates are not checked, which on the loopback (`kubectl proxy`) means nothing.
    const reached = cluster !== null && isPlainLoopback(cluster.server) ? { ...cluster, skipTLSVerify: true } : cluster;
    const options = super.createDispatcherOptions(reached, agentOptions);
    if (options.type === 'socks') return options;
    if (this.#pools === undefined || !isDeepStrictEqual(this.#pools.madeFor, options)) {
      const { requests, watches } = this.#pools ?? {};
      for (const old of [requests, watches]) old?.close().catch(() => undefined);
      this.#pools = {
        madeFor: options,
        requests: dispatcherFor(options, MAX_REQUEST_CONNECTIONS),
        watches: dispatcherFor(options, null),
      };
    }
    return { type: 'none' };
  }

  override loadFromString(...[text, options]: Parameters<KubeConfig['loadFromString']>): void {
    super.loadFromString(text, options);
    const { users } =
      loadYaml<{ users?: { name?: string; user?: { tokenFile?: string } | null }[] | null }>(text) ?? {};
    const tokenFiles = new Map((users ?? []).map(({ name, user }) => [name, user?.tokenFile]));
    this.users = this.users.map(({ token, ...user }) => {
      const tokenFile = tokenFiles.get(user.name);
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

function dispatcherFor(options: Exclude<DispatcherOptions, { type: 'socks' }>, connections: number | null): Dispatcher {
  if (options.type === 'proxy')
    return new ProxyAgent({ uri: options.uri, requestTls: tlsOf(options.requestTls), connections, allowH2: false });
  const tls = options.type === 'agent' ? tlsOf(options.connect) : {};
  return new Agent({
    connect: { ...tls, keepAlive: true, keepAliveInitialDelay: TCP_KEEP_ALIVE_MS },
    connections,
    allowH2: false,
  });
}

function tlsOf({ ca, cert, key, pfx, passphrase, rejectUnauthorized, servername }: ConnectionOptions) {
  return { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername };
}

/** The namespace of the Pod that this process runs in; undefined outside of one, or where the Pod has no ServiceAccount mounted. */
export function podNamespace(): string | undefined {
  try {
    return readFileSync(`${SERVICE_ACCOUNT}/namespace`, 'utf8').trim();
  } catch {
    return undefined;
  }
}

export interface KubeConfigSources {
  /** The value of `KUBECONFIG` or of a flag: paths, separated as `PATH` is. Those that do not exist are passed over; of a name that comes up twice, the first counts. */
  kubeconfig?: string | undefined;
  /** The home directory, for `.kube/config`. */
  home?: string | undefined;
  /** Instead of the current context. */
  context?: string | undefined;
}

/**
 * The configuration as kubectl finds it: `kubeconfig`, else `~/.kube/config`, else the service account of the Pod. Throws one plain message
 * when there is none or when it cannot be read.
 */
export function loadKubeConfig({ kubeconfig, home, context }: KubeConfigSources): PooledKubeConfig {
  const named = (kubeconfig ?? '').split(path.delimiter).filter((file) => file !== '');
  const candidates = named.length > 0 || home === undefined ? named : [path.join(home, '.kube', 'config')];
  const files = candidates.filter((file) => existsSync(file));
  const config = new PooledKubeConfig();
  if (files.length > 0) loadFiles(config, files);
  else if (named.length > 0) throw new Error(`no such kubeconfig: ${named.join(', ')}`);
  else if (existsSync(SERVICE_ACCOUNT_TOKEN)) config.loadFromCluster();
  else
    throw new Error('no kubeconfig: set KUBECONFIG, or create ~/.kube/config, or run in a Pod with a service account');
  if (context !== undefined) config.setCurrentContext(context);
  const cluster = config.getCurrentCluster();
  if (cluster === null)
    throw new Error(`kubeconfig: context ${JSON.stringify(config.currentContext ?? '')} or its cluster does not exist`);
  // A file may hold anything in place of a text.
  if (typeof cluster.server !== 'string' || !/^https?:\/\//i.test(cluster.server) || !URL.canParse(cluster.server))
    throw new Error('kubeconfig: the server of the current cluster is no http or https URL');
  return config;
}

function loadFiles(config: PooledKubeConfig, files: string[]): void {
  const parts = files.map((file) => {
    const part = new PooledKubeConfig();
    try {
      part.loadFromString(readFileSync(file, 'utf8'));
      part.makePathsAbsolute(path.dirname(path.resolve(file)));
    } catch {
      // What a parser says may quote the file, and with it a token.
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
