/**
 * `node scripts/run.mjs FILE [ARGUMENTS]`: installs missing dependencies, then runs a TypeScript file on Node 24.
 * `node scripts/run.mjs [--hooks]` only installs them. With `--hooks`, it also makes git run the hooks in `.githooks`.
 * Plain JavaScript without dependencies, because it runs before they are installed, on Node 20 or newer.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const requiredNode = 24;

/** Returns whether npm has installed what package-lock.json says. npm writes its record last, so a partial installation has none. */
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
    'npm ci failed, see the output above. Check the connection to the npm registry, then run the same command again.\n',
  );
  process.exit(npm.status ?? 1);
}

function findNode() {
  if (Number.parseInt(process.versions.node, 10) >= requiredNode) return process.execPath;
  const packaged = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (existsSync(packaged)) return packaged;
  process.stderr.write(
    `This is Node ${process.version}. The project needs Node ${requiredNode}, and npm has no package of it for ` +
      `${process.platform}-${process.arch}. Install Node ${requiredNode} (https://nodejs.org) and run the same command again.\n`,
  );
  return process.exit(1);
}

function activateHooks() {
  const git = spawnSync('git', ['config', 'core.hooksPath', '.githooks'], { cwd: root, stdio: 'inherit' });
  if (git.status !== 0) process.exit(1);
  process.stderr.write(
    '==> git runs .githooks/pre-commit at each commit; to stop it: git config --unset core.hooksPath\n',
  );
}

installDependencies();
const [file, ...rest] = process.argv.slice(2);
if (file === '--hooks') activateHooks();
else if (file !== undefined) {
  const child = spawn(findNode(), ['--disable-warning=ExperimentalWarning', join(root, file), ...rest], {
    cwd: root,
    stdio: 'inherit',
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)));
}
