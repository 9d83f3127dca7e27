/**
 * `npm run test:support`: installs the operator and lets it work, with each supported version of kubectl, Helm and Node, on the oldest and on the newest
 * API server. `-- --server VERSION` uses only this API server, and `--only TEXT` runs only the combinations whose names contain this text. Needs
 * Debian or Ubuntu on x64, and Go for the API servers. The exit code is 1 if a combination fails.
 */
import { match } from 'node:assert/strict';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { runKubectl } from '../../sandbox/control-plane/access.ts';
import { ensureBinaries } from '../../sandbox/control-plane/binaries.ts';
import { type ControlPlane, startControlPlane } from '../../sandbox/control-plane/control-plane.ts';
import { messageOf } from '../../sandbox/control-plane/failure.ts';
import { kubernetesVersion } from '../../sandbox/control-plane/go-build.ts';
import { namespace, sandboxData, sandboxSeed } from '../../sandbox/sandbox.ts';
import { startServices } from '../../sandbox/services.ts';
import { ensureProgram } from '../validators/build.ts';
import { type Executable, ensureExecutables } from './executables.ts';
import { helmStory, kubectlStory } from './stories.ts';
import { oldestServer, servers } from './versions.ts';

const write = (text: string) => void process.stdout.write(text);
const progress = (line: string) => write(`==> ${line}\n`);
const { server: wanted, only = '' } = parseArgs({
  options: { server: { type: 'string' }, only: { type: 'string' } },
}).values;
const failures: string[] = [];
let count = 0;
const startedMs = performance.now();

/** Runs one combination. A failure does not keep the others from running. */
async function combination(what: string, run: () => Promise<void>): Promise<void> {
  if (!what.includes(only)) return;
  count += 1;
  const beganMs = performance.now();
  try {
    await run();
    write(`  ✓ ${what} (${((performance.now() - beganMs) / 1_000).toFixed(1)} s)\n`);
  } catch (error) {
    failures.push(what);
    write(`  ✗ ${what}\n${messageOf(error)}\n`);
  }
}

const services = await startServices({ ...sandboxData, seed: sandboxSeed });
try {
  await import('../../scripts/build.ts');
  const binaries = await ensureBinaries({ controllerManager: true, progress });
  const { kubectls, helms, nodes, emulatedNode } = await ensureExecutables(progress);
  const ownNode: Executable = { version: process.version, path: process.execPath };
  const newest: Executable = { version: kubernetesVersion, path: binaries.kubectl };

  const chosen = servers.filter((server) => wanted === undefined || server === wanted);
  if (chosen.length === 0) throw new Error(`--server must be one of ${servers.join(', ')}`);
  for (const server of chosen) {
    const kubeApiserver =
      server === kubernetesVersion ? binaries.kubeApiserver : await ensureProgram(oldestServer, { progress });
    const controlPlane = await startControlPlane({ binaries: { ...binaries, kubeApiserver }, controllerManager: true });
    try {
      write(`\n— kube-apiserver ${await serverVersion(controlPlane, server)}\n`);
      const used = { controlPlane, services };
      await runKubectl(controlPlane, ['create', 'namespace', namespace]);
      for (const helm of helms) await combination(`helm ${helm.version}`, () => helmStory(used, helm));
      for (const kubectl of [...kubectls, newest])
        await combination(`kubectl ${kubectl.version}, Node ${ownNode.version}`, () =>
          kubectlStory(used, kubectl.path, ownNode.path),
        );
      for (const node of nodes)
        await combination(`kubectl ${newest.version}, Node ${node.version}`, () =>
          kubectlStory(used, newest.path, node.path),
        );
      await combination(`kubectl ${newest.version}, Node ${emulatedNode.version} in an emulator`, () =>
        kubectlStory(used, newest.path, emulatedNode.path),
      );
    } finally {
      await controlPlane.stop();
    }
  }
  if (count === 0) failures.push(`no combination has the text ${only}`);
} catch (error) {
  failures.push(messageOf(error));
} finally {
  await services.stop();
}
const seconds = String(Math.round((performance.now() - startedMs) / 1_000));
write(
  failures.length === 0
    ? `\n==> all ${String(count)} combinations succeeded, ${seconds} s\n`
    : `\n==> failed: ${failures.join(', ')}\n`,
);
process.exit(failures.length === 0 ? 0 : 1);

/** Resolves with the version that the API server says. Rejects if it is another one. */
async function serverVersion({ kubectl }: ControlPlane, version: string): Promise<string> {
  const { stdout } = await kubectl(['get', '--raw=/version']);
  match(stdout, new RegExp(`"gitVersion": "${version.replaceAll('.', '\\.')}"`));
  return version;
}
