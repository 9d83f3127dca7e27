/** What it takes to build the image and to run what came out. */
import { spawnSync } from 'node:child_process';

export interface Machine {
  readonly platform: string;
  readonly isRoot: boolean;
  /** Runs a program that asks nobody, and says whether it ended well, with all that it wrote. */
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
const byHand = 'apt-get install --no-install-recommends buildah';

/**
 * Undefined where all is there, else a line or more that say what lacks and what to do. With `install`, buildah is first installed from
 * the packages of Debian or Ubuntu where it is missing and can be.
 */
export function whatLacks(
  machine: Machine,
  { install, progress }: { install: boolean; progress: (line: string) => void },
): string | undefined {
  const { platform, isRoot, run } = machine;
  if (platform !== 'linux')
    return lacking(`Linux, and this is ${platform}`, 'Run it in a virtual machine or a container');
  if (!isRoot) return lacking('root, since it changes the root of processes', 'Run it as root');
  if (run('buildah', ['--version']).ok) return undefined;
  if (!run('apt-get', ['--version']).ok) {
    return lacking('buildah', 'Install it (https://github.com/containers/buildah/blob/main/install.md)');
  }
  if (!install) return lacking('buildah', `Install it: ${byHand}, or npm run test:image -- --prepare`);
  progress('installing buildah (apt-get, about half a minute, once)');
  // The lists of packages may be missing, as in fresh containers, or old.
  const first = run('apt-get', installation);
  const last = first.ok ? first : run('apt-get', ['update', '--quiet=2']).ok ? run('apt-get', installation) : first;
  if (run('buildah', ['--version']).ok) return undefined;
  const said = last.output.trim().split('\n').slice(-5).join('\n');
  return lacking(
    'buildah, which apt-get could not install',
    `Install it (${byHand}). It said:\n${said}\nThen run the same again`,
  );
}

function lacking(what: string, remedy: string): string {
  return `The image cannot be tested here: it takes ${what}. ${remedy}, or leave it out: .ci/run --without-image.\n`;
}
