/** `npm run test:peers`: checks the local Konnect and the operator with other clients of Konnect. The exit code is 1 if a check fails. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { startSandbox } from '../../sandbox/sandbox.ts';
import { untilInterrupted } from '../../sandbox/until-interrupted.ts';
import { type PeerTools, readArguments, usage } from './arguments.ts';
import { checkKongctl } from './kongctl-scenario.ts';
import { checkOperator } from './operator-scenario.ts';
import { createReporter } from './reporter.ts';
import { checkTerraform } from './terraform-scenario.ts';

const write = (text: string) => void process.stdout.write(text);

async function checkAll(tools: PeerTools, folder: string): Promise<void> {
  const reporter = createReporter(write);
  if (tools.terraform !== undefined) await checkTerraform({ ...tools.terraform, parent: folder }, reporter);
  if (tools.kongctl !== undefined) await checkKongctl({ kongctl: tools.kongctl, parent: folder }, reporter);
  await import('../../scripts/build.ts');
  const sandbox = await startSandbox((line) => write(`==> ${line}\n`));
  try {
    await checkOperator(tools, sandbox, reporter);
  } catch (error) {
    write(`\nThe operator's log:\n${await sandbox.operator.output()}`);
    throw error;
  } finally {
    await sandbox.stop();
  }
}

async function interruption(): Promise<never> {
  await untilInterrupted();
  throw new Error('interrupted');
}

async function toolsOrExit(): Promise<PeerTools> {
  try {
    return await readArguments(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return process.exit(2);
  }
}

const tools = await toolsOrExit();
const folder = await mkdtemp(join(tmpdir(), 'peers-'));
const startedMs = performance.now();
try {
  await Promise.race([checkAll(tools, folder), interruption()]);
  write(`\n==> all checks succeeded, ${Math.round((performance.now() - startedMs) / 1_000)} s\n`);
} catch (error) {
  write(`\n==> ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
await rm(folder, { recursive: true, force: true });
process.exit();
