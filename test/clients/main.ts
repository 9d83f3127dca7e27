/**
 * `npm run test:clients`: what other clients of Kubernetes make of a forwarding, compared with docs/use/kubectl.md, and what kubectl-validate makes of all
 * manifests. Needs Python, Java, Maven and Go. The exit code is 1 if a check fails.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { runKubectl } from '../../sandbox/control-plane/access.ts';
import { ensureBinaries } from '../../sandbox/control-plane/binaries.ts';
import { startControlPlane } from '../../sandbox/control-plane/control-plane.ts';
import { install, namespace, serviceAccount } from '../../sandbox/sandbox.ts';
import { apiVersion, kind } from '../../src/api/v1alpha1.ts';
import { createReporter } from '../interop/reporter.ts';
import { expectRows } from '../siem/table.ts';
import { checkValidation } from './validate.ts';

const run = promisify(execFile);
const write = (text: string) => void process.stdout.write(text);
const progress = (line: string) => write(`==> ${line}\n`);
const reporter = createReporter(write);
const sources = import.meta.dirname;
/** A client that has not returned after this time waits. */
const patienceMs = 5_000;

const time = '2026-01-02T03:04:05Z';
/** The states of the table, by name: what the operator would have written, for an object whose generation is 2. */
const states = {
  older: { status: 'True', observedGeneration: 1 },
  unready: { status: 'False', observedGeneration: 2 },
  ready: { status: 'True', observedGeneration: 2 },
} as const;

const folder = await mkdtemp(join(tmpdir(), 'clients-'));
const controlPlane = await startControlPlane({ binaries: await ensureBinaries({ progress }) });

const kubectl = (args: readonly string[]) => runKubectl(controlPlane, args);
const apply = (object: object) => runKubectl(controlPlane, ['apply', '-f', '-'], { input: JSON.stringify(object) });

async function createForwardings(): Promise<void> {
  await install(controlPlane);
  await kubectl(['create', 'namespace', namespace]);
  for (const [name, { status, observedGeneration }] of Object.entries(states)) {
    const spec = {
      konnect: { region: 'us', tokenSecretRef: { name: 'konnect' } },
      destination: { secretRef: { name: 'sumologic' } },
      organization: {},
    };
    const forwarding = { apiVersion, kind, metadata: { name, namespace }, spec };
    await apply(forwarding);
    await apply({ ...forwarding, spec: { ...spec, interval: '1h' } });
    const ready = {
      type: 'Ready',
      status,
      observedGeneration,
      reason: 'Tested',
      message: '',
      lastTransitionTime: time,
    };
    const patch = JSON.stringify({ status: { observedGeneration, conditions: [ready] } });
    await kubectl(['patch', 'alf', name, '-n', namespace, '--subresource=status', '--type=merge', '-p', patch]);
  }
}

/** Resolves with whether a client returns or waits. Rejects if it fails. */
async function outcome(command: string, args: readonly string[], kubeconfig: string): Promise<string> {
  const env = { ...process.env, KUBECONFIG: kubeconfig };
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => said.push(text.toString()));
  const ended = once(child, 'close');
  child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), patienceMs));
  const [code, signal] = await ended;
  if (signal === 'SIGKILL') return 'waits';
  if (code === 0) return 'returns';
  throw new Error(`${command} ${args.join(' ')} ended with ${String(code)}: ${said.join('')}`);
}

/** Resolves with the command of each row of the table, without the name of the forwarding. */
async function clients(): Promise<Readonly<Record<string, readonly string[]>>> {
  progress('installing the clients of PyPI and Maven');
  const python = join(folder, 'python/bin');
  await run('python3', ['-m', 'venv', join(folder, 'python')]);
  const packages = ['kr8s==0.20.15', 'lightkube==1.0.1'];
  await run(join(python, 'pip'), ['install', '--quiet', '--disable-pip-version-check', ...packages]);
  await cp(join(sources, 'pom.xml'), join(folder, 'pom.xml'));
  await run('mvn', ['-q', '-B', 'dependency:copy-dependencies', '-DoutputDirectory=java'], { cwd: folder });
  const ofPython = (name: string) => [join(python, 'python'), join(sources, 'wait.py'), name, namespace];
  const kubectlWait = `echo waiting; exec ${controlPlane.kubectlPath} wait --for=condition=Ready --timeout=60s`;
  return {
    '`kubectl wait --for=condition=Ready`': ['bash', '-c', `${kubectlWait} -n ${namespace} alf/$0`],
    'kr8s, `wait`': ofPython('kr8s'),
    'lightkube, `wait`': ofPython('lightkube'),
    'fabric8, `waitUntilReady`': ['java', '-cp', join(folder, 'java/*'), join(sources, 'Wait.java'), namespace],
  };
}

async function check(): Promise<void> {
  await createForwardings();
  const account = `--serviceaccount=${serviceAccount.namespace}:${serviceAccount.name}`;
  await kubectl(['create', 'clusterrolebinding', 'clients', '--clusterrole=cluster-admin', account]);
  // With a token, because fabric8 reads no private key of an elliptic curve in PKCS #8.
  const kubeconfig = await controlPlane.serviceAccountKubeconfig(serviceAccount.namespace, serviceAccount.name);
  const rows: string[][] = [];
  for (const [client, [command = '', ...args]] of Object.entries(await clients())) {
    const cells = [];
    for (const name of Object.keys(states)) cells.push(await outcome(command, [...args, name], kubeconfig));
    rows.push([client, ...cells]);
  }
  reporter.section('docs/use/kubectl.md');
  await reporter.check('the table shows what the clients do', () => expectRows('docs/use/kubectl.md', rows));
}

try {
  await checkValidation({ reporter, progress, kubectl: controlPlane.kubectlPath, folder });
  await check();
  write('\n==> all checks succeeded\n');
} catch (error) {
  write(`\n==> ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
await controlPlane.stop();
await rm(folder, { recursive: true, force: true });
process.exit();
