import { checkRun } from '../e2e/support/run-leaks.ts';
import { run } from './integration-run.ts';

/** Stops what the setup started; fails the run where any secret of any test was said anywhere in it. */
export default async function tearDown(): Promise<void> {
  const { controlPlane } = run;
  if (controlPlane === undefined) return;
  const { environments, leaks } = await checkRun(controlPlane.folder);
  await controlPlane.stop();
  if (leaks.length > 0) throw new Error(`secrets were said in this run: ${leaks.join('; ')}`);
  process.stderr.write(
    `==> looked for every secret of the run in all that was said in ${String(environments)} test environments: none found\n`,
  );
}
