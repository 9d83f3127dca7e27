/** `npm run demo [-- --keep]`: shows the operator's main job with real commands. The exit code is 0 only if every check passed. */

import { messageOf } from './control-plane/failure.ts';
import { runDemoSteps } from './demo-steps.ts';
import { createDemoTerminal } from './demo-terminal.ts';
import { startSandbox, usage, writeForwarding } from './sandbox.ts';
import { untilInterrupted } from './until-interrupted.ts';

const keep = process.argv.includes('--keep');
const write = (text: string) => void process.stdout.write(text);
const startedMs = performance.now();
const interrupted = untilInterrupted();

await import('../scripts/build.ts');
const sandbox = await startSandbox((line) => write(`==> ${line}\n`)).catch((error: unknown) => {
  write(`==> ${messageOf(error)}\n`);
  return process.exit(1);
});
let failed = false;
try {
  const file = await writeForwarding(sandbox);
  await Promise.race([
    runDemoSteps(sandbox, createDemoTerminal(sandbox.controlPlane, write), file),
    interrupted.then(() => Promise.reject(new Error('interrupted'))),
  ]);
  write(`\n==> every check passed, ${String(Math.round((performance.now() - startedMs) / 1000))} s\n`);
  if (keep) {
    write(usage(sandbox, sandbox.operator, file));
    await interrupted;
  }
} catch (error) {
  failed = true;
  write(`\n==> failed: ${messageOf(error)}\n\nThe operator's log:\n`);
  write(await sandbox.operator.output());
}
write('==> stopping\n');
await sandbox.stop();
process.exit(failed ? 1 : 0);
