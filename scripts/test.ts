/** `npm test [JEST ARGUMENTS]`: builds the operator, makes the control plane and the judges ready, runs jest. */
import { spawnSync } from 'node:child_process';
import { ensureBinaries } from '../sandbox/control-plane/binaries.ts';
import { ensureJudgesBinary } from '../test/judges/build.ts';

await import('./build.ts');
const progress = (line: string) => process.stderr.write(`==> ${line}\n`);
await ensureBinaries({ controllerManager: true, progress });
await ensureJudgesBinary({ progress });
const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
const { status } = spawnSync(process.execPath, [...flags, 'node_modules/jest/bin/jest.js', ...process.argv.slice(2)], {
  stdio: 'inherit',
});
process.exit(status ?? 1);
