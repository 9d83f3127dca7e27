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
  /** The lines that it has printed. */
  lines: string[];
  /** The folder of all its temporary files. */
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
  const parent = { child, pid: child.pid, lines: new Array<string>(), temporary };
  createInterface(child.stdout).on('line', (line) => parent.lines.push(line));
  started.push(parent);
  return parent;
}

async function waitForLine(parent: Parent, prefix: string): Promise<string> {
  return eventually(
    () => {
      const line = parent.lines.find((text) => text.startsWith(prefix));
      if (line === undefined) throw new Error(`the parent printed only:\n${parent.lines.join('\n')}`);
      return line;
    },
    { timeoutMs: startTimeoutMs - 5_000 },
  );
}

async function expectNothingLeft(parent: Parent, family: readonly number[]): Promise<void> {
  await eventually(() => {
    expect(processes().filter(({ pid }) => family.includes(pid))).toEqual([]);
    expect(readdirSync(parent.temporary)).toEqual([]);
  });
  rmSync(parent.temporary, { recursive: true });
}

describe('control planes after the end of their parent', () => {
  const signals = ['SIGKILL', 'SIGTERM', 'SIGINT'] as const;
  const parents = new Map<string, Parent & { url: string; folder: string }>();

  beforeAll(async () => {
    await Promise.all(
      signals.map(async (signal) => {
        const parent = startParent();
        const line = await waitForLine(parent, '{');
        parents.set(signal, { ...parent, ...JSON.parse(line) });
      }),
    );
  }, startTimeoutMs);

  afterAll(() => {
    for (const { child } of started) child.kill('SIGKILL');
  });

  test('run in parallel, each with its own address and folder', () => {
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
    await expectNothingLeft(
      parent,
      family.map(({ pid }) => pid),
    );
  });

  test('leave no process and no file if the parent is killed while they start', async () => {
    const parent = startParent();
    await waitForLine(parent, 'starting');
    const family = await eventually(() => {
      const found = descendants(parent.pid);
      expect(found.some(({ command }) => command.includes('kube-apiserver'))).toBe(true);
      return found;
    });
    parent.child.kill('SIGKILL');
    await once(parent.child, 'exit');
    await expectNothingLeft(
      parent,
      family.map(({ pid }) => pid),
    );
  });
});

describe('a separate control plane', () => {
  let controlPlane: ControlPlane;

  beforeAll(async () => {
    const binaries = await ensureBinaries({ progress: () => undefined });
    controlPlane = await startControlPlane({ binaries });
  }, startTimeoutMs);

  afterAll(() => controlPlane.stop());

  test('has the default namespaces, and has no audit log by default', async () => {
    await expect(controlPlane.kubectl(['get', 'namespace', 'default'])).resolves.toMatchObject({ code: 0 });
    expect(controlPlane.auditLog).toBeUndefined();
  });

  test('returns the exit code and the output of kubectl', async () => {
    const { code, stdout, stderr } = await controlPlane.kubectl(['get', 'namespace', 'nowhere']);
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('namespaces "nowhere" not found'),
    });
  });

  test('stops a kubectl that is aborted', async () => {
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

  test('removes its folder when it is stopped, and can be stopped twice', async () => {
    await controlPlane.stop();
    await controlPlane.stop();
    expect(existsSync(controlPlane.folder)).toBe(false);
  });
});
