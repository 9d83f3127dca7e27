/** `npm run sandbox`: the environment of the demo without its steps. Runs until Ctrl-C. */
import { startSandbox, usage, writeForwarding } from './sandbox.ts';
import { untilInterrupted } from './until-interrupted.ts';

await import('../scripts/build.ts');
const interrupted = untilInterrupted();
const sandbox = await startSandbox((line) => process.stdout.write(`==> ${line}\n`));
process.stdout.write(usage(sandbox, await writeForwarding(sandbox)));
await interrupted;
process.stdout.write('==> stopping\n');
await sandbox.stop();
