/** Builds replacements of the Dockerfile's base images from the programs of this machine, so that no image is pulled. */
import { cp, mkdir, realpath, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { output } from '../../../scripts/programs.ts';

/** Writes a base image like distroless. It has Node and its libraries, and no shell. */
export async function makeBase(folder: string): Promise<void> {
  await putProgram(folder, process.execPath, '/nodejs/bin/node');
  await mkdir(join(folder, 'tmp'), { recursive: true, mode: 0o1777 });
  await writeFile(
    join(folder, 'Containerfile'),
    'FROM scratch\nCOPY . /\nUSER 65532\nENTRYPOINT ["/nodejs/bin/node"]\n',
  );
}

/** Writes a builder image with Node, npm and a shell. It trusts the same authorities as this machine, to reach the npm registry. */
export async function makeBuilder(folder: string): Promise<void> {
  await putProgram(folder, process.execPath, '/usr/bin/node');
  for (const program of ['sh', 'env', 'cp', 'mkdir']) await putProgram(folder, await which(program), `/bin/${program}`);
  const npm = dirname(dirname(await realpath(await which('npm'))));
  await cp(npm, join(folder, 'npm'), { recursive: true });
  await put(folder, '/usr/bin/npm', '#!/bin/sh\nexec /usr/bin/node /npm/bin/npm-cli.js "$@"\n');
  await mkdir(join(folder, 'tmp'), { mode: 0o1777 });
  const authorities = process.env['NODE_EXTRA_CA_CERTS'];
  if (authorities !== undefined) await copy(folder, authorities, '/authorities.pem');
  const trust =
    authorities === undefined ? '' : 'ENV NODE_EXTRA_CA_CERTS=/authorities.pem NPM_CONFIG_CAFILE=/authorities.pem\n';
  const registry = await output('npm', ['config', 'get', 'registry', '--loglevel=error']);
  await writeFile(
    join(folder, 'Containerfile'),
    `FROM scratch\nCOPY . /\nENV PATH=/usr/bin:/bin HOME=/tmp NPM_CONFIG_REGISTRY=${registry}\n${trust}`,
  );
}

async function which(program: string): Promise<string> {
  return output('sh', ['-c', `command -v ${program}`]);
}

/** Copies a program and the libraries that `ldd` names, to the paths where the loader searches for them. */
async function putProgram(folder: string, from: string, to: string): Promise<void> {
  await copy(folder, from, to);
  const libraries = await output('ldd', [from]);
  for (const [, library = ''] of libraries.matchAll(/(?:=>\s+|^\s*)(\/\S+) \(0x/gm))
    await copy(folder, library, library);
}

async function copy(folder: string, from: string, to: string): Promise<void> {
  await mkdir(dirname(join(folder, to)), { recursive: true });
  await cp(await realpath(from), join(folder, to));
}

async function put(folder: string, path: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), text, { mode: 0o755 });
}
