/**
 * Makes a fresh clone ready and runs a TypeScript file of ours on Node 24: `node scripts/run.mjs FILE [ARGUMENTS]`.
 * Plain JavaScript without a dependency, since it runs on whatever Node (20 or newer) called it, before anything is installed.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const newestNeeded = 24;

/** True where npm has installed what package-lock.json says. npm writes its own record last, so half an installation has none. */
function isInstalled() {
  const record = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const installed = JSON.parse(readFileSync(record, 'utf8')).packages;
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(wanted).every(
    ([path, { version, optional }]) => path === '' || optional === true || installed[path]?.version === version,
  );
}

function installDependencies() {
  if (isInstalled()) return;
  process.stderr.write('==> installing dependencies (npm ci, about half a minute, once)\n');
  const npm = spawnSync(process.platform === 'win32' ? 'npm.cmd' : 'npm', ['ci', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (npm.status === 0) return;
  process.stderr.write(
    'npm ci failed: see above. Check that the npm registry can be reached, then run the same command again.\n',
  );
  process.exit(npm.status ?? 1);
}

function findNode() {
  if (Number.parseInt(process.versions.node, 10) >= newestNeeded) return process.execPath;
  const packaged = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (existsSync(packaged)) return packaged;
  process.stderr.write(
    `This is Node ${process.version}; the project runs on Node ${newestNeeded}, and npm has no package of it for ` +
      `${process.platform}-${process.arch}. Install Node ${newestNeeded} (https://nodejs.org) and run the same command again.\n`,
  );
  return process.exit(1);
}

installDependencies();
const [file, ...rest] = process.argv.slice(2);
if (file !== undefined) {
  const child = spawn(findNode(), ['--disable-warning=ExperimentalWarning', join(root, file), ...rest], {
    cwd: root,
    stdio: 'inherit',
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)));
}
