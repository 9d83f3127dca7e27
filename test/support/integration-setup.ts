import { ensureBinaries } from '../../sandbox/control-plane/binaries.ts';
import { startControlPlane } from '../../sandbox/control-plane/control-plane.ts';
import { install } from '../../sandbox/sandbox.ts';
import { factsVariable } from './cluster.ts';
import { run } from './integration-run.ts';

/** Starts the control plane that all tests of the run share, with the objects of `deploy/`. */
export default async function setUp(): Promise<void> {
  const progress = (line: string) => process.stderr.write(`==> ${line}\n`);
  const binaries = await ensureBinaries({ controllerManager: true, progress });
  const controlPlane = await startControlPlane({ binaries, controllerManager: true, auditLog: true });
  run.controlPlane = controlPlane;
  // JSON omits its functions.
  process.env[factsVariable] = JSON.stringify(controlPlane);

  try {
    await install(controlPlane);
  } catch (error) {
    await controlPlane.stop();
    throw error;
  }
}
