/** `npm run test:peers`: holds the local Konnect, and the operator, against other people's clients of Konnect. Exit code 0 only if all of it holds. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { startSandbox } from '../../sandbox/sandbox.ts';
import { untilInterrupted } from '../../sandbox/until-interrupted.ts';
import { type PeerTools, readArguments, usage } from './arguments.ts';
import { tellKongctl } from './kongctl-scenario.ts';
import { tellOperator } from './operator-scenario.ts';
import { createTeller } from './reporter.ts';
import { tellTerraform } from './terraform-scenario.ts';

const write = (text: string) => void process.stdout.write(text);

async function tell(tools: PeerTools, folder: string): Promise<void> {
  const teller = createTeller(write);
  if (tools.terraform !== undefined) await tellTerraform({ ...tools.terraform, parent: folder }, teller);
  if (tools.kongctl !== undefined) await tellKongctl({ kongctl: tools.kongctl, parent: folder }, teller);
  await import('../../scripts/build.ts');
  const sandbox = await startSandbox((line) => write(`==> ${line}\n`));
  try {
    await tellOperator(tools, sandbox, teller);
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
  await Promise.race([tell(tools, folder), interruption()]);
  write(`\n==> all of it holds, ${Math.round((performance.now() - startedMs) / 1_000)} s\n`);
} catch (error) {
  write(`\n==> ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
await rm(folder, { recursive: true, force: true });
process.exit();
