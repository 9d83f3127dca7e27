/** Several replicas of the operator for the same forwardings. Each has its own token and its own relay to Konnect, so that writes can be attributed. */
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import * as z from 'zod';
import { type OperatorProcess, startOperator } from '../../../sandbox/operator-process.ts';
import { serviceAccount } from '../../../sandbox/sandbox.ts';
import { cluster } from '../../support/cluster.ts';
import { eventually } from '../../support/eventually.ts';
import type { Environment } from './environment.ts';
import { type Relay, startRelay } from './relay.ts';

const credentialID = 'authentication.kubernetes.io/credential-id';

/** A line of the API server's audit log. */
const AuditEvent = z.object({
  verb: z.string(),
  user: z.object({ extra: z.record(z.string(), z.array(z.string())).default({}) }),
  objectRef: z.object({ resource: z.string(), subresource: z.string().default('') }).optional(),
});

export interface Replica {
  readonly operator: OperatorProcess;
  readonly konnect: Relay;
  /** Resolves with its writes to Kubernetes except those of leases, as `verb resource`, in order. */
  kubernetesWrites(): Promise<string[]>;
  /** Resolves with the time of a log message, in milliseconds since 1970. Rejects if the message does not come in time. */
  logged(message: string, timeoutMs?: number): Promise<number>;
  /** Resolves with whether its metrics say that it is the leader. */
  isLeader(): Promise<boolean>;
}

export interface Replicas {
  start(flags?: readonly string[], nodeOptions?: readonly string[]): Promise<Replica>;
  /** Kills the replicas that still run. */
  stop(): Promise<void>;
}

/** Returns a starter of replicas that share the Lease of `deploy/`. */
export function createReplicas(environment: Environment, flags: readonly string[]): Replicas {
  const replicas: Replica[] = [];
  return {
    async start(more = [], nodeOptions = []) {
      const { kubeconfig, credential } = await ownKubeconfig();
      const konnect = await startRelay(environment.services.konnect.url);
      const operator = await startOperator({
        kubeconfig,
        nodeOptions,
        konnectURL: konnect.urlTemplate,
        flags: [
          `--watch-namespaces=${environment.namespace}`,
          '--leader-elect',
          `--leader-elect-resource-namespace=${serviceAccount.namespace}`,
          ...flags,
          ...more,
        ],
      });
      const replica: Replica = {
        operator,
        konnect,
        kubernetesWrites: () => writesWith(credential),
        logged: (message, timeoutMs = 20_000) =>
          eventually(async () => timeOf(message, await operator.output()), { timeoutMs }),
        async isLeader() {
          const metrics = await (await fetch(operator.metricsURL)).text();
          return /^leader_election_master_status\{.*\} 1$/m.test(metrics);
        },
      };
      replicas.push(replica);
      return replica;
    },
    async stop() {
      for (const { operator, konnect } of replicas.splice(0)) {
        await operator.kill();
        await konnect.stop();
      }
    },
  };
}

/**
 * Returns options of Node for a process that stops itself with SIGSTOP, once, when it parses JSON that matches. It stops before it handles the
 * answer and before it runs any timer.
 */
export function stoppingAt(answer: RegExp): string[] {
  const program = `
    const parse = JSON.parse;
    JSON.parse = (text, ...more) => {
      if (${String(answer)}.test(text)) {
        JSON.parse = parse;
        process.kill(process.pid, 'SIGSTOP');
      }
      return parse(text, ...more);
    };`;
  return [`--import=data:text/javascript,${encodeURIComponent(program)}`];
}

/** Returns the path of a kubeconfig with a token of its own, and the name that the API server's audit log gives to this token. */
async function ownKubeconfig(): Promise<{ kubeconfig: string; credential: string }> {
  const kubeconfig = await cluster().serviceAccountKubeconfig(serviceAccount.namespace, serviceAccount.name);
  const File = z.object({ users: z.tuple([z.object({ user: z.object({ token: z.string() }) })]) });
  const { token } = File.parse(parse(await readFile(kubeconfig, 'utf8'))).users[0].user;
  const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
  const { jti } = z.object({ jti: z.string() }).parse(JSON.parse(payload));
  return { kubeconfig, credential: `JTI=${jti}` };
}

async function writesWith(credential: string): Promise<string[]> {
  const lines = (await readFile(cluster().auditLog, 'utf8')).split('\n').filter((line) => line.includes(credential));
  const events = lines
    .map((line) => AuditEvent.parse(JSON.parse(line)))
    // Leaves out the request that created the token.
    .filter(({ user }) => user.extra[credentialID]?.includes(credential));
  if (events.length === 0) throw new Error('the audit log has no request of this replica');
  return events
    .filter(({ verb }) => !['get', 'list', 'watch'].includes(verb))
    .flatMap(({ verb, objectRef: { resource = '', subresource = '' } = {} }) =>
      resource === 'leases' ? [] : [`${verb} ${resource}${subresource === '' ? '' : `/${subresource}`}`],
    );
}

const Line = z.object({ time: z.string(), message: z.string() });

function timeOf(message: string, output: string): number {
  const lines = output.split('\n').filter((line) => line.includes(message));
  const found = lines.map((line) => Line.parse(JSON.parse(line))).find((line) => line.message === message);
  if (found === undefined)
    throw new Error(`"${message}" was not logged. The last lines are:\n${output.split('\n').slice(-15).join('\n')}`);
  return Date.parse(found.time);
}
