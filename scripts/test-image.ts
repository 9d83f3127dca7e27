/**
 * `npm run test:image [JEST ARGUMENTS]`: builds the image with buildah, on stand-ins for the images that it is based on, and runs what
 * came out. `npm run test:image -- --prepare` only sees to it that this can be done, and installs buildah for it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBinaries } from '../sandbox/control-plane/binaries.ts';
import { thisMachine, whatLacks } from './buildah.ts';

const progress = (line: string) => process.stderr.write(`==> ${line}\n`);
const [first, ...rest] = process.argv.slice(2);
const prepareOnly = first === '--prepare' && rest.length === 0;
const lacks = whatLacks(thisMachine, { install: prepareOnly, progress });
if (lacks !== undefined) {
  process.stderr.write(lacks);
  process.exit(1);
}
if (prepareOnly) process.exit(0);

await ensureBinaries({ progress });
progress('building the image on stand-ins for its bases, and running it (about half a minute)');
// All that the tests and buildah write is in here, so that nothing is left behind whatever ends them.
const folder = await mkdtemp(join(tmpdir(), 'image-test-'));
const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
const jest = ['node_modules/jest/bin/jest.js', '--config=test/image/jest.config.mjs'];
const tests = spawn(process.execPath, [...flags, ...jest, ...process.argv.slice(2)], {
  env: { ...process.env, TMPDIR: folder },
  stdio: ['ignore', 'inherit', 'inherit'],
  detached: true,
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => end(signal));
const [code] = await once(tests, 'exit');
end('SIGKILL');
await rm(folder, { recursive: true, force: true, maxRetries: 10 });
process.exit(typeof code === 'number' ? code : 1);

/** The tests with all that they started: buildah as well. */
function end(signal: NodeJS.Signals): void {
  try {
    if (tests.pid !== undefined) process.kill(-tests.pid, signal);
  } catch {
    // None of them is left.
  }
}
