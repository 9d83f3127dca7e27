import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Archive } from '../../../../sandbox/control-plane/archive.ts';
import { cacheFolder, ensureBinaries, type Machine } from '../../../../sandbox/control-plane/binaries.ts';
import { type HTTPServer, startHTTPServer } from '../../../support/http-server.ts';
import { tarball, tarHeader } from '../../../support/tarball.ts';

const threeNames = ['etcd', 'kube-apiserver', 'kubectl'];

let folder: string;
let cache: string;
let said: string[];
let server: HTTPServer | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'binaries-test-'));
  cache = join(folder, 'cache');
  said = [];
});

afterEach(async () => {
  server?.stop();
  server = undefined;
  await rm(folder, { recursive: true });
});

function machine(overrides: Partial<Machine> = {}, env: Record<string, string> = {}): Machine {
  const nothing = { PATH: join(folder, 'bin'), KONNECT_AUDIT_LOG_CACHE: cache };
  return { platform: 'linux', arch: 'x64', archives: [], ...overrides, env: { ...nothing, ...env } };
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
  server = await startHTTPServer(listener);
  return server.url;
}

function envtestAt(url: string, packed: Buffer): Archive {
  return { name: 'envtest', version: 'v0.0.1', executables: threeNames, url, checksum: sha512(packed) };
}

function serverAt(url: string, packed: Buffer): Archive {
  const executables = ['kube-controller-manager'];
  return { name: 'kubernetes-server', version: 'v0.0.2', executables, url, checksum: sha512(packed) };
}

function sha512(packed: Buffer): Archive['checksum'] {
  return `sha512:${createHash('sha512').update(packed).digest('hex')}`;
}

const packedThree = tarball({
  'controller-tools/': '',
  'controller-tools/envtest/etcd': 'an etcd',
  'controller-tools/envtest/kube-apiserver': 'a server'.repeat(1000),
  'controller-tools/envtest/kubectl': 'a kubectl',
  'controller-tools/envtest/README': 'not wanted',
});

