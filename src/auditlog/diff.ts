/** `auditlog diff`: shows what the operator would change in Konnect now. */
import type { AuditLogForwarding } from '../api/v1alpha1.ts';
import { changeExitTexts, changesOf, clusterNameOption, printChanges } from './changes.ts';
import {
  clusterOptions,
  nameIn,
  namespaceFilter,
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
  const [{ dryRun }, { parseForwarding }, { nameOf }] = await Promise.all([
    import('./dry-run.ts'),
    import('../resources/forwarding-resource.ts'),
    import('../forwarding/ownership/claims.ts'),
  ]);
  return withCluster(args, terminal, async (connection) => {
    const objects = await readForwardings(connection, { ...args, options: { ...args.options, namespace: undefined } });
    const forwardings = objects.flatMap((object) => {
      const parsed = parseForwarding(object);
      return parsed.kind === 'forwarding' ? [parsed.forwarding] : [];
    });
    const namespace = textOf(args, 'namespace');
    const wanted = forwardings
      .filter(({ metadata }) => (namespace ?? metadata.namespace) === metadata.namespace)
      .filter(({ metadata }) => (name ?? metadata.name) === metadata.name)
      .map(nameOf);
    if (name !== undefined && wanted.length === 0)
      throw new CommandError(`there is no forwarding ${name}: check the name, and the namespace with -n`);
    const cluster = await readsAsUser(connection);
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
    return printChanges(changesOf(results), format, terminal);
  });
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
