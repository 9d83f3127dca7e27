import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Binaries } from '../../../../sandbox/control-plane/binaries.ts';
import { startControlPlane } from '../../../../sandbox/control-plane/control-plane.ts';
import { Supervised } from '../../../../sandbox/control-plane/supervised.ts';
import { eventually } from '../../../support/eventually.ts';
import { startHTTPServer } from '../../../support/http-server.ts';
import { descendants, processes } from '../../../support/processes.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'control-plane-test-'));
});

afterEach(() => rm(folder, { recursive: true }));

async function program(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text, { mode: 0o755 });
  return path;
}

/** Answers on its socket as a healthy etcd would, and notes where it ran. */
async function healthyEtcd(): Promise<string> {
  return program(
    'etcd',
    `#!${process.execPath}
const option = process.argv.find((text) => text.startsWith('--listen-client-urls='));
require('node:fs').appendFileSync(${JSON.stringify(join(folder, 'places'))}, process.cwd() + '\\n');
require('node:http').createServer((_, response) => response.end('{}')).listen(option.split('unix://')[1]);
`,
  );
}

async function places(): Promise<string[]> {
  return (await readFile(join(folder, 'places'), 'utf8')).trim().split('\n');
}

async function binaries(apiserver: string, etcd?: string): Promise<Binaries> {
  return {
    etcd: etcd ?? (await healthyEtcd()),
    kubeApiserver: await program('kube-apiserver', `#!/bin/sh\n${apiserver}\n`),
    kubectl: '/bin/false',
  };
}

describe('a control plane that cannot start', () => {
  test('says which server failed, how, and what its log says', async () => {
    const starting = startControlPlane({ binaries: await binaries('echo "no such flag: --oops" >&2; exit 3') });
    await expect(starting).rejects.toThrow(
      /kube-apiserver exited with code 3; its log ends with:\nno such flag: --oops/,
    );
    expect((await places()).filter((place) => existsSync(place))).toEqual([]);
  });

  test('names a program that cannot be run', async () => {
    const starting = startControlPlane({ binaries: await binaries('', join(folder, 'nowhere')) });
    await expect(starting).rejects.toThrow(/etcd cannot be run: .*ENOENT/);
  });

  test('tries a limited number of other ports if one is taken', async () => {
    const note = `for option in "$@"; do case "$option" in --secure-port=*) echo "$option" >> ${folder}/ports;; esac; done`;
    const taken = `${note}; echo "listen tcp 127.0.0.1: bind: address already in use"; exit 1`;
    await expect(startControlPlane({ binaries: await binaries(taken) })).rejects.toThrow(/address already in use/);
    const ports = (await readFile(join(folder, 'ports'), 'utf8')).trim().split('\n');
    expect(ports).toHaveLength(5);
    expect(new Set(ports).size).toBeGreaterThan(1);
    expect((await places()).filter((place) => existsSync(place))).toEqual([]);
  });

  test('is given up when aborted', async () => {
    const abort = new AbortController();
    const starting = startControlPlane({ binaries: await binaries('sleep 60'), signal: abort.signal });
    const [place] = await eventually(places);
    abort.abort();
    await expect(starting).rejects.toMatchObject({ name: 'AbortError' });
    expect(existsSync(place ?? '')).toBe(false);
  });

  test('does not start without a requested controller manager', async () => {
    const none = { ...(await binaries('exit 1')) };
    await expect(startControlPlane({ binaries: none, controllerManager: true })).rejects.toThrow(
      /options\.binaries has no kube-controller-manager/,
    );
  });
});

describe('supervised servers', () => {
  test('end at once, with their folder', async () => {
    const supervised = await Supervised.create();
    await supervised.start('one', '/bin/sleep', ['61']);
    await supervised.start('two', '/bin/sleep', ['61']);
    const family = descendants(process.pid).map(({ pid }) => pid);
    await supervised.end();
    expect(existsSync(supervised.folder)).toBe(false);
    expect(sleepers(family)).toEqual([]);
  });

  test('end when their supervisor is killed', async () => {
    const supervised = await Supervised.create();
    await supervised.start('one', '/bin/sleep', ['62']);
    const family = descendants(process.pid);
    const supervisor = family.find(({ command }) => command.includes('supervisor.ts'));
    process.kill(supervisor?.pid ?? 0, 'SIGKILL');
    await eventually(async () => {
      await expect(supervised.check('one')).rejects.toThrow(/one was killed because its supervisor exited/);
      expect(sleepers(family.map(({ pid }) => pid))).toEqual([]);
      expect(existsSync(supervised.folder)).toBe(false);
    });
    await supervised.end();
  });

  test('are ended by force when they do not end on request', async () => {
    const supervised = await Supervised.create();
    const deaf = await program('deaf', '#!/bin/sh\ntrap "" TERM\necho ready\nwhile :; do sleep 0.05; done\n');
    await supervised.start('deaf', deaf, []);
    await eventually(async () => expect(await supervised.logTail('deaf')).toBe('ready'));
    await supervised.stop('deaf', 50);
    await expect(supervised.check('deaf')).rejects.toThrow(/deaf was killed by SIGKILL/);
    await supervised.end();
  });

  test('are waited for until they answer 2xx, exit, or the time is over', async () => {
    const supervised = await Supervised.create();
    const answers = [503, 503, 200, 503];
    const server = await startHTTPServer((_, response) => response.writeHead(answers.shift() ?? 503).end());
    await supervised.start('one', '/bin/sleep', ['63']);
    await supervised.waitUntilOK('one', server.url, 60_000);
    expect(answers).toEqual([503]);
    await expect(supervised.waitUntilOK('one', server.url, 0)).rejects.toThrow(/^one did not become ready/);
    await supervised.stop('one', 0);
    await expect(supervised.waitUntilOK('one', server.url, 60_000)).rejects.toThrow(/one was killed by SIGKILL/);
    server.stop();
    await supervised.end();
  });

  function sleepers(pids: readonly number[]) {
    return processes().filter(({ pid, command }) => pids.includes(pid) && command.includes('sleep'));
  }
});
