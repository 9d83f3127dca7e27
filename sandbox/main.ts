/** `npm run sandbox`: everything the demo has, without its story, until Ctrl-C. */
import { howToReach, startSandbox, writeForwarding } from './sandbox.ts';
import { untilInterrupted } from './until-interrupted.ts';

await import('../scripts/build.ts');
const interrupted = untilInterrupted();
const sandbox = await startSandbox((line) => process.stdout.write(`==> ${line}\n`));
process.stdout.write(howToReach(sandbox, await writeForwarding(sandbox)));
await interrupted;
process.stdout.write('==> stopping\n');
await sandbox.stop();
