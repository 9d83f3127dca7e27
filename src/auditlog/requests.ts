/** `auditlog reconcile`, `suspend` and `resume`: what a person asks the operator to do with one forwarding. */
import { setTimeout as delay } from 'node:timers/promises';
import { parseDurationMs } from '../api/duration.ts';
import { reconcileAnnotation } from '../api/v1alpha1.ts';
import {
  type ClusterConnection,
  clusterOptions,
  nameIn,
  namespaceOption,
  pathOfForwarding,
  withCluster,
} from './cluster-connection.ts';
import { type Arguments, type Command, exitCodes, type Terminal, textOf, UsageError } from './command.ts';

const exits = { notAnswered: 3 } as const;
const pollMs = 500;

const options = { ...namespaceOption, ...clusterOptions };

export const reconcileCommand: Command = {
  operands: 'NAME',
  summary: 'Asks the operator to compare a forwarding with Konnect now, and waits until it has.',
  options: {
    ...options,
    timeout: {
      type: 'string',
      value: 'DURATION',
      help: 'How long to wait for the operator, such as 2m. The default is 1m, and 0s does not wait.',
    },
  },
  exits: { [exits.notAnswered]: 'the operator did not answer in time' },
  run: reconcile,
};

export const suspendCommand: Command = {
  operands: 'NAME',
  summary: 'Makes the operator leave a forwarding alone: it reads and writes nothing of it in Konnect.',
  options,
  exits: {},
  run: (args, terminal) => setSuspend(args, terminal, true),
};

export const resumeCommand: Command = {
  operands: 'NAME',
  summary: 'Ends what auditlog suspend began.',
  options,
  exits: {},
  run: (args, terminal) => setSuspend(args, terminal, false),
};

interface Answered {
  readonly metadata: { readonly namespace: string; readonly name: string } & Marks;
  readonly status?: {
    readonly lastHandledReconcileAt?: string;
    readonly conditions?: readonly { type: string; status: string; reason: string; message: string }[];
  };
}

interface Marks {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

async function reconcile(args: Arguments, terminal: Terminal): Promise<number> {
  nameIn(args);
  const timeoutMs = parseDurationMs(textOf(args, 'timeout') ?? '1m');
  if (timeoutMs === undefined) throw new UsageError('--timeout must be a duration, such as 90s or 2m');
  return withCluster(args, terminal, async (connection) => {
    const path = await pathOfForwarding(connection, args);
    const request = new Date().toISOString();
    await annotate(connection, path, reconcileAnnotation, request);
    if (timeoutMs === 0) return exitCodes.ok;
    const isAnswered = ({ status }: Answered) => status?.lastHandledReconcileAt === request;
    const answered = await waitUntil(connection, path, isAnswered, timeoutMs, terminal.signal);
    if (answered === undefined) {
      terminal.warn(
        'the operator has not answered yet: check that it runs and watches this namespace, or wait longer with --timeout',
      );
      return exits.notAnswered;
    }
    const { metadata, status } = answered;
    const ready = status?.conditions?.find(({ type }) => type === 'Ready');
    await terminal.print(
      `${metadata.namespace}/${metadata.name}: Ready is ${ready?.status ?? 'Unknown'} (${ready?.reason ?? '-'}): ${ready?.message ?? ''}\n`,
    );
    return exitCodes.ok;
  });
}

/** Sets an annotation. Returns the object. */
export function annotate(
  { client }: ClusterConnection,
  path: string,
  annotation: string,
  value: string,
): Promise<Answered> {
  return client.patch<Answered>(path, { kind: 'merge', body: { metadata: { annotations: { [annotation]: value } } } });
}

/** Returns the first state for which `isAnswered` is true, or undefined after `timeoutMs`. */
async function waitUntil(
  { client }: ClusterConnection,
  path: string,
  isAnswered: (object: Answered) => boolean,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Answered | undefined> {
  const endMs = performance.now() + timeoutMs;
  do {
    const object = await client.get<Answered>(path);
    if (isAnswered(object)) return object;
    await delay(pollMs, undefined, { signal }).catch(() => {});
  } while (performance.now() < endMs && !signal.aborted);
  return undefined;
}

async function setSuspend(args: Arguments, terminal: Terminal, suspend: boolean): Promise<number> {
  nameIn(args);
  return withCluster(args, terminal, async (connection) => {
    const path = await pathOfForwarding(connection, args);
    const { metadata } = await connection.client.patch<Answered>(path, { kind: 'merge', body: { spec: { suspend } } });
    await terminal.print(`${metadata.namespace}/${metadata.name} is ${suspend ? 'suspended' : 'resumed'}\n`);
    const owner = ownerOf(metadata);
    if (owner !== undefined)
      terminal.warn(`${owner} manages this forwarding and may set spec.suspend back: set it in its source too`);
    return exitCodes.ok;
  });
}

/** Returns the tool that applies the object from a repository, as far as its marks show it. */
function ownerOf({ labels = {}, annotations = {} }: Marks): string | undefined {
  const names = [...Object.keys(labels), ...Object.keys(annotations)];
  if (names.some((name) => /^(?:kustomize|helm)\.toolkit\.fluxcd\.io\//.test(name))) return 'Flux';
  return names.some((name) => name.startsWith('argocd.argoproj.io/')) ? 'Argo CD' : undefined;
}
