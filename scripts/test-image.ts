/** `npm run test:image`: builds the image with buildah, on stand-ins for the images that it is based on, and runs what came out. */
import { spawnSync } from 'node:child_process';
import { ensureBinaries } from '../sandbox/control-plane/binaries.ts';

const lacking: string[] = [];
if (process.platform !== 'linux') lacking.push('Linux');
if (process.getuid?.() !== 0) lacking.push('root (it changes the root of processes)');
if (spawnSync('buildah', ['--version']).status !== 0)
  lacking.push('buildah (Debian and Ubuntu: apt-get install buildah)');
if (lacking.length > 0) {
  process.stderr.write(`The image cannot be tested here. It takes ${lacking.join(', and ')}.\n`);
  process.exit(1);
}
await ensureBinaries({ progress: (line) => process.stderr.write(`==> ${line}\n`) });
const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
const jest = ['node_modules/jest/bin/jest.js', '--config=test/image/jest.config.mjs'];
const { status } = spawnSync(process.execPath, [...flags, ...jest, ...process.argv.slice(2)], { stdio: 'inherit' });
process.exit(status ?? 1);
