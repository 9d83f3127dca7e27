/** How commands reach the cluster. */
import { kubeConfigSources } from '../config/config.ts';
import type { ClusterReads } from '../forwarding/ports.ts';
import { isKubeError, type KubeError } from '../kube/errors.ts';
import type { KubeClient, ListOptions } from '../kube/kube-client.ts';
import type { KubeObject } from '../kube/objects.ts';
import { clusterReads } from '../resources/cluster.ts';
import { forwardingsPath } from '../resources/forwarding-resource.ts';
import { type Arguments, CommandError, type Options, type Terminal, textOf, UsageError } from './command.ts';
import { userAgent } from './user-agent.ts';

export const clusterOptions: Options = {
  context: { type: 'string', value: 'NAME', help: 'The context of the kubeconfig. The default is the current one.' },
  kubeconfig: {
    type: 'string',
    value: 'FILE',
    help: 'The kubeconfig. The default is that of kubectl: the variable KUBECONFIG, else ~/.kube/config, else that of the Pod.',
  },
};

/** The option of a command about all forwardings. */
export const namespaceFilter: Options = {
  namespace: { type: 'string', short: 'n', value: 'NAME', help: 'Only this namespace. The default is all of them.' },
};

/** The option of a command about one forwarding. */
export const namespaceOption: Options = {
  namespace: {
    type: 'string',
    short: 'n',
    value: 'NAME',
    help: 'The namespace of the forwarding. The default is that of the context of the kubeconfig.',
  },
};

/** What a command needs to call the API server. */
export interface ClusterConnection {
  readonly client: KubeClient;
  /** The namespace of the context. */
  readonly namespace: string;
}

/**
 * Calls `use` with a connection to the cluster as the options and the environment say, then closes the connections. Throws a CommandError for an error of the
 * kubeconfig or of the API server.
 */
export async function withCluster<T>(
  args: Arguments,
  { env, signal }: Terminal,
  use: (connection: ClusterConnection) => Promise<T>,
): Promise<T> {
  // The help of a command and commands without a cluster start faster without these.
  const [{ loadKubeConfig }, { KubeClient: Client }] = await Promise.all([
    import('../kube/kube-config.ts'),
    import('../kube/kube-client.ts'),
  ]);
  const open = () => {
    try {
      return loadKubeConfig({
        ...kubeConfigSources(env, textOf(args, 'kubeconfig')),
        context: textOf(args, 'context'),
      });
    } catch (error) {
      throw error instanceof Error ? new CommandError(error.message) : error;
    }
  };
  const config = open();
  try {
    const client = new Client({ config, userAgent, signal });
    const namespace = config.getContextObject(config.getCurrentContext())?.namespace ?? 'default';
    return await use({ client, namespace });
  } catch (error) {
    throw isKubeError(error) ? new CommandError(`${error.message}: ${wayOut(error)}`) : error;
  } finally {
    config.close();
  }
}

function wayOut({ kind, reason }: KubeError): string {
  switch (kind) {
    case 'Unauthorized':
      return 'log in to the cluster again, or choose another --context';
    case 'Forbidden':
      return 'ask for the right to do this, or name a namespace where you have it with -n';
    case 'NotFound':
      return reason === 'NotFound'
        ? 'check the name, and the namespace with -n'
        : 'the CRD of AuditLogForwarding is not installed in this cluster: install the operator, or choose another --context';
    case 'Conflict':
      return 'another client changed the object at the same time: try again';
    case 'Invalid':
      return 'correct what the API server names';
    case 'Unavailable':
    case 'Timeout':
      return 'check the network, and the server in the kubeconfig';
    case 'Gone':
    case 'TooManyRequests':
    case 'Other':
      return 'try again';
  }
}

/** Returns the objects of a path, requested in pages. */
export async function listObjects<T>(
  client: Pick<KubeClient, 'list'>,
  path: string,
  selectors: Pick<ListOptions, 'labelSelector' | 'fieldSelector'> = {},
): Promise<T[]> {
  const { listAll } = await import('../kube/list-all.ts');
  const { items } = await listAll<T>(client, path, { limit: 100, ...selectors });
  return items;
}

/** Returns every forwarding, or those in `namespace`, as the API server shows them. */
export async function readForwardings({ client }: ClusterConnection, namespace?: string): Promise<KubeObject[]> {
  return listObjects(client, forwardingsPath(namespace));
}

/** A Deployment of the operator, as far as the commands read it. */
export interface OperatorDeployment {
  readonly metadata: { readonly namespace: string; readonly name: string };
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly serviceAccountName?: string;
        readonly containers: readonly { readonly image: string; readonly args?: readonly string[] }[];
      };
    };
  };
  readonly status?: { readonly availableReplicas?: number };
}

/** Returns the Deployments of the chart and of `deploy/`, in all namespaces. */
export function listOperators(client: Pick<KubeClient, 'list'>): Promise<OperatorDeployment[]> {
  const labelSelector = 'app.kubernetes.io/name=konnect-audit-log-operator';
  return listObjects(client, '/apis/apps/v1/deployments', { labelSelector });
}

/** Returns the message about a forwarding that `parseForwarding` finds invalid. */
export function notUnderstood(fields: readonly string[]): string {
  return `this version of the command does not understand ${fields.join(', ')}: use that of the operator`;
}

/** Returns the path of the forwarding that the operand names. */
export function pathOfForwarding({ namespace }: ClusterConnection, args: Arguments): string {
  return `${forwardingsPath(textOf(args, 'namespace') ?? namespace)}/${nameIn(args)}`;
}

/** Returns the only operand, which has to be the name of a forwarding. */
export function nameIn({ operands }: Arguments): string {
  const [name = '', ...more] = operands;
  if (more.length > 0 || !/^[a-z0-9][a-z0-9.-]{0,252}$/.test(name))
    throw new UsageError('give the name of one forwarding');
  return name;
}

/** Returns how the operator reads what forwardings name, with the rights of the user. Reading throws a CommandError if the user lacks one. */
export function readsAsUser({ client }: ClusterConnection): ClusterReads {
  const reads = clusterReads(client);
  const forbidden = (kind: string, namespace: string, name: string) =>
    new CommandError(
      `you may not read ${kind} ${namespace}/${name}: ask for the right to get it, or name another namespace with -n`,
    );
  return {
    async readSecret(namespace, name, signal) {
      const secret = await reads.readSecret(namespace, name, signal);
      if (secret === 'forbidden') throw forbidden('Secret', namespace, name);
      return secret;
    },
    async readPortal(namespace, name, signal) {
      const portal = await reads.readPortal(namespace, name, signal);
      if (portal.kind === 'forbidden') throw forbidden('Portal', namespace, name);
      return portal;
    },
    async readAuthConfiguration(namespace, name, signal) {
      const configuration = await reads.readAuthConfiguration(namespace, name, signal);
      if (configuration.kind === 'forbidden') throw forbidden('KonnectAPIAuthConfiguration', namespace, name);
      return configuration;
    },
  };
}
