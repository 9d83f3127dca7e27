/** `auditlog reconcile`, `replay`, `suspend` and `resume`: what a person asks the operator to do with one forwarding. */
import { setTimeout as delay } from 'node:timers/promises';
import { parseDurationMs } from '../api/duration.ts';
import { reconcileAnnotation, replayAnnotation, uuid } from '../api/v1alpha1.ts';
import { printable } from '../telemetry/printable.ts';
import {
  type ClusterConnection,
  clusterOptions,
  nameIn,
  namespaceOption,
  pathOfForwarding,
  withCluster,
} from './cluster-connection.ts';
import {
  type Arguments,
  type Command,
  CommandError,
  exitCodes,
  type Options,
  type Terminal,
  textOf,
  UsageError,
} from './command.ts';
import { timeOf } from './time-option.ts';

const exits = { notAnswered: 3 } as const;
const pollMs = 500;
const dayMs = 86_400_000;
/** The clock of the operator may be behind, and it refuses a period that ends in the future. */
const defaultEndMs = 60_000;
/** Konnect deletes audit logs that are older. */
const retentionMs = 7 * dayMs;

const options = { ...namespaceOption, ...clusterOptions };
const timeoutOption: Options = {
  timeout: {
    type: 'string',
    value: 'DURATION',
    help: 'How long to wait for the operator, such as 2m. The default is 1m, and 0s does not wait.',
  },
};

export const reconcileCommand: Command = {
  operands: 'NAME',
  summary: 'Asks the operator to compare a forwarding with Konnect now, and waits until it has.',
  options: { ...options, ...timeoutOption },
  exits: { [exits.notAnswered]: 'the operator did not answer in time' },
  run: reconcile,
};

export const replayCommand: Command = {
  operands: 'NAME',
  summary:
    'Asks the operator to let Konnect send the audit logs of a period again. Each replay sends every line of it once more.',
  options: {
    from: { type: 'string', value: 'TIME', help: 'A time such as 2026-01-02T03:04:05Z, or how long ago, such as 2h.' },
    to: { type: 'string', value: 'TIME', help: 'A time, or how long ago. The default is a minute ago.' },
    webhook: {
      type: 'string',
      value: 'KEY',
      help: 'Only this webhook: organization, or the ID of a Dev Portal. The default is all webhooks of the forwarding.',
    },
    ...options,
    ...timeoutOption,
  },
  exits: { [exits.notAnswered]: 'the operator did not answer in time' },
  run: replay,
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
    readonly lastHandledReplay?: string;
    readonly conditions?: readonly { type: string; status: string; reason: string; message: string }[];
  };
}

interface Marks {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

async function reconcile(args: Arguments, terminal: Terminal): Promise<number> {
  const request = {
    annotation: reconcileAnnotation,
    value: new Date().toISOString(),
    field: 'lastHandledReconcileAt',
  } as const;
  return ask(args, terminal, request, ({ status }) => {
    const ready = status?.conditions?.find(({ type }) => type === 'Ready');
    return `Ready is ${ready?.status ?? 'Unknown'} (${ready?.reason ?? '-'}): ${ready?.message ?? ''}`;
  });
}

async function replay(args: Arguments, terminal: Terminal): Promise<number> {
  const now = new Date();
  const from = timeOf(args, 'from', now);
  const to = timeOf(args, 'to', now) ?? new Date(now.getTime() - defaultEndMs);
  if (from === undefined) throw new UsageError('say from when on with --from TIME');
  if (from >= to) throw new UsageError('--from must be before --to');
  if (to > now) throw new UsageError('--to must not be in the future');
  if (now.getTime() - from.getTime() > retentionMs)
    throw new UsageError('--from must be within the last 7 days: Konnect deletes older audit logs');
  const webhook = textOf(args, 'webhook');
  if (webhook !== undefined && webhook !== 'organization' && !new RegExp(uuid).test(webhook))
    throw new UsageError('--webhook must be organization, or the ID of a Dev Portal in lower case');
  const period = [from, to].map((time) => time.toISOString().replace(/\.\d+/, ''));
  const value = [...period, ...(webhook === undefined ? [] : [webhook])].join('/');
  return ask(args, terminal, { annotation: replayAnnotation, value, field: 'lastHandledReplay' }, () => {
    return `the operator has taken the request for ${value}: auditlog status shows the replay, and an event says what it refuses`;
  });
}

interface Request {
  readonly annotation: string;
  readonly value: string;
  /** The field of status in which the operator answers. */
  readonly field: 'lastHandledReconcileAt' | 'lastHandledReplay';
}

/** Sets the annotation and waits for the answer, then prints it in words. */
async function ask(
  args: Arguments,
  terminal: Terminal,
  { annotation, value, field }: Request,
  inWords: (object: Answered) => string,
): Promise<number> {
  nameIn(args);
  const timeoutMs = parseDurationMs(textOf(args, 'timeout') ?? '1m');
  if (timeoutMs === undefined) throw new UsageError('--timeout must be a duration, such as 90s or 2m');
  return withCluster(args, terminal, async (connection) => {
    const path = pathOfForwarding(connection, args);
    const body = { metadata: { annotations: { [annotation]: value } } };
    const { status: before } = await connection.client.patch<Answered>(path, { kind: 'merge', body });
    if (before?.[field] === value)
      throw new CommandError(
        `the operator has taken the request for ${value} before, and takes a request only once: change --from or --to by a second`,
      );
    if (timeoutMs === 0) return exitCodes.ok;
    const answered = await waitUntil(
      connection,
      path,
      ({ status }) => status?.[field] === value,
      timeoutMs,
      terminal.signal,
    );
    if (answered === undefined) {
      terminal.warn(
        'the operator has not answered yet: check that it runs and watches this namespace, or wait longer with --timeout',
      );
      return exits.notAnswered;
    }
    const { namespace, name } = answered.metadata;
    await terminal.print(`${namespace}/${name}: ${printable(inWords(answered))}\n`);
    return exitCodes.ok;
  });
}

/** Returns the first state for which `isAnswered` is true, or undefined after `timeoutMs`. Rejects when `signal` is aborted. */
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
    await delay(pollMs, undefined, { signal });
  } while (performance.now() < endMs);
  return undefined;
}

async function setSuspend(args: Arguments, terminal: Terminal, suspend: boolean): Promise<number> {
  nameIn(args);
  return withCluster(args, terminal, async (connection) => {
    const path = pathOfForwarding(connection, args);
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
