import { run } from './cluster-run.ts';

/** Stops what the setup started. */
export default async function tearDown(): Promise<void> {
  await run.controlPlane?.stop();
}
