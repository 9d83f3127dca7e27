/** `npm test [JEST ARGUMENTS]`: builds the operator, makes the control plane's binaries ready, runs jest. */
import { spawnSync } from 'node:child_process';
import { ensureBinaries } from '../sandbox/control-plane/binaries.ts';

await import('./build.ts');
await ensureBinaries({ controllerManager: true, progress: (line) => process.stderr.write(`==> ${line}\n`) });
const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
const { status } = spawnSync(process.execPath, [...flags, 'node_modules/jest/bin/jest.js', ...process.argv.slice(2)], {
  stdio: 'inherit',
});
process.exit(status ?? 1);
