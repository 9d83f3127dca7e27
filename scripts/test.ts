/**
 * `npm test [JEST ARGUMENTS]`: prepares what the tests need, then runs jest. `--unit`, `--simulation` or `--integration` as the first
 * argument runs only that project, and prepares only what it needs.
 */
import { spawnSync } from 'node:child_process';
import { ensureBinaries } from '../sandbox/control-plane/binaries.ts';
import { ensureJudgesBinary } from '../test/validators/build.ts';

const projects = ['unit', 'simulation', 'integration'];
const [first = '', ...rest] = process.argv.slice(2);
const project = projects.find((name) => first === `--${name}`);
const jestArguments = project === undefined ? process.argv.slice(2) : [...rest, '--selectProjects', project];

await import('./build.ts');
const progress = (line: string) => process.stderr.write(`==> ${line}\n`);
if (project === undefined || project === 'integration') await ensureBinaries({ controllerManager: true, progress });
if (project !== 'simulation') await ensureJudgesBinary({ progress });
const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
const { status } = spawnSync(process.execPath, [...flags, 'node_modules/jest/bin/jest.js', ...jestArguments], {
  stdio: 'inherit',
});
process.exit(status ?? 1);
