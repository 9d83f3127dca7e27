import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { output, type Result, run } from '../../../scripts/programs.ts';
import { makeBase, makeBuilder } from './stand-ins.ts';

const Configuration = z.looseObject({
  OCIv1: z.object({
    config: z.looseObject({
      User: z.string(),
      Entrypoint: z.array(z.string()),
      Cmd: z.array(z.string()).nullish(),
      Labels: z.record(z.string(), z.string()),
    }),
    rootfs: z.object({ diff_ids: z.array(z.string()) }),
  }),
});
export type Configuration = z.infer<typeof Configuration>['OCIv1'];

export interface Image {
  readonly configuration: Configuration;
  readonly baseConfiguration: Configuration;
  /** The folder with the files of the image, as a container sees them. */
  readonly root: string;
  readonly baseRoot: string;
  /** Returns a command that runs the entry point as the image's user, on a read-only root, without the environment of the tests. */
  readonly command: (args: readonly string[], env?: Readonly<Record<string, string>>) => [file: string, args: string[]];
  /** Runs the entry point with `args` until it exits. */
  readonly run: (args: readonly string[]) => Promise<Result>;
  /** Removes all files and containers of the build. */
  readonly remove: () => Promise<void>;
}

const context = fileURLToPath(new URL('../../../', import.meta.url));
const buildWithinMs = 600_000;

/** Builds the whole Dockerfile on replacements of its base images, in a separate storage. */
export async function buildImage(): Promise<Image> {
  const folder = await mkdtemp(join(tmpdir(), 'image-test-'));
  const storage = ['--storage-driver=vfs', `--root=${join(folder, 'storage')}`, `--runroot=${join(folder, 'run')}`];
  const buildah = (...args: readonly string[]) => output('buildah', [...storage, ...args], buildWithinMs);
  const remove = async () => {
    await run('buildah', [...storage, 'rm', '--all']);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    for (const [name, make] of [
      ['base', makeBase],
      ['builder', makeBuilder],
    ] as const) {
      const source = join(folder, name);
      await mkdir(source);
      await make(source);
      await buildah(
        'bud',
        '--isolation=chroot',
        '-q',
        `--tag=localhost/${name}`,
        `--file=${source}/Containerfile`,
        source,
      );
    }
    const standIns = ['--build-arg=BASE=localhost/base', '--build-arg=BUILD=localhost/builder'];
    await buildah('bud', '--isolation=chroot', '--pull-never', '-q', ...standIns, '--tag=localhost/operator', context);

    const mount = async (image: string) =>
      buildah('mount', await buildah('from', '--pull-never', `localhost/${image}`));
    const inspect = async (image: string) =>
      Configuration.parse(JSON.parse(await buildah('inspect', '--type=image', `localhost/${image}`))).OCIv1;
    const root = await mount('operator');
    const configuration = await inspect('operator');
    const command: Image['command'] = (args, env = {}) => {
      const variables = Object.entries({ PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...env }).map(
        ([name, value]) => `${name}=${value}`,
      );
      const inside = ['env', '-i', ...variables, 'chroot', `--userspec=${configuration.config.User}`, root];
      return [
        'unshare',
        ['--mount', 'sh', '-c', readOnly, 'sh', root, ...inside, ...configuration.config.Entrypoint, ...args],
      ];
    };
    return {
      configuration,
      baseConfiguration: await inspect('base'),
      root,
      baseRoot: await mount('base'),
      command,
      run: (args) => run(...command(args)),
      remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** A shell script for a separate mount namespace. It makes the folder `$1` read-only, then executes the rest of its arguments. */
const readOnly = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"';

/** Writes a file into the root of an image. The user of the image can read it. */
export async function putFile(image: Image, path: string, content: string): Promise<void> {
  await writeFile(join(image.root, path), content, { mode: 0o644 });
}
