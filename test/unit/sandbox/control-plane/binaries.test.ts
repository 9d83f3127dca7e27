import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Archive } from '../../../../sandbox/control-plane/archive.ts';
import { cacheFolder, ensureBinaries, type Machine } from '../../../../sandbox/control-plane/binaries.ts';

const threeNames = ['etcd', 'kube-apiserver', 'kubectl'];

let folder: string;
let cache: string;
let said: string[];
let server: Server | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'binaries-test-'));
  cache = join(folder, 'cache');
  said = [];
});

afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
  await rm(folder, { recursive: true });
});

function machine(overrides: Partial<Machine> = {}, env: Record<string, string> = {}): Machine {
  const nothing = { PATH: join(folder, 'bin'), KONNECT_AUDIT_LOG_CACHE: cache };
  return { platform: 'linux', arch: 'x64', archive: undefined, ...overrides, env: { ...nothing, ...env } };
}

function ensure(on: Machine, options: { controllerManager?: boolean; signal?: AbortSignal } = {}) {
  return ensureBinaries({ ...options, progress: (line) => said.push(line) }, on);
}

async function putExecutables(path: string, names: readonly string[] = threeNames): Promise<void> {
  await mkdir(path, { recursive: true });
  for (const name of names) await writeFile(join(path, name), '#!/bin/sh\n', { mode: 0o755 });
}

/** A `go` that knows its version and "builds" a file for each package. */
async function putGo(version: string, build = ''): Promise<void> {
  const bin = join(folder, 'bin');
  await mkdir(bin, { recursive: true });
  await writeFile(
    join(bin, 'go'),
    `#!/bin/sh
PATH=/usr/bin:/bin
echo "$@" >> ${folder}/go-calls
case "$1" in
env) echo ${version} ;;
list) echo k8s.io/one; echo k8s.io/two; echo k8s.io/three ;;
build)
  ${build}
  while [ "$1" != -o ]; do shift; done
  target=$2
  shift 2
  echo k8s.io/one >&2
  for package in "$@"; do
    name=$(basename "$package")
    [ "$name" = v3 ] && name=server
    echo built > "$target$name"
    chmod 755 "$target$name"
  done ;;
esac
`,
    { mode: 0o755 },
  );
}

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}

