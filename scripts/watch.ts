/** `npm run test:watch [JEST ARGUMENTS]`: reruns the unit tests that a saved file affects. Does not build anything first. */
import { spawnSync } from 'node:child_process';

const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
const jest = ['node_modules/jest/bin/jest.js', '--watch', '--selectProjects', 'unit', ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, [...flags, ...jest], { stdio: 'inherit' });
process.exit(status ?? 1);
