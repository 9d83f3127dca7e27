/** What this machine needs to build and run the image. */
import { spawnSync } from 'node:child_process';

export interface Machine {
  readonly platform: string;
  readonly isRoot: boolean;
  /** Runs a program without input. Returns whether it succeeded, and its output. */
  readonly run: (file: string, args: readonly string[]) => { readonly ok: boolean; readonly output: string };
}

export const thisMachine: Machine = {
  platform: process.platform,
  isRoot: process.getuid?.() === 0,
  run(file, args) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const { status, stdout, stderr } = spawnSync(file, args, {
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return { ok: status === 0, output: `${stdout ?? ''}${stderr ?? ''}` };
  },
};

const installation = ['install', '--yes', '--quiet=2', '--no-install-recommends', 'buildah'];
const installCommand = 'apt-get install --no-install-recommends buildah';

/**
 * Returns a message that says what is missing and what to do. Returns undefined if nothing is missing. With `install`, first tries to install
 * a missing buildah from the packages of Debian or Ubuntu.
 */
export function missingRequirement(
  machine: Machine,
  { install, progress }: { install: boolean; progress: (line: string) => void },
): string | undefined {
  const { platform, isRoot, run } = machine;
  if (platform !== 'linux') return describe(`Linux, but this is ${platform}`, 'Use a virtual machine or a container');
  if (!isRoot) return describe('root, because it changes the root directory of processes', 'Run it as root');
  if (run('buildah', ['--version']).ok) return undefined;
  if (!run('apt-get', ['--version']).ok) {
    return describe('buildah', 'Install it (https://github.com/containers/buildah/blob/main/install.md)');
  }
  if (!install)
    return describe('buildah', `Install it with ${installCommand}, or with npm run test:image -- --prepare`);
  progress('installing buildah with apt-get (about half a minute, once)');
  // The package lists may be outdated, or missing as in new containers.
  const first = run('apt-get', installation);
  const last = first.ok ? first : run('apt-get', ['update', '--quiet=2']).ok ? run('apt-get', installation) : first;
  if (run('buildah', ['--version']).ok) return undefined;
  const output = last.output.trim().split('\n').slice(-5).join('\n');
  return describe(
    'buildah, which apt-get could not install',
    `apt-get printed:\n${output}\nInstall it with ${installCommand} and run the same command again`,
  );
}

function describe(what: string, remedy: string): string {
  return `The image cannot be tested here. The test needs ${what}. ${remedy}, or skip it with .ci/run --without-image.\n`;
}
