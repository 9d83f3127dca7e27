/** How commands show what the operator would change in Konnect. */
import { exitCodes, type Options, type Terminal } from './command.ts';
import type { DryRunResult } from './dry-run.ts';
import { type Cell, type OutputFormat, toTable, toText } from './output.ts';
import type { RecordedWrite } from './recording-transport.ts';

export const changeExits = { changes: 3, problem: 4 } as const;

export const changeExitTexts: Readonly<Record<number, string>> = {
  [changeExits.changes]: 'the operator would change something',
  [changeExits.problem]: 'a problem keeps the operator from what spec wants',
};

export const clusterNameOption: Options = {
  'cluster-name': {
    type: 'string',
    value: 'NAME',
    help: 'The --cluster-name of the operator. It is part of the names of destinations.',
  },
};

interface Change {
  readonly action: 'create' | 'update' | 'delete' | 'start';
  /** Such as `destination "platform/sumologic"` or `portal ID`. */
  readonly object: string;
  readonly region: string;
  readonly fields: readonly FieldChange[];
}

interface FieldChange {
  readonly name: string;
  /** Absent for what Konnect does not have, or does not show. */
  readonly from?: string;
  readonly to?: string;
}

export interface ForwardingChanges {
  readonly namespace: string;
  readonly name: string;
  readonly changes: readonly Change[];
  /** What keeps the operator from what spec wants. */
  readonly problem?: { readonly reason: string; readonly message: string };
  /** Why the operator does not change anything now. */
  readonly heldBy?: string;
}

/** Returns what a dry run found. */
export function changesOf(results: readonly DryRunResult[]): ForwardingChanges[] {
  const created = new Map(
    results.flatMap(({ writes }) =>
      writes.flatMap(({ method, after }) =>
        method === 'POST' ? [[String(after?.['id']), String(after?.['name'])]] : [],
      ),
    ),
  );
  return results.map(({ forwarding, writes, status }) => {
    const { mode, suspend } = forwarding.spec;
    const { namespace, name } = forwarding.metadata;
    // These last for a moment, and follow from the writes.
    const problem = status.conditions?.find(
      ({ type, reason }) => type === 'Stalled' || (type === 'Reconciling' && reason !== 'Applying'),
    );
    const heldBy = suspend
      ? 'spec.suspend is true: the operator changes nothing until it is false'
      : mode === 'Observe'
        ? 'spec.mode is Observe: the operator only reports this'
        : undefined;
    return {
      namespace,
      name,
      changes: writes.map((write) => toChange(write, created)),
      ...(problem === undefined ? {} : { problem: { reason: problem.reason, message: problem.message } }),
      ...(heldBy === undefined ? {} : { heldBy }),
    };
  });
}

const actions = { POST: 'create', PATCH: 'update', DELETE: 'delete', PUT: 'start' } as const;

function toChange(
  { method, region, path, before, after }: RecordedWrite,
  created: ReadonlyMap<string, string>,
): Change {
  const action = actions[method];
  const known = { ...before, ...after };
  const names = Object.keys(known).filter((field) => !isAboutObject(field));
  const fields = names.flatMap((name) => {
    const [from, to] = [before?.[name], after?.[name]];
    // Konnect never shows the authorization, so each write may change it.
    if (name !== 'authorization' && from === to) return [];
    return [{ name, ...shown('from', name, from, created), ...shown('to', name, to, created) }];
  });
  return { action, object: objectOf(path, known), region, fields: action === 'delete' ? [] : fields };
}

function isAboutObject(field: string): boolean {
  return ['id', 'created_at', 'updated_at'].includes(field);
}

function shown(
  side: 'from' | 'to',
  name: string,
  value: unknown,
  created: ReadonlyMap<string, string>,
): Pick<FieldChange, 'from' | 'to'> {
  if (value === '' || !(typeof value === 'string' || typeof value === 'boolean')) return {};
  if (name === 'endpoint' || name === 'authorization')
    return { [side]: side === 'to' ? 'that of the Secret' : 'another one' };
  const text = String(value);
  const newName = created.get(text);
  return { [side]: newName === undefined ? text : `the new destination "${newName}"` };
}

function objectOf(path: string, { name }: Readonly<Record<string, unknown>>): string {
  if (path.includes('/audit-log-destinations'))
    return typeof name === 'string' ? `destination "${name}"` : `destination ${path.split('/').at(-1) ?? ''}`;
  const [, portal] = /\/portals\/([^/]+)\//.exec(path) ?? [];
  return portal === undefined ? "the organization's webhook" : `portal ${portal}`;
}

/** Prints the changes. Returns the exit code. */
export async function printChanges(
  found: readonly ForwardingChanges[],
  format: OutputFormat,
  terminal: Terminal,
): Promise<number> {
  const hasChanges = found.some(({ changes }) => changes.length > 0);
  if (format !== 'table') await terminal.print(await toText({ forwardings: found }, format));
  else if (hasChanges) await terminal.print(table(found, terminal));
  else await terminal.print('nothing to change in Konnect\n');
  if (format === 'table') for (const sentence of found.flatMap(remarksOf)) terminal.warn(sentence);
  if (found.some(({ problem }) => problem !== undefined)) return changeExits.problem;
  return hasChanges ? changeExits.changes : exitCodes.ok;
}

function remarksOf({ namespace, name, problem, heldBy, changes }: ForwardingChanges): string[] {
  const who = `${namespace}/${name}`;
  return [
    ...(problem === undefined ? [] : [`${who}: ${problem.reason}: ${problem.message}`]),
    ...(heldBy === undefined || changes.length === 0 ? [] : [`${who}: ${heldBy}`]),
  ];
}

const colors = { create: 'green', update: 'yellow', delete: 'red', start: 'yellow' } as const;

function table(found: readonly ForwardingChanges[], terminal: Terminal): string {
  const rows = found.flatMap(({ namespace, name, changes }) =>
    changes.flatMap(({ action, object, fields }): Cell[][] => {
      const first = [{ text: `${namespace}/${name}` }, { text: action, color: colors[action] }, { text: object }];
      const [one, ...more] = fields.map(inWords);
      const next = more.map((text) => [{ text: '' }, { text: '' }, { text: '' }, { text }]);
      return [[...first, { text: one ?? '' }], ...next];
    }),
  );
  return toTable(['FORWARDING', 'ACTION', 'OBJECT', 'FIELD'], rows, terminal);
}

function inWords({ name, from, to }: FieldChange): string {
  if (from === undefined) return `${name}: ${to ?? 'none'}`;
  return `${name}: ${from} -> ${to ?? 'none'}`;
}
