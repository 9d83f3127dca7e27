/** `auditlog diff`: shows what the operator would change in Konnect now. */
import type { AuditLogForwarding } from '../api/v1alpha1.ts';
import type { KubeObject } from '../kube/objects.ts';
import { parseForwarding } from '../resources/forwarding-resource.ts';
import { changeExitTexts, changesOf, clusterNameOption, type ForwardingChanges, printChanges } from './changes.ts';
import {
  clusterOptions,
  nameIn,
  namespaceFilter,
  notUnderstood,
  readForwardings,
  readsAsUser,
  withCluster,
} from './cluster-connection.ts';
import { type Arguments, type Command, CommandError, type Terminal, textOf } from './command.ts';
import { konnectURLOption, withHTTP } from './konnect-connection.ts';
import { outputFormat, outputOption } from './output.ts';

export const diffCommand: Command = {
  operands: '[NAME]',
  summary:
    'Shows what the operator would change in Konnect now, for each forwarding. It needs the right to read the Secrets.',
  options: { ...namespaceFilter, ...clusterOptions, ...konnectURLOption, ...clusterNameOption, output: outputOption },
  exits: changeExitTexts,
  run: diff,
};

async function diff(args: Arguments, terminal: Terminal): Promise<number> {
  const format = outputFormat(args);
  const name = args.operands.length === 0 ? undefined : nameIn(args);
  const { dryRun } = await import('./dry-run.ts');
  return withCluster(args, terminal, async (connection) => {
    const objects = await readForwardings(connection);
    const namespace = textOf(args, 'namespace');
    const isWanted = ({ metadata }: Pick<KubeObject, 'metadata'>) =>
      (namespace ?? metadata.namespace) === metadata.namespace && (name ?? metadata.name) === metadata.name;
    const forwardings: AuditLogForwarding[] = [];
    const unknown: ForwardingChanges[] = [];
    for (const object of objects) {
      const parsed = parseForwarding(object);
      if (parsed.kind === 'forwarding') forwardings.push(parsed.forwarding);
      else if (isWanted(object)) unknown.push(withoutChanges(object, parsed.fields));
    }
    const wanted = forwardings.filter(isWanted);
    if (name !== undefined && wanted.length + unknown.length === 0)
      throw new CommandError(`there is no forwarding ${name}: check the name, and the namespace with -n`);
    const cluster = readsAsUser(connection);
    const results = await withHTTP(args, terminal, ({ http, urlTemplate }) =>
      dryRun(
        {
          http,
          urlTemplate,
          cluster,
          forwardings,
          clusterName: textOf(args, 'cluster-name') ?? clusterNameIn(forwardings),
          now: () => new Date(),
          signal: terminal.signal,
        },
        wanted,
      ),
    );
    return printChanges([...changesOf(results), ...unknown], format, terminal);
  });
}

function withoutChanges(
  { metadata: { namespace = '', name } }: KubeObject,
  fields: readonly string[],
): ForwardingChanges {
  return { namespace, name, changes: [], problem: { reason: 'NotUnderstood', message: notUnderstood(fields) } };
}

/** Returns the `--cluster-name` of the operator, as far as the names of the destinations in status show it. */
function clusterNameIn(forwardings: readonly AuditLogForwarding[]): string {
  for (const { metadata, spec, status } of forwardings) {
    const end = `/${metadata.namespace}/${metadata.name}`;
    const name = status.destination?.name;
    if (spec.destination !== undefined && spec.destination.name === undefined && name?.endsWith(end) === true)
      return name.slice(0, -end.length);
  }
  return '';
}
