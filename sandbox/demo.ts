/** `npm run demo [-- --keep]`: the operator's main job, told with real commands. Exit code 0 only if each step was seen to hold. */

import { createNarrator } from './demo-terminal.ts';
import { howToReach, startSandbox, writeForwarding } from './sandbox.ts';
import { tellStory } from './demo-steps.ts';
import { untilInterrupted } from './until-interrupted.ts';

const keep = process.argv.includes('--keep');
const write = (text: string) => void process.stdout.write(text);
const startedMs = performance.now();
const interrupted = untilInterrupted();

await import('../scripts/build.ts');
const sandbox = await startSandbox((line) => write(`==> ${line}\n`));
let failed = false;
try {
  const file = await writeForwarding(sandbox);
  const told = tellStory(sandbox, createNarrator(sandbox.controlPlane, write), file);
  const ended = await Promise.race([told.then(() => 'told' as const), interrupted.then(() => 'interrupted' as const)]);
  if (ended === 'interrupted') throw new Error('interrupted');
  write(`\n==> every step was seen to hold, ${String(Math.round((performance.now() - startedMs) / 1000))} s\n`);
  if (keep) {
    write(howToReach(sandbox, file));
    await interrupted;
  }
} catch (error) {
  failed = true;
  write(`\n==> failed: ${error instanceof Error ? error.message : String(error)}\n\nThe operator's log:\n`);
  write(await sandbox.operator.output());
}
write('==> stopping\n');
await sandbox.stop();
process.exit(failed ? 1 : 0);
