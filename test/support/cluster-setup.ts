import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ensureBinaries } from '../../sandbox/control-plane/binaries.ts';
import { startControlPlane } from '../../sandbox/control-plane/control-plane.ts';
import { factsVariable } from './cluster.ts';
import { run } from './cluster-run.ts';

/** Starts the control plane that all tests of the run share, with our custom resource definitions. */
export default async function setUp(): Promise<void> {
  const progress = (line: string) => process.stderr.write(`==> ${line}\n`);
  const binaries = await ensureBinaries({ controllerManager: true, progress });
  const controlPlane = await startControlPlane({ binaries, controllerManager: true, auditLog: true });
  run.controlPlane = controlPlane;
  // Its functions are left out.
  process.env[factsVariable] = JSON.stringify(controlPlane);

  const definitions = fileURLToPath(new URL('../../crds/', import.meta.url));
  if (!existsSync(definitions) || !readdirSync(definitions).some((name) => name.endsWith('.yaml'))) return;
  for (const args of [
    ['apply', '--server-side', '-f', definitions],
    ['wait', '--for=condition=Established', '--timeout=30s', '-f', definitions],
  ]) {
    const { code, stderr } = await controlPlane.kubectl(args);
    if (code !== 0) {
      await controlPlane.stop();
      throw new Error(`kubectl ${args.join(' ')} failed: ${stderr}`);
    }
  }
}
