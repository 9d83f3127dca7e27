import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import manifest from '../../package.json' with { type: 'json' };
import { ensureBinaries } from '../../sandbox/control-plane/binaries.ts';
import { startControlPlane } from '../../sandbox/control-plane/control-plane.ts';
import { freePort } from '../../sandbox/control-plane/ports.ts';
import { install, serviceAccount } from '../../sandbox/sandbox.ts';
import { run } from '../../scripts/programs.ts';
import { eventually } from '../support/eventually.ts';
import { buildImage, type Image, putFile } from './support/buildah.ts';

let image: Image;

beforeAll(async () => {
  image = await buildImage();
}, 900_000);

afterAll(() => image.remove());

describe('the image', () => {
  test('adds one layer with three files to its base, and only root can write them', async () => {
    const layers = (one: Image['configuration']) => one.rootfs.diff_ids.length;
    expect(layers(image.configuration) - layers(image.baseConfiguration)).toBe(1);
    const ofBase = new Set(await readdir(image.baseRoot, { recursive: true }));
    const added = (await readdir(image.root, { recursive: true })).filter((file) => !ofBase.has(file));
    expect(added.toSorted((a, b) => a.localeCompare(b))).toEqual([
      'app',
      'app/LICENSE',
      'app/operator.js.LEGAL.txt',
      'app/operator.mjs',
    ]);
    for (const file of added) {
      const { uid, mode } = await stat(join(image.root, file));
      expect({ file, uid, writable: mode & 0o022 }).toEqual({ file, uid: 0, writable: 0 });
    }
  });

  test('runs as a numeric user other than root, and has labels', () => {
    const { User, Entrypoint, Cmd, Labels } = image.configuration.config;
    expect({ User, Entrypoint, Cmd: Cmd ?? [] }).toEqual({
      User: '65532:65532',
      Entrypoint: ['/nodejs/bin/node', '--max-semi-space-size=1', '/app/operator.mjs'],
      Cmd: [],
    });
    expect(Labels).toMatchObject({
      'org.opencontainers.image.title': manifest.name,
      'org.opencontainers.image.version': manifest.version,
      'org.opencontainers.image.licenses': manifest.license,
    });
  });

  test('contains no path of the build machine', async () => {
    const bundle = await readFile(join(image.root, 'app/operator.mjs'), 'utf8');
    expect(bundle).not.toContain(process.cwd());
    expect(bundle).not.toMatch(/\/src\/(src|node_modules)\//);
  });
});

describe('an unprivileged, read-only container', () => {
  test('cannot write a file', async () => {
    const script = "require('fs').writeFileSync('/tmp/file', '')";
    const [file, args] = image.command([]);
    const node = args.slice(0, -1);
    const { code, stderr } = await run(file, [...node, '-e', script]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('EROFS') });
  });

  test('prints its version', async () => {
    expect(await image.run(['--version'])).toEqual({ code: 0, stdout: `${manifest.version}\n`, stderr: '' });
  });

  test('prints one line about an invalid flag', async () => {
    const { code, stderr } = await image.run(['--log-level=loud']);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/^--log-level must be one of .*\n$/) });
  });

  test('logs that it finds no Kubernetes, and exits', async () => {
    const { code, stdout } = await image.run([]);
    expect(code).toBe(1);
    expect(stdout).toContain('operator failed');
  });

  test('works with a real API server, and stops without errors', async () => {
    const binaries = await ensureBinaries({ progress: () => undefined });
    const controlPlane = await startControlPlane({ binaries });
    try {
      await install(controlPlane);
      const kubeconfig = await controlPlane.serviceAccountKubeconfig(serviceAccount.namespace, serviceAccount.name);
      await putFile(image, 'tmp/kubeconfig', await readFile(kubeconfig, 'utf8'));
      const health = `127.0.0.1:${await freePort()}`;
      const [file, args] = image.command(
        ['--kubeconfig=/tmp/kubeconfig', '--metrics-bind-address=0', `--health-probe-bind-address=${health}`],
        { NODE_OPTIONS: '--max-old-space-size=160' },
      );
      const operator = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
      const ended = once(operator, 'exit');
      const outputs = Promise.all([text(operator.stdout), text(operator.stderr)]);
      try {
        await eventually(async () => expect((await fetch(`http://${health}/readyz`)).status).toBe(200));
        const status = await readFile(`/proc/${operator.pid}/status`, 'utf8');
        expect(status).toMatch(/^Uid:\t65532\t65532\t65532\t65532$/m);
      } finally {
        operator.kill('SIGTERM');
      }
      expect(await ended).toEqual([0, null]);
      const [log, errors] = await outputs;
      expect({ log, errors }).toEqual({ log: expect.stringContaining('operator stopped'), errors: '' });
    } finally {
      await controlPlane.stop();
    }
  });
});
