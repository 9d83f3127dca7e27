/** `auditlog doctor`: checks what the operator needs, and says what to do about each problem. */
import { Konnect } from '../konnect/session/konnect.ts';
import type { KubeObject } from '../kube/objects.ts';
import { parseForwarding } from '../resources/forwarding-resource.ts';
import { checkDefinition, checkOperator, type UsedNamespace } from './check-cluster.ts';
import { checkForwarding, checkReachable } from './check-konnect.ts';
import { type CheckResult, resultsFor } from './check-result.ts';
import {
  type ClusterConnection,
  clusterOptions,
  namespaceFilter,
  notUnderstood,
  readForwardings,
  readsAsUser,
  withCluster,
} from './cluster-connection.ts';
import { type Arguments, type Command, CommandError, exitCodes, type Terminal, textOf } from './command.ts';
import { type KonnectHost, konnectURLOption, withHTTP } from './konnect-connection.ts';
import { type Color, outputFormat, outputOption, toTable, toText } from './output.ts';

const exits = { failed: 3, unknown: 4 } as const;

export const doctorCommand: Command = {
  operands: '',
  summary:
    'Checks what the operator needs: CRD, rights, Secrets, Konnect, token, region, portals and clock. Each problem comes with its way out.',
  options: { ...namespaceFilter, ...clusterOptions, ...konnectURLOption, output: outputOption },
  exits: {
    [exits.failed]: 'a check failed',
    [exits.unknown]: 'no check failed, and you may not do one of them',
  },
  run: doctor,
};

async function doctor(args: Arguments, terminal: Terminal): Promise<number> {
  const format = outputFormat(args);
  const results = await withCluster(args, terminal, (connection) =>
    withHTTP(args, terminal, (host) => checkAll(connection, host, args, terminal)),
  );
  await terminal.print(format === 'table' ? table(results, terminal) : await toText({ checks: results }, format));
  if (results.some(({ result }) => result === 'failed')) return exits.failed;
  return results.some(({ result }) => result === 'unknown') ? exits.unknown : exitCodes.ok;
}

async function checkAll(
  connection: ClusterConnection,
  host: KonnectHost,
  args: Arguments,
  { signal }: Terminal,
): Promise<CheckResult[]> {
  const { client } = connection;
  const konnect = new Konnect({ http: host.http, urlTemplate: host.urlTemplate });
  const [definition, reachable] = await Promise.all([checkDefinition(client), checkReachable(host, signal)]);
  // Without the CRD there is no forwarding to check.
  const objects = definition.result === 'failed' ? [] : await readForwardings(connection, textOf(args, 'namespace'));
  const cluster = readsAsUser(connection);
  const found = objects.map((object) => ({ object, parsed: parseForwarding(object) }));
  const operator = await checkOperator(client, usedNamespaces(found));
  const forwardings = await Promise.all(
    found.map(async ({ object, parsed }): Promise<CheckResult[]> => {
      const { namespace = '', name } = object.metadata;
      const { failed, unknown } = resultsFor('forwarding', `${namespace}/${name}`);
      if (parsed.kind === 'invalid') return [failed(notUnderstood(parsed.fields))];
      try {
        return await checkForwarding(parsed.forwarding, cluster, konnect, signal);
      } catch (error) {
        if (error instanceof CommandError) return [unknown(error.message)];
        throw error;
      }
    }),
  );
  return [definition, ...operator, ...reachable, ...forwardings.flat()];
}

function usedNamespaces(
  found: readonly { readonly object: KubeObject; readonly parsed: ReturnType<typeof parseForwarding> }[],
): UsedNamespace[] {
  const byNamespace = Map.groupBy(found, ({ object }) => object.metadata.namespace ?? '');
  return [...byNamespace.keys()].toSorted().map((namespace) => {
    const specs = (byNamespace.get(namespace) ?? []).flatMap(({ parsed }) =>
      parsed.kind === 'forwarding' ? [parsed.forwarding.spec] : [],
    );
    return {
      namespace,
      hasPortalRefs: specs.some(({ portalRefs = [] }) => portalRefs.length > 0),
      hasAuthRefs: specs.some(({ konnect }) => konnect.authRef !== undefined),
    };
  });
}

const colors: Readonly<Record<CheckResult['result'], Color>> = { ok: 'green', failed: 'red', unknown: 'yellow' };

function table(results: readonly CheckResult[], terminal: Terminal): string {
  const rows = results.map(({ check, object, result, detail }) => [
    { text: check },
    { text: object === '' ? '-' : object },
    { text: result, color: colors[result] },
    { text: detail },
  ]);
  return toTable(['CHECK', 'OBJECT', 'RESULT', 'DETAIL'], rows, terminal);
}
