import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ensureBinaries } from '../../sandbox/control-plane/binaries.ts';
import { type ControlPlane, startControlPlane } from '../../sandbox/control-plane/control-plane.ts';
import { eventually } from '../support/eventually.ts';
import { descendants, processes } from '../support/processes.ts';

const startTimeoutMs = 120_000;

interface Parent {
  child: ChildProcess;
  pid: number;
  /** Its lines so far. */
  said: string[];
  /** Where all its temporary files go. */
  temporary: string;
}

const started: Parent[] = [];

function startParent(): Parent {
  const temporary = mkdtempSync(join(tmpdir(), 'parent-'));
  const program = fileURLToPath(new URL('../support/control-plane-parent.ts', import.meta.url));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program], {
    env: { ...process.env, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (child.pid === undefined) throw new Error('the parent cannot be started');
  const parent = { child, pid: child.pid, said: new Array<string>(), temporary };
  createInterface(child.stdout).on('line', (line) => parent.said.push(line));
  started.push(parent);
  return parent;
}

async function lineThat(parent: Parent, begins: string): Promise<string> {
  return eventually(
    () => {
      const line = parent.said.find((text) => text.startsWith(begins));
      if (line === undefined) throw new Error(`said no more than:\n${parent.said.join('\n')}`);
      return line;
    },
    { timeoutMs: startTimeoutMs - 5_000 },
  );
}

async function nothingIsLeft(parent: Parent, family: readonly number[]): Promise<void> {
  await eventually(() => {
    expect(processes().filter(({ pid }) => family.includes(pid))).toEqual([]);
    expect(readdirSync(parent.temporary)).toEqual([]);
  });
  rmSync(parent.temporary, { recursive: true });
}

describe('control planes whose parent ends', () => {
  const signals = ['SIGKILL', 'SIGTERM', 'SIGINT'] as const;
  const parents = new Map<string, Parent & { url: string; folder: string }>();

  beforeAll(async () => {
    await Promise.all(
      signals.map(async (signal) => {
        const parent = startParent();
        const line = await lineThat(parent, '{');
        parents.set(signal, { ...parent, ...JSON.parse(line) });
      }),
    );
  }, startTimeoutMs);

  afterAll(() => {
    for (const { child } of started) child.kill('SIGKILL');
  });

  test('run several at a time, each with an address and a folder of its own', () => {
    const all = [...parents.values()];
    expect(new Set(all.map(({ url }) => url)).size).toBe(signals.length);
    expect(new Set(all.map(({ folder }) => folder)).size).toBe(signals.length);
  });

  test.each(signals)('leave no process and no file after %s', async (signal) => {
    const parent = parents.get(signal);
    if (parent === undefined) throw new Error('not started');
    const family = descendants(parent.pid);
    expect(family.map(({ command }) => command).join('\n')).toMatch(/etcd[^]*kube-apiserver|kube-apiserver[^]*etcd/);
    parent.child.kill(signal);
    await once(parent.child, 'exit');
    await nothingIsLeft(
      parent,
      family.map(({ pid }) => pid),
    );
  });

  test('leave nothing either when the parent is killed while they start', async () => {
    const parent = startParent();
    await lineThat(parent, 'starting');
    const family = await eventually(() => {
      const found = descendants(parent.pid);
      expect(found.some(({ command }) => command.includes('kube-apiserver'))).toBe(true);
      return found;
    });
    parent.child.kill('SIGKILL');
    await once(parent.child, 'exit');
    await nothingIsLeft(
      parent,
      family.map(({ pid }) => pid),
    );
  });
});

describe('a control plane of one’s own', () => {
  let controlPlane: ControlPlane;

  beforeAll(async () => {
    const binaries = await ensureBinaries({ progress: () => undefined });
    controlPlane = await startControlPlane({ binaries });
  }, startTimeoutMs);

  afterAll(() => controlPlane.stop());

  test('has its namespaces, and no audit log unless asked for', async () => {
    await expect(controlPlane.kubectl(['get', 'namespace', 'default'])).resolves.toMatchObject({ code: 0 });
    expect(controlPlane.auditLog).toBeUndefined();
  });

  test('answers the exit code of kubectl and what it said', async () => {
    const { code, stdout, stderr } = await controlPlane.kubectl(['get', 'namespace', 'nowhere']);
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('namespaces "nowhere" not found'),
    });
  });

  test('ends a kubectl that is aborted', async () => {
    const abort = new AbortController();
    const watch = controlPlane.kubectl(['get', 'namespaces', '--watch'], { signal: abort.signal });
    abort.abort();
    await expect(watch).rejects.toMatchObject({ name: 'AbortError' });
  });

  test.each(['kube-apiserver', 'etcd'] as const)(
    'keeps its data and its address while %s is restarted',
    async (part) => {
      const name = `kept-${part}`;
      const { url, kubectl } = controlPlane;
      await expect(kubectl(['create', 'namespace', name])).resolves.toMatchObject({ code: 0 });
      await controlPlane.restart(part);
      await expect(kubectl(['get', 'namespace', name])).resolves.toMatchObject({ code: 0 });
      expect(controlPlane.url).toBe(url);
    },
  );

  test('removes its folder when stopped, and may be stopped again', async () => {
    await controlPlane.stop();
    await controlPlane.stop();
    expect(existsSync(controlPlane.folder)).toBe(false);
  });
});