describe('the executables of a control plane', () => {
  test('come from KUBEBUILDER_ASSETS first', async () => {
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

  test('are not searched elsewhere if KUBEBUILDER_ASSETS is invalid', async () => {
    await putExecutables(join(folder, 'assets'), ['etcd', 'kubectl']);
    await chmod(join(folder, 'assets', 'kubectl'), 0o644);
    await expect(ensure(machine({}, { KUBEBUILDER_ASSETS: join(folder, 'assets') }))).rejects.toThrow(
      /KUBEBUILDER_ASSETS is .*assets, which has no executable kube-apiserver, kubectl/,
    );
  });

  test('come from the cache next, without a message', async () => {
    await putExecutables(join(cache, 'kubernetes-v1.37.2-linux-x64'));
    const { etcd } = await ensure(machine());
    expect(etcd).toBe(join(cache, 'kubernetes-v1.37.2-linux-x64', 'etcd'));
    expect(said).toEqual([]);
  });

  test('of another version, platform or architecture in the cache are not used', async () => {
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
    const on = machine({ archives: [envtestAt(url, packedThree)] });
    const { kubeApiserver, kubectl } = await ensure(on);
    await expect(readFile(kubeApiserver, 'utf8')).resolves.toBe('a server'.repeat(1000));
    expect((await stat(kubectl)).mode & 0o111).not.toBe(0);
    await ensure(on);
    expect(requests).toBe(1);
    await expect(readdir(cache)).resolves.toEqual(['envtest-v0.0.1-linux-x64']);
    await expect(readdir(join(cache, 'envtest-v0.0.1-linux-x64'))).resolves.toEqual(threeNames);
  });

  test('are downloaded once for several callers at the same time', async () => {
    let requests = 0;
    const url = await serve((_, response) => {
      requests += 1;
      response.end(packedThree);
    });
    const on = machine({ archives: [envtestAt(url, packedThree)] });
    const [first, ...others] = await Promise.all([ensure(on), ensure(on), ensure(on)]);
    for (const other of others) expect(other).toEqual(first);
    expect(requests).toBe(1);
  });

  test('are not unpacked if the checksum differs', async () => {
    const url = await serve((_, response) =>
      response.end(tarball({ etcd: 'evil', 'kube-apiserver': 'evil', kubectl: 'evil' })),
    );
    await expect(ensure(machine({ archives: [envtestAt(url, packedThree)] }))).rejects.toThrow(
      /not the pinned [0-9a-f]{128}/,
    );
    await expect(readdir(cache)).resolves.toEqual([]);
  });

  test.each([
    ['does not contain all', tarball({ etcd: 'an etcd' }), /does not contain kube-apiserver, kubectl/],
    ['is cut off', gzipSync(tarHeader('etcd', 10_000)), /the archive is damaged/],
    ['is no archive', Buffer.from('hello'), /incorrect header check/],
  ])('are refused from an archive that %s', async (_, packed, message) => {
    const url = await serve((__, response) => response.end(packed));
    await expect(ensure(machine({ archives: [envtestAt(url, packed)] }))).rejects.toThrow(message);
    await expect(readdir(cache)).resolves.toEqual([]);
  });

  test('are built if they cannot be downloaded', async () => {
    await putGo('go1.26.8');
    const url = await serve((_, response) => {
      response.statusCode = 404;
      response.end();
    });
    const built = await ensure(machine({ archives: [envtestAt(url, packedThree)] }));
    expect(built.etcd).toBe(join(cache, 'kubernetes-v1.37.2-linux-x64', 'etcd'));
    await expect(readdir(cache)).resolves.toEqual(['kubernetes-v1.37.2-linux-x64']);
    expect(said.join('\n')).toMatch(/answered 404[^]*building etcd, kube-apiserver, kubectl[^]*about \d+ min[^]*built/);
  });

  describe('with kube-controller-manager, which the envtest archive lacks', () => {
    const packedServer = tarball({
      'kubernetes/': '',
      'kubernetes/LICENSES': 'not wanted',
      'kubernetes/server/bin/kube-apiserver': 'not wanted',
      'kubernetes/server/bin/kube-controller-manager.docker_tag': 'not wanted',
      'kubernetes/server/bin/kube-controller-manager.tar': 'not wanted',
      'kubernetes/server/bin/kube-controller-manager': 'a controller manager'.repeat(100_000),
    });

    /** Serves the envtest archive, and the answer of the test at `/server`. */
    async function serveBoth(listener: RequestListener): Promise<Machine> {
      const url = await serve((request, response) => {
        if (request.url === '/server') listener(request, response);
        else response.end(packedThree);
      });
      return machine({ archives: [envtestAt(url, packedThree), serverAt(`${url}/server`, packedServer)] });
    }

    test('are downloaded from two releases, without Go', async () => {
      const on = await serveBoth((_, response) => response.end(packedServer));
      const found = await ensure(on, { controllerManager: true });
      expect(found).toMatchObject({
        etcd: join(cache, 'envtest-v0.0.1-linux-x64', 'etcd'),
        kubeControllerManager: join(cache, 'kubernetes-server-v0.0.2-linux-x64', 'kube-controller-manager'),
      });
      const { kubeControllerManager = '' } = found;
      await expect(readFile(kubeControllerManager, 'utf8')).resolves.toBe('a controller manager'.repeat(100_000));
      expect((await stat(kubeControllerManager)).mode & 0o111).not.toBe(0);
      await expect(readdir(join(kubeControllerManager, '..'))).resolves.toEqual(['kube-controller-manager']);
      await expect(readdir(cache)).resolves.toEqual(['envtest-v0.0.1-linux-x64', 'kubernetes-server-v0.0.2-linux-x64']);
    });

    test('do not need the second release otherwise', async () => {
      const requested: unknown[] = [];
      const on = await serveBoth((request) => requested.push(request.url));
      await ensure(on);
      expect(requested).toEqual([]);
    });

    const failures: readonly (readonly [string, RequestListener, RegExp])[] = [
      ['does not exist', (_, response) => void response.writeHead(404).end(), /answered 404/],
      ['has another checksum', (_, response) => response.end(tarball({})), /\/server has the sha512 .* not the pinned/],
      [
        'is cut off',
        (_, response) => {
          response.writeHead(200, { 'content-length': packedServer.length });
          response.write(packedServer.subarray(0, 1_000), () => response.destroy());
        },
        /the download from 127\.0\.0\.1:\d+ broke off/,
      ],
    ];

    test.each(failures)('are completed by a build if the second archive %s', async (_, listener, message) => {
      await putGo('go1.26.8');
      const found = await ensure(await serveBoth(listener), { controllerManager: true });
      expect(found).toMatchObject({
        etcd: join(cache, 'envtest-v0.0.1-linux-x64', 'etcd'),
        kubeControllerManager: join(cache, 'kubernetes-v1.37.2-linux-x64', 'kube-controller-manager'),
      });
      expect(said.join('\n')).toMatch(message);
      const calls = await readFile(join(folder, 'go-calls'), 'utf8');
      expect(calls).toContain('k8s.io/kubernetes/cmd/kube-controller-manager');
      expect(calls).not.toContain('kube-apiserver');
    });

    test.each(failures)('are not available without Go if the second archive %s', async (_, listener, message) => {
      const failure = ensure(await serveBoth(listener), { controllerManager: true });
      await expect(failure).rejects.toThrow(/needs kube-controller-manager, but there is no way to get it/);
      await expect(failure).rejects.toThrow(message);
      await expect(failure).rejects.toThrow(/Go is not installed/);
      await expect(readdir(cache)).resolves.toEqual(['envtest-v0.0.1-linux-x64']);
    });

    test('are built if no release contains it, as on macOS', async () => {
      await putGo('go1.26.8');
      const url = await serve((_, response) => response.end(packedThree));
      const on = machine({ archives: [envtestAt(url, packedThree)] });
      const { kubeControllerManager } = await ensure(on, { controllerManager: true });
      expect(kubeControllerManager).toBe(join(cache, 'kubernetes-v1.37.2-linux-x64', 'kube-controller-manager'));
    });
  });

  test('leave no incomplete files if the build fails, and the message contains the output of the compiler', async () => {
    await putGo('go1.26.8', 'echo "no space left" >&2; exit 1');
    await expect(ensure(machine())).rejects.toThrow(/go build failed:\nno space left/);
    await expect(readdir(cache)).resolves.toEqual([]);
  });

  test('are made after the files of a killed run are removed', async () => {
    await putGo('go1.26.8');
    await putExecutables(join(cache, 'making-abc'), ['etcd']);
    await ensure(machine());
    await expect(readdir(cache)).resolves.toEqual(['kubernetes-v1.37.2-linux-x64']);
  });

  test('are not completed after an abort', async () => {
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
  test('one message names what failed and each remedy', async () => {
    const failure = ensure(machine({ archives: [envtestAt('http://127.0.0.1:1/', packedThree)] }));
    await expect(failure).rejects.toThrow(/127\.0\.0\.1:1 cannot be reached/);
    await expect(failure).rejects.toThrow(/Go is not installed/);
    await expect(failure).rejects.toThrow(/install Go 1\.26 or newer/);
    await expect(failure).rejects.toThrow(/set KUBEBUILDER_ASSETS/);
    await expect(failure).rejects.toThrow(/KONNECT_AUDIT_LOG_CACHE/);
  });

  test('the message names the version of an old Go', async () => {
    await putGo('go1.20.3');
    await expect(ensure(machine())).rejects.toThrow(/found go1\.20\.3, but Go 1\.26 or newer is required/);
  });
});

test('the cache is outside the clone, and its folder can be changed', () => {
  expect(cacheFolder({ env: { KONNECT_AUDIT_LOG_CACHE: '/mine', XDG_CACHE_HOME: '/xdg' } })).toBe('/mine');
  expect(cacheFolder({ env: { XDG_CACHE_HOME: '/xdg' } })).toBe('/xdg/konnect-audit-log-operator');
  expect(cacheFolder({ env: {} })).toMatch(/\/\.cache\/konnect-audit-log-operator$/);
});
