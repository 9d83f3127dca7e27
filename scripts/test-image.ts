/**
 * `npm run test:image [JEST ARGUMENTS]`: builds the image with buildah, on substitutes for its base images, and runs it.
 * `npm run test:image -- --prepare` only checks the requirements, and installs buildah if it is missing.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBinaries } from '../sandbox/control-plane/binaries.ts';
import { missingRequirement, thisMachine } from './buildah.ts';

const progress = (line: string) => process.stderr.write(`==> ${line}\n`);
const [first, ...rest] = process.argv.slice(2);
const prepareOnly = first === '--prepare' && rest.length === 0;
const missing = missingRequirement(thisMachine, { install: prepareOnly, progress });
if (missing !== undefined) {
  process.stderr.write(missing);
  process.exit(1);
}
if (prepareOnly) process.exit(0);

await ensureBinaries({ progress });
progress('building the image on substitutes for its base images, and running it (about half a minute)');
// The tests and buildah write only into this folder, so nothing remains after a failure.
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

/** Signals the process group of the tests, which includes buildah. */
function end(signal: NodeJS.Signals): void {
  try {
    if (tests.pid !== undefined) process.kill(-tests.pid, signal);
  } catch {
    // All of them have exited.
  }
}