function tarGz(files: Readonly<Record<string, string>>): Buffer {
  const blocks: Buffer[] = [];
  for (const [path, content] of Object.entries(files)) {
    const header = Buffer.alloc(512);
    header.write(path, 0);
    header.write(Buffer.byteLength(content).toString(8).padStart(11, '0'), 124);
    header.write(path.endsWith('/') ? '5' : '0', 156);
    const body = Buffer.alloc(Math.ceil(Buffer.byteLength(content) / 512) * 512);
    body.write(content);
    blocks.push(header, body);
  }
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

function archiveAt(url: string, packed: Buffer): Archive {
  return { version: 'v0.0.1', url, sha512: createHash('sha512').update(packed).digest('hex') };
}

const packedThree = tarGz({
  'controller-tools/': '',
  'controller-tools/envtest/etcd': 'an etcd',
  'controller-tools/envtest/kube-apiserver': 'a server'.repeat(1000),
  'controller-tools/envtest/kubectl': 'a kubectl',
  'controller-tools/envtest/README': 'not wanted',
});

describe('the executables of a control plane', () => {
  test('are those of KUBEBUILDER_ASSETS before all others', async () => {
    await putExecutables(join(folder, 'assets'));
    await putExecutables(join(cache, 'kubernetes-v1.37.2-linux-x64'));
    const assets = join(folder, 'assets');
    await expect(ensure(machine({}, { KUBEBUILDER_ASSETS: assets }))).resolves.toEqual({
      etcd: join(assets, 'etcd'),
      kubeApiserver: join(assets, 'kube-apiserver'),
      kubectl: join(assets, 'kubectl'),
    });
    expect(said).toEqual([]);
  });

  test('are not looked for elsewhere when KUBEBUILDER_ASSETS is wrong', async () => {
    await putExecutables(join(folder, 'assets'), ['etcd', 'kubectl']);
    await chmod(join(folder, 'assets', 'kubectl'), 0o644);
    await expect(ensure(machine({}, { KUBEBUILDER_ASSETS: join(folder, 'assets') }))).rejects.toThrow(
      /KUBEBUILDER_ASSETS is .*assets, which has no executable kube-apiserver, kubectl/,
    );
  });

  test('come from the cache next, without a word', async () => {
    await putExecutables(join(cache, 'kubernetes-v1.37.2-linux-x64'));
    const { etcd } = await ensure(machine());
    expect(etcd).toBe(join(cache, 'kubernetes-v1.37.2-linux-x64', 'etcd'));
    expect(said).toEqual([]);
  });

  test('of another version, platform or architecture in the cache are not taken', async () => {
    for (const name of [
      'kubernetes-v1.37.1-linux-x64',
      'kubernetes-v1.37.2-darwin-x64',
      'kubernetes-v1.37.2-linux-arm64',
    ]) {
      await putExecutables(join(cache, name));
    }
    await expect(ensure(machine())).rejects.toThrow(/there is no way to get them/);
  });

  test('are downloaded, checked and unpacked once', async () => {
    let requests = 0;
    const url = await serve((_, response) => {
      requests += 1;
      response.end(packedThree);
    });
    const on = machine({ archive: archiveAt(url, packedThree) });
    const { kubeApiserver, kubectl } = await ensure(on);
    await expect(readFile(kubeApiserver, 'utf8')).resolves.toBe('a server'.repeat(1000));
    expect((await stat(kubectl)).mode & 0o111).not.toBe(0);
    await ensure(on);
    expect(requests).toBe(1);
    await expect(readdir(cache)).resolves.toEqual(['envtest-v0.0.1-linux-x64']);
    await expect(readdir(join(cache, 'envtest-v0.0.1-linux-x64'))).resolves.toEqual(threeNames);
  });

  test('are downloaded once by several that want them at the same time', async () => {
    let requests = 0;
    const url = await serve((_, response) => {
      requests += 1;
      response.end(packedThree);
    });
    const on = machine({ archive: archiveAt(url, packedThree) });
    const [first, ...others] = await Promise.all([ensure(on), ensure(on), ensure(on)]);
    for (const other of others) expect(other).toEqual(first);
    expect(requests).toBe(1);
  });

  test('are not unpacked when the checksum is another one', async () => {
    const url = await serve((_, response) =>
      response.end(tarGz({ etcd: 'evil', 'kube-apiserver': 'evil', kubectl: 'evil' })),
    );
    await expect(ensure(machine({ archive: archiveAt(url, packedThree) }))).rejects.toThrow(
      /not the pinned [0-9a-f]{128}/,
    );
    await expect(readdir(cache)).resolves.toEqual([]);
  });

  test.each([
    ['lacks one', tarGz({ etcd: 'an etcd' }), /does not contain kube-apiserver, kubectl/],
    ['is cut off', gzipSync(tarHead('etcd', 10_000)), /the archive is damaged/],
    ['is no archive', Buffer.from('hello'), /incorrect header check/],
  ])('are refused from an archive that %s', async (_, packed, message) => {
    const url = await serve((__, response) => response.end(packed));
    await expect(ensure(machine({ archive: archiveAt(url, packed) }))).rejects.toThrow(message);
    await expect(readdir(cache)).resolves.toEqual([]);
  });

  test('are built where they cannot be downloaded', async () => {
    await putGo('go1.26.8');
    const url = await serve((_, response) => {
      response.statusCode = 404;
      response.end();
    });
    const built = await ensure(machine({ archive: archiveAt(url, packedThree) }));
    expect(built.etcd).toBe(join(cache, 'kubernetes-v1.37.2-linux-x64', 'etcd'));
    await expect(readdir(cache)).resolves.toEqual(['kubernetes-v1.37.2-linux-x64']);
    expect(said.join('\n')).toMatch(/answered 404[^]*building etcd, kube-apiserver, kubectl[^]*about \d+ min[^]*built/);
  });

  test('are completed by kube-controller-manager, which no official archive contains', async () => {
    await putGo('go1.26.8');
    const url = await serve((_, response) => response.end(packedThree));
    const found = await ensure(machine({ archive: archiveAt(url, packedThree) }), { controllerManager: true });
    expect(found).toMatchObject({
      etcd: join(cache, 'envtest-v0.0.1-linux-x64', 'etcd'),
      kubeControllerManager: join(cache, 'kubernetes-v1.37.2-linux-x64', 'kube-controller-manager'),
    });
    const calls = await readFile(join(folder, 'go-calls'), 'utf8');
    expect(calls).toContain('k8s.io/kubernetes/cmd/kube-controller-manager');
    expect(calls).not.toContain('kube-apiserver');
  });

  test('leave nothing half done when the build fails, and the compiler’s words are told', async () => {
    await putGo('go1.26.8', 'echo "no space left" >&2; exit 1');
    await expect(ensure(machine())).rejects.toThrow(/go build failed:\nno space left/);
    await expect(readdir(cache)).resolves.toEqual([]);
  });

  test('clear away what a killed run left', async () => {
    await putGo('go1.26.8');
    await putExecutables(join(cache, 'making-abc'), ['etcd']);
    await ensure(machine());
    await expect(readdir(cache)).resolves.toEqual(['kubernetes-v1.37.2-linux-x64']);
  });

  test('stop being made when aborted', async () => {
    await putGo('go1.26.8', 'exec sleep 60');
    const abort = new AbortController();
    const making = ensureBinaries(
      { signal: abort.signal, progress: (line) => line.startsWith('building') && abort.abort() },
      machine(),
    );
    await expect(making).rejects.toMatchObject({ name: 'AbortError' });
    await expect(readdir(cache)).resolves.toEqual([]);
  });
});

describe('without any way to get the executables', () => {
  test('one message names what failed and each way out', async () => {
    const unreachable = { version: 'v0.0.1', url: 'http://127.0.0.1:1/', sha512: '' };
    const failure = ensure(machine({ archive: unreachable }));
    await expect(failure).rejects.toThrow(/127\.0\.0\.1:1 cannot be reached/);
    await expect(failure).rejects.toThrow(/Go is not installed/);
    await expect(failure).rejects.toThrow(/install Go 1\.26 or newer/);
    await expect(failure).rejects.toThrow(/set KUBEBUILDER_ASSETS/);
    await expect(failure).rejects.toThrow(/KONNECT_AUDIT_LOG_CACHE/);
  });

  test('an old Go is called by its version', async () => {
    await putGo('go1.20.3');
    await expect(ensure(machine())).rejects.toThrow(/found go1\.20\.3, but Go 1\.26 or newer is required/);
  });
});

test('the cache is outside the clone, and can be put elsewhere', () => {
  expect(cacheFolder({ env: { KONNECT_AUDIT_LOG_CACHE: '/mine', XDG_CACHE_HOME: '/xdg' } })).toBe('/mine');
  expect(cacheFolder({ env: { XDG_CACHE_HOME: '/xdg' } })).toBe('/xdg/konnect-audit-log-operator');
  expect(cacheFolder({ env: {} })).toMatch(/\/\.cache\/konnect-audit-log-operator$/);
});

function tarHead(path: string, size: number): Buffer {
  const header = Buffer.alloc(512);
  header.write(path, 0);
  header.write(size.toString(8).padStart(11, '0'), 124);
  header.write('0', 156);
  return header;
}
