import { checkRun } from '../e2e/support/run-leaks.ts';
import { run } from './integration-run.ts';

/** Stops the control plane. Fails the run if any output of any test contains a secret. */
export default async function tearDown(): Promise<void> {
  const { controlPlane } = run;
  if (controlPlane === undefined) return;
  const { environments, leaks } = await checkRun(controlPlane.folder);
  await controlPlane.stop();
  if (leaks.length > 0) throw new Error(`output of this run contains secrets: ${leaks.join('; ')}`);
  process.stderr.write(`==> no output of the ${String(environments)} test environments contains a secret of the run\n`);
}
