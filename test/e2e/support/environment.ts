import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KubectlOptions, KubectlResult } from '../../../sandbox/control-plane/access.ts';
import type { Call } from '../../../sandbox/konnect/calls.ts';
import type { OperatorProcess } from '../../../sandbox/operator-process.ts';
import { type Services, startServices } from '../../../sandbox/services.ts';
import { searchMessages } from '../../../sandbox/sumologic/search.ts';
import { messagesFile } from '../../../scripts/conditions/pages.ts';
import { conditionRows, unknownConditions } from '../../../scripts/conditions/rows.ts';
import { cluster } from '../../support/cluster.ts';
import { collectionOf, type KubeAPI, type Manifest } from '../../support/kube-api.ts';
import { assertLegalStatus } from '../../validators/legal-status.ts';
import { progress } from '../../validators/progress.ts';
import { validatorsIfAvailable } from '../../validators/validators.ts';
import { type EventObject, type ForwardingObject, isReady } from './forwarding-object.ts';
import { type Canary, findLeaks, type Output } from './leaks.ts';
import { forwarding as forwardingManifest, secret } from './manifests.ts';
import { Operators } from './operators.ts';
import { makeOrganization, type Organization, randomText, seedOf } from './organizations.ts';
import { firstState, type WatchEvent, watchForwardings } from './watch.ts';

export interface EnvironmentOptions {
  /** Start of the name of the namespace. */
  readonly prefix?: string;
  /** Number of portals of organization blue in region us. Default: 3. */
  readonly portals?: number;
  /** Default: `json`. */
  readonly logFormat?: 'json' | 'text';
  /** Additional flags of the operator. */
  readonly flags?: readonly string[];
  /** Name of the source in SumoLogic. Default: `Http Input`. */
  readonly sourceName?: string;
  /** Is called before the operator starts. The operator reconciles once more if it sees a Secret only after a forwarding that names it. */
  readonly beforeStart?: (environment: Environment) => Promise<void>;
  /** Waits between Konnect's delivery attempts. Default: short. */
  readonly retryWaitsMs?: readonly number[];
  /** The time of day for Konnect and SumoLogic. Default: that of the machine. */
  readonly clock?: () => Date;
}

export interface Credentials {
  readonly endpoint: string;
  readonly authorization: string;
}

/** Konnect's answer to another client than the operator. `body` is the parsed JSON. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

type Kubectl = (
  args: readonly string[],
  options?: KubectlOptions & { allowFailure?: boolean },
) => Promise<KubectlResult>;

/** An environment of one test or one test file: a namespace, a local Konnect, a local SumoLogic, and the built operator as a process. */
export interface Environment {
  readonly namespace: string;
  readonly services: Services;
  /** Organizations with regions us and eu. `blue` has the requested number of portals in us and two in eu. `green` has one in each. */
  readonly blue: Organization;
  readonly green: Organization;
  /** Credentials that SumoLogic accepts. */
  readonly credentials: Credentials;
  /** Returns credentials of another source of the same SumoLogic. No output may contain them. */
  newCredentials(): Credentials;
  /** Adds a secret that no output may contain. */
  addCanary(canary: Canary): void;

  /** Runs kubectl in the namespace, as a cluster administrator. Rejects on failure, unless `allowFailure` is set. */
  readonly kubectl: Kubectl;
  /** Applies objects as `kubectl apply` does. */
  apply(...manifests: readonly Manifest[]): Promise<void>;
  /** Applies the Secrets `konnect` (default: blue's token) and `sumologic`. */
  applySecrets(changes?: Partial<Credentials> & { token?: string }): Promise<void>;
  /** Applies a merge patch to a forwarding. `{spec: {interval: '11m'}}` makes the operator read everything again. */
  patch(name: string, patch: object): Promise<void>;
  /** Resolves with what `kubectl get -o json` shows. */
  forwarding(name: string): Promise<ForwardingObject>;
  /** Resolves with the first state, from the present one on, for which `predicate` is true. Default of `timeoutMs`: 60 s. */
  waitFor(
    name: string,
    predicate: (object: ForwardingObject) => boolean,
    timeoutMs?: number,
  ): Promise<ForwardingObject>;
  waitForReady(name: string, timeoutMs?: number): Promise<ForwardingObject>;
  /** Deletes a forwarding. Resolves when it no longer exists. */
  remove(name: string, timeoutMs?: number): Promise<void>;
  /** Returns every state of a forwarding that the watch has shown. */
  history(name: string): WatchEvent[];
  /** Resolves with the events of one forwarding, or of all, in order of creation. */
  events(name?: string): Promise<EventObject[]>;

