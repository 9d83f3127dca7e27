/** `npm run sandbox`: the environment of the demo without its steps. Runs until Ctrl-C. */
import { messageOf } from './control-plane/failure.ts';
import { startSandbox, usage, writeForwarding } from './sandbox.ts';
import { untilInterrupted } from './until-interrupted.ts';

await import('../scripts/build.ts');
const write = (line: string) => void process.stdout.write(`==> ${line}\n`);
const sandbox = await startSandbox(write).catch((error: unknown) => {
  write(messageOf(error));
  return process.exit(1);
});
process.stdout.write(usage(sandbox, sandbox.operator, await writeForwarding(sandbox)));
await untilInterrupted();
write('stopping');
await sandbox.stop();
