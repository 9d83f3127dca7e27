/** `npm run sandbox`: everything the demo has, without its story, until Ctrl-C. */
import { once } from 'node:events';
import { startSandbox, world, writeForwarding } from './sandbox.ts';

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

await import('../scripts/build.ts');
const interrupted = once(process, 'SIGINT');
const sandbox = await startSandbox((line) => say(`==> ${line}`));
const file = await writeForwarding(sandbox);
say(howToReach(sandbox, file));
await Promise.race([interrupted, once(process, 'SIGTERM')]);
say('==> stopping');
await sandbox.stop();

function howToReach({ controlPlane, services, operator }: typeof sandbox, forwarding: string): string {
  const { konnect, sumologic } = services;
  return `
The sandbox is up. Ctrl-C ends it. In another terminal:

  export KUBECONFIG=${controlPlane.adminKubeconfig}
  alias kubectl=${controlPlane.kubectlPath}
  kubectl apply -f ${forwarding}
  kubectl get auditlogforwarding -A

  Konnect       ${konnect.url}/us/v3/… with "Authorization: Bearer ${world.token}"
                ${konnect.url}/__sandbox/calls tells what it was asked
  SumoLogic     ${sumologic.url}/__sandbox/lines shows what arrived (curl -k)
  Operator      ${operator.metricsURL}, ${operator.healthURL}/readyz
`;
}