  /** Returns the operator's calls to Konnect. */
  calls(): Call[];
  clearCalls(): void;
  /** Calls Konnect as another client than the operator. Default: of organization blue. `path` begins with the region: `/us/v3/portals`. */
  asOtherClient(method: string, path: string, options?: { body?: object; token?: string }): Promise<Answer>;
  /** Runs a search job of SumoLogic over all messages that have arrived. */
  search(query: string): Promise<string[]>;

  /** Returns the operator that runs. */
  operator(): OperatorProcess;
  /** Stops the operator. Resolves with how it ended. */
  stopOperator(options?: { kill?: boolean }): Promise<string>;
  /** Starts an operator after `stopOperator`. `flags` override those of the environment. Resolves when it is ready. */
  startOperator(flags?: readonly string[]): Promise<void>;
  restartOperator(options?: { kill?: boolean; flags?: readonly string[] }): Promise<void>;

  /** Resolves with all output so far: logs and metrics of the operators, objects, events, and the API server's audit log. */
  outputs(): Promise<Output[]>;
  /** Stops everything. Rejects if any output contains a secret of this environment. A second call does nothing. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Opens the searches of every environment. No output of an operator may contain it. */
export const accessKey = { id: 'suTestsAccess', key: 'tV7kQ2mZ9xB4wL8sR1yN6pD3hJ5gF0cA' };
const waitTimeoutMs = 60_000;

/** Starts an environment. If a part does not start, stops the others and rejects. */
export async function createEnvironment(options: EnvironmentOptions = {}): Promise<Environment> {
  const { kubectl: kubectlAnywhere, createNamespace, api, auditLog, folder } = cluster();
  const { sourceName, retryWaitsMs = [100, 200, 400, 800] } = options;
  const blue = makeOrganization('blue', { us: options.portals ?? 3, eu: 2 });
  const green = makeOrganization('green', { us: 1, eu: 1 });
  const canaries: Canary[] = [blue, green].flatMap(canariesOf);
  canaries.push({ name: 'the access key of SumoLogic', value: accessKey.key });
  const sourceCode = newSourceCode(canaries);
  const services = await startServices({
    seed: seedOf([blue, green]),
    sourceCode,
    accessKey,
    retryWaitsMs,
    ...(sourceName === undefined ? {} : { sourceName }),
    ...(options.clock === undefined ? {} : { clock: options.clock }),
  });
  const { konnect, sumologic, authority } = services;
  const credentials = { endpoint: services.endpoint, authorization: newAuthorization(canaries) };
  const namespace = await createNamespace(options.prefix ?? 'environment');
  const watch = watchForwardings(namespace);
  const pathOf = (name: string) => `${forwardingsOf(namespace)}/${name}`;
  const operators = new Operators(konnect.urlTemplate, [
    `--watch-namespaces=${namespace}`,
    `--sumologic-url=${sumologic.plainURL}`,
    `--log-format=${options.logFormat ?? 'json'}`,
    '--log-level=debug',
    ...(options.flags ?? []),
  ]);
  const startedAt = new Date();
  const people = new Set([blue, green].map(({ otherClientToken: personToken }) => personToken.slice(-4)));
  let stopping: Promise<void> | undefined;

  const kubectl: Kubectl = (args, kubectlOptions) => kubectlAnywhere(['-n', namespace, ...args], kubectlOptions);

  const apply = (...manifests: readonly Manifest[]) => api.apply(namespace, ...manifests);

  async function forwarding(name: string): Promise<ForwardingObject> {
    const found = await api.send<ForwardingObject>('GET', pathOf(name));
    if (found === undefined) throw new Error(`there is no forwarding ${namespace}/${name}`);
    const { managedFields: _hidden, ...metadata } = found.metadata;
    return { ...found, metadata };
  }

  async function events(name?: string): Promise<EventObject[]> {
    const list = await api.send<{ items: EventObject[] }>(
      'GET',
      `/apis/events.k8s.io/v1/namespaces/${namespace}/events`,
    );
    return (list?.items ?? [])
      .filter(({ regarding }) => name === undefined || regarding.name === name)
      .toSorted((a, b) => a.metadata.creationTimestamp.localeCompare(b.metadata.creationTimestamp));
  }

  async function waitFor(
    name: string,
    predicate: (object: ForwardingObject) => boolean,
    timeoutMs = waitTimeoutMs,
  ): Promise<ForwardingObject> {
    try {
      return await firstState(watch, await forwarding(name), predicate, timeoutMs);
    } catch (cause) {
      const output = (await operators.outputs()).findLast(({ source }) => source.includes('output'))?.text ?? '';
      const now = JSON.stringify((await forwarding(name)).status);
      const tail = output.split('\n').slice(-30).join('\n');
      throw new Error(`${String(cause)}\nkubectl shows ${now}\nthe operator's last lines:\n${tail}`, { cause });
    }
  }

  async function outputs(): Promise<Output[]> {
    const [objects, described, audited, ofOperators] = await Promise.all([
      kubectl(['get', 'auditlogforwardings,events.v1.events.k8s.io', '-o', 'json', '--show-managed-fields']),
      kubectl(['describe', 'auditlogforwardings,secrets']),
      readFile(auditLog, 'utf8'),
      operators.outputs(),
    ]);
    return [
      ...ofOperators,
      { source: 'the forwardings and events', text: objects.stdout },
      { source: 'kubectl describe', text: described.stdout },
      { source: 'the states of the forwardings', text: watch.events.map((one) => JSON.stringify(one)).join('\n') },
      {
        source: "the API server's audit log",
        text: audited
          .split('\n')
          .filter((line) => line.includes(namespace))
          .join('\n'),
      },
    ];
  }

  /** Checks every status that the watch has shown, with kstatus' own code unless Go is missing, and finds each condition in the documents' table. */
  async function checkStatuses(): Promise<void> {
    const shown = watch.events.filter(({ type }) => type !== 'DELETED');
    if (shown.length === 0) return;
    await assertLegalStatus(await validatorsIfAvailable({ progress }), ...shown.map(({ object }) => ({ ...object })));
    const unknown = shown.flatMap(({ object: { status } }) =>
      unknownConditions(status.conditions ?? [], conditionRows()),
    );
    if (unknown.length > 0) throw new Error(`not in ${messagesFile}:\n${[...new Set(unknown)].join('\n')}`);
  }

  /** Searches the output for secrets, and stores it for a last search at the end of the run. */
  async function check(): Promise<void> {
    const all = await outputs();
    const leaks = findLeaks(all, canaries);
    if (leaks.length > 0) throw new Error(`output contains secrets:\n${leaks.join('\n')}`);
    await store(folder, namespace, { outputs: all, canaries });
  }

  async function end(): Promise<void> {
    try {
      await operators.stop();
      await checkStatuses();
      await check();
    } finally {
      await operators.stop();
      await watch.stop();
      await services.stop();
      await releaseNamespace(api, namespace);
    }
  }

  const stop = () => (stopping ??= end());

  const environment: Environment = {
    namespace,
    services,
    blue,
    green,
    credentials,
    newCredentials() {
      const code = newSourceCode(canaries);
      sumologic.control.setSource({ code, ...(sourceName === undefined ? {} : { name: sourceName }) });
      return { endpoint: sumologic.receiverURL(code), authorization: newAuthorization(canaries) };
    },
    addCanary: (canary) => void canaries.push(canary),
    kubectl,
    apply,
    applySecrets: ({ token = blue.token, ...changes } = {}) =>
      apply(secret('konnect', { token }), secret('sumologic', { ...credentials, ...changes })),
    async patch(name, patch) {
      const patched = await api.send(
        'PATCH',
        `${pathOf(name)}?fieldManager=kubectl-patch&fieldValidation=Strict`,
        patch,
      );
      if (patched === undefined) throw new Error(`there is no forwarding ${namespace}/${name}`);
    },
    forwarding,
    waitFor,
    waitForReady: (name, timeoutMs) => waitFor(name, isReady, timeoutMs),
    async remove(name, timeoutMs = waitTimeoutMs) {
      await kubectl(['delete', 'auditlogforwarding', name, `--timeout=${String(Math.ceil(timeoutMs / 1_000))}s`]);
    },
    history: (name) => watch.events.filter(({ object }) => object.metadata.name === name),
    events,
    calls: () => konnect.control.calls().filter(({ token }) => token !== '' && !people.has(token)),
    clearCalls: () => konnect.control.clearCalls(),
    async asOtherClient(method, path, { body, token = blue.otherClientToken } = {}) {
      const response = await fetch(`${konnect.url}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
    },
    search: (query) =>
      searchMessages({
        url: sumologic.url,
        accessId: accessKey.id,
        accessKey: accessKey.key,
        query,
        from: startedAt,
        to: new Date(Date.now() + 1),
        authority: authority.certificate,
        pollMs: 100,
      }),
    operator: () => operators.current,
    stopOperator: (how) => operators.stop(how),
    startOperator: (flags) => operators.start(flags),
    async restartOperator({ kill = false, flags = [] } = {}) {
      await operators.stop({ kill });
      await operators.start(flags);
    },
    outputs,
    stop,
    [Symbol.asyncDispose]: stop,
  };
  try {
    await options.beforeStart?.(environment);
    await operators.start();
    return environment;
  } catch (error) {
    await Promise.allSettled([watch.stop(), services.stop(), releaseNamespace(api, namespace)]);
    throw error;
  }
}

/** Returns the folder in which the environments of a run store their output. It is removed with the control plane. */
export function outputsFolder(folder: string): string {
  return join(folder, 'outputs');
}

/** The stored output of one environment. */
export interface StoredOutputs {
  readonly outputs: readonly Output[];
  readonly canaries: readonly Canary[];
}

async function store(folder: string, namespace: string, kept: StoredOutputs): Promise<void> {
  await mkdir(outputsFolder(folder), { recursive: true });
  await writeFile(join(outputsFolder(folder), `${namespace}.json`), JSON.stringify(kept), { mode: 0o600 });
}

/** Returns the path of all forwardings of a namespace. */
function forwardingsOf(namespace: string): string {
  return collectionOf(forwardingManifest('', {}), namespace);
}

/** Deletes the namespace, and removes the finalizers that no operator will remove. */
async function releaseNamespace(api: KubeAPI, namespace: string): Promise<void> {
  const list = await api.send<{ items: ForwardingObject[] }>('GET', forwardingsOf(namespace));
  for (const { metadata } of list?.items ?? [])
    await api.send('PATCH', `${forwardingsOf(namespace)}/${metadata.name}`, { metadata: { finalizers: null } });
  // A test may have deleted it.
  await api.send('DELETE', `/api/v1/namespaces/${namespace}`).catch(() => undefined);
}

function canariesOf({ name, token, readOnlyToken, anonymousToken }: Organization): Canary[] {
  return [
    { name: `the token of ${name}`, value: token.slice(5) },
    { name: `the read-only token of ${name}`, value: readOnlyToken.slice(5) },
    { name: `the anonymous token of ${name}`, value: anonymousToken.slice(5) },
  ];
}

/** Returns a code as SumoLogic makes it: with an end that URLs encode. */
function newSourceCode(canaries: Canary[]): string {
  const code = `ZaVnC4dhaV${randomText()}==`;
  canaries.push({ name: 'the code of an endpoint', value: code });
  return code;
}

function newAuthorization(canaries: Canary[]): string {
  const credential = randomText();
  canaries.push({ name: 'an authorization', value: credential });
  return `Bearer ${credential}`;
}
