/**
 * `npm test [JEST ARGUMENTS]`: prepares what the tests need, then runs jest. `--unit`, `--simulation` or `--integration` as the first
 * argument runs only that project, and prepares only what it needs. `--no-rerun` never runs a file a second time.
 */
import { ensureBinaries } from '../sandbox/control-plane/binaries.ts';
import { messageOf } from '../sandbox/control-plane/failure.ts';
import { ensureProgram, programs } from '../test/validators/build.ts';
import { runJest } from './jest.ts';
import { runWithRerun } from './rerun.ts';
import { planTests, projects } from './test-plan.ts';

const noRerun = '--no-rerun';
const userArguments = process.argv.slice(2).filter((argument) => argument !== noRerun);
const [first = '', ...rest] = userArguments;
const project = projects.find((name) => first === `--${name}`);
const jestArguments = project === undefined ? userArguments : [...rest, '--selectProjects', project];
const progress = (line: string) => process.stderr.write(`==> ${line}\n`);

try {
  const plan = await planTests(project);
  for (const line of plan.leftOut) progress(line);
  await import('./build.ts');
  if (plan.controlPlane) await ensureBinaries({ controllerManager: true, progress });
  if (plan.validators) for (const program of programs) await ensureProgram(program, { progress });
  const args = [...jestArguments, ...plan.jestArguments];
  const run = (all: readonly string[]) => runJest(all, plan.env);
  process.exitCode = process.argv.includes(noRerun) ? run(args) : await runWithRerun({ run, args, progress });
  for (const line of plan.leftOut) progress(line);
} catch (error) {
  progress(messageOf(error));
  process.exitCode = 1;
}
