/**
 * `npm run dev [-- [--inspect] FLAGS]`: the sandbox with the operator from its sources, which restarts when a source is saved. Runs until Ctrl-C.
 * FLAGS are flags of the operator. With `--inspect`, the operator lets a debugger attach on port 9229.
 */
import { startSandboxWithoutOperator, usage, verificationFlags, writeForwarding } from './sandbox.ts';
import { untilInterrupted } from './until-interrupted.ts';
import { watchOperator } from './watched-operator.ts';

const progress = (line: string) => void process.stdout.write(`==> ${line}\n`);
const sandbox = await startSandboxWithoutOperator(progress);
const { kubeconfig, services } = sandbox;
const [first, ...rest] = process.argv.slice(2);
const isInspected = first === '--inspect';
const operator = await watchOperator(
  {
    kubeconfig,
    konnectURL: services.konnect.urlTemplate,
    nodeOptions: isInspected ? ['--inspect'] : [],
    flags: [...verificationFlags(services), ...(isInspected ? rest : process.argv.slice(2))],
  },
  progress,
);
process.stdout.write(usage(sandbox, operator, await writeForwarding(sandbox)));
await untilInterrupted();
progress('stopping');
await operator.stop();
await sandbox.stop();
