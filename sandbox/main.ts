/** `npm run sandbox`: the environment of the demo without its steps. Runs until Ctrl-C. */
import { startSandbox, usage, writeForwarding } from './sandbox.ts';
import { untilInterrupted } from './until-interrupted.ts';

await import('../scripts/build.ts');
const sandbox = await startSandbox((line) => process.stdout.write(`==> ${line}\n`));
process.stdout.write(usage(sandbox, sandbox.operator, await writeForwarding(sandbox)));
await untilInterrupted();
process.stdout.write('==> stopping\n');
await sandbox.stop();
