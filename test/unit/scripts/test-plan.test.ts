import { globSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Machine } from '../../../sandbox/control-plane/binaries.ts';
import { controlPlaneArchives } from '../../../sandbox/control-plane/releases.ts';
import { planTests } from '../../../scripts/test-plan.ts';
import { cachedPath, programs } from '../../validators/build.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'test-plan-'));
  for (const tool of ['curl', 'jq']) await putExecutable(join(folder, tool));
});
afterEach(() => rm(folder, { recursive: true }));

/** Returns a machine without Go and with an empty cache. */
function machine(platform = 'linux', env: Record<string, string> = {}): Machine {
  const variables = { PATH: folder, KONNECT_AUDIT_LOG_CACHE: join(folder, 'cache'), ...env };
  return { platform, arch: 'x64', archives: controlPlaneArchives(platform, 'x64'), env: variables };
}

async function putExecutable(path: string, text = ''): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
}

const noGo = 'the reason: Go is not installed (no "go" on the PATH)';
const noValidators = 'not run: test/validators/';
const noIntegration = 'not run: test/integration/ and test/e2e/, which need kube-controller-manager';

const whole = { controlPlane: true, validators: true, jestArguments: [], env: {}, leftOut: [] };

describe('with Go', () => {
  beforeEach(() => putExecutable(join(folder, 'go'), 'echo go1.26.8'));

  test('all tests run, on each platform and in CI', async () => {
    expect(await planTests(undefined, machine('linux', { CI: 'true' }))).toEqual(whole);
    expect(await planTests(undefined, machine('darwin'))).toEqual(whole);
  });

  test('a project has what it needs', async () => {
    expect(await planTests('unit', machine())).toEqual({ ...whole, controlPlane: false });
    expect(await planTests('simulation', machine())).toEqual({ ...whole, controlPlane: false, validators: false });
    expect(await planTests('integration', machine())).toEqual(whole);
  });
});

describe('without Go', () => {
  test('the validators are left out, and the lines say what, why and how to run them', async () => {
    const plan = await planTests(undefined, machine());
    expect(plan).toMatchObject({ controlPlane: true, validators: false, env: { TEST_WITHOUT_VALIDATORS: 'true' } });
    expect(plan.jestArguments).toEqual(['--testPathIgnorePatterns=<rootDir>/test/validators/']);
    expect(plan.leftOut).toEqual([
      expect.stringContaining(noValidators),
      expect.stringMatching(/^the reason: Go is not installed .*; to run all tests, install Go 1\.26 or newer/),
    ]);
  });

  test('nothing is left out if the cache has the validators', async () => {
    for (const program of programs) await putExecutable(await cachedPath(program, machine()));
    expect(await planTests(undefined, machine())).toEqual(whole);
  });

  test.each(programs)('the validators are left out if the cache has only $name', async (program) => {
    await putExecutable(await cachedPath(program, machine()));
    expect(await planTests('unit', machine())).toMatchObject({ validators: false });
  });

  test('the simulation is complete', async () => {
    expect(await planTests('simulation', machine())).toMatchObject({ jestArguments: [], leftOut: [] });
  });

  test('a Go that is too old counts as missing', async () => {
    await putExecutable(join(folder, 'go'), 'echo go1.20.3');
    const { leftOut } = await planTests('unit', machine());
    expect(leftOut.at(-1)).toContain('found go1.20.3');
  });

  test('on macOS, the integration tests are left out too', async () => {
    const plan = await planTests(undefined, machine('darwin'));
    expect(plan).toMatchObject({ controlPlane: false, validators: false });
    expect(plan.leftOut).toEqual([expect.stringContaining(noValidators), noIntegration, expect.stringContaining(noGo)]);
    expect(plan.jestArguments).toEqual(
      expect.arrayContaining(['integration', 'e2e'].map((name) => `--testPathIgnorePatterns=<rootDir>/test/${name}/`)),
    );
  });

  test('on macOS, the integration tests run with the executables of KUBEBUILDER_ASSETS', async () => {
    const assets = join(folder, 'assets');
    for (const name of ['etcd', 'kube-apiserver', 'kubectl', 'kube-controller-manager']) {
      await putExecutable(join(assets, name));
    }
    const plan = await planTests('integration', machine('darwin', { KUBEBUILDER_ASSETS: assets }));
    expect(plan.controlPlane).toBe(true);
    expect(plan.leftOut.join('\n')).not.toContain(noIntegration);
  });

  test.each(['true', '1'])('with CI=%s, a test that cannot run is an error', async (CI) => {
    const planned = planTests('unit', machine('linux', { CI }));
    await expect(planned).rejects.toThrow(
      /^in CI, every test must run:\nnot run: test\/validators\/.*\nthe reason: Go is not/,
    );
  });

  test.each(['', '0', 'false'])('CI=%s is not CI', async (CI) => {
    await expect(planTests('unit', machine('linux', { CI }))).resolves.toMatchObject({ validators: false });
  });
});

describe('without a tool of the documents', () => {
  const noGuide = 'not run: test/e2e/sandbox-guide.test.ts, and in test/e2e/documents.test.ts the commands that use jq';

  beforeEach(async () => {
    await putExecutable(join(folder, 'go'), 'echo go1.26.8');
    await rm(join(folder, 'jq'));
  });

  test('what needs it is left out, and the line says what and how to run it', async () => {
    const plan = await planTests('integration', machine());
    expect(plan).toMatchObject({ controlPlane: true, validators: true });
    expect(plan.jestArguments).toEqual(['--testPathIgnorePatterns=<rootDir>/test/e2e/sandbox-guide.test.ts']);
    expect(plan.leftOut).toEqual([`${noGuide}; to run them, install jq`]);
  });

  test('the other projects are complete', async () => {
    expect(await planTests('unit', machine())).toMatchObject({ jestArguments: [], leftOut: [] });
    expect(await planTests('simulation', machine())).toMatchObject({ jestArguments: [], leftOut: [] });
  });

  test('in CI it is an error', async () => {
    await expect(planTests(undefined, machine('linux', { CI: 'true' }))).rejects.toThrow(
      `in CI, every test must run:\n${noGuide}`,
    );
  });
});

test('tests outside of test/validators/ do not need the validators', () => {
  const files = globSync('test/**/*.ts', { exclude: ['test/validators/**'] });
  const imports = files.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/^import (\{[^}]*\}) from '[./]+\/validators\/validators\.ts';$/gm)].map(
      ([, names = '']) => `${file} ${names}`,
    ),
  );
  expect(imports).toEqual(['test/e2e/support/environment.ts { validatorsIfAvailable }']);
});
