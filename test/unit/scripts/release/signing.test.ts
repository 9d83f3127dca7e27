import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import manifest from '../../../../package.json' with { type: 'json' };
import { workflowSigner, writeProvenance } from '../../../../scripts/release/signing.ts';
import { verificationBlocks } from '../../../../scripts/release/verification.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signing-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const script = join(import.meta.dirname, '../../../../scripts/release/main.ts');

describe('npm run release', () => {
  test.each([
    ['neither a dry run nor a registry', []],
    ['both', ['--dry-run', '--registry=registry.example.com']],
  ])('refuses %s', (_what, args) => {
    const { status, stdout } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
    expect({ status, stdout }).toEqual({
      status: 1,
      stdout: expect.stringContaining('npm run release -- --dry-run, or'),
    });
  });
});

test('npm run release refuses a release outside the workflow', () => {
  const { GITHUB_WORKFLOW_REF: _, ...env } = process.env;
  const { status, stdout } = spawnSync(process.execPath, [script, '--registry=registry.example.com'], {
    encoding: 'utf8',
    env,
  });
  expect({ status, stdout }).toEqual({
    status: 1,
    stdout: expect.stringContaining('only the workflow release on GitHub'),
  });
});

describe('the provenance', () => {
  const base = `registry.example.com/base@sha256:${'ab'.repeat(32)}`;
  const env = {
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_REPOSITORY: 'owner/repository',
    GITHUB_WORKFLOW_REF: 'owner/repository/.github/workflows/release.yml@refs/tags/v1.2.3',
    GITHUB_RUN_ID: '7',
    GITHUB_RUN_ATTEMPT: '2',
  };
  const made = async (variables: Record<string, string>) =>
    JSON.parse(readFileSync(await writeProvenance(folder, { commit: 'c0ffee', base, env: variables }), 'utf8'));

  test('names the workflow, the commit, the base image and the run', async () => {
    expect(await made(env)).toEqual({
      buildDefinition: {
        buildType: 'https://actions.github.io/buildtypes/workflow/v1',
        externalParameters: {
          workflow: {
            repository: 'https://github.com/owner/repository',
            path: '.github/workflows/release.yml',
            ref: 'refs/tags/v1.2.3',
          },
        },
        resolvedDependencies: [
          { uri: 'git+https://github.com/owner/repository@refs/tags/v1.2.3', digest: { gitCommit: 'c0ffee' } },
          { uri: `docker://${base}`, digest: { sha256: 'ab'.repeat(32) } },
        ],
      },
      runDetails: {
        builder: { id: 'https://github.com/actions/runner/github-hosted' },
        metadata: { invocationId: 'https://github.com/owner/repository/actions/runs/7/attempts/2' },
      },
    });
  });

  test('says that it is that of a dry run, without a workflow', async () => {
    expect((await made({})).runDetails).toEqual({ builder: { id: 'dry run' } });
  });
});

test('the page for users expects the signer of the workflow, and this version', async () => {
  const [settings = '', ...blocks] = await verificationBlocks();
  const names = ['REGISTRY', 'VERSION', '${SIGNER[@]}'].map((name) =>
    name.startsWith('$') ? `"${name}"` : `"$${name}"`,
  );
  const shown = execFileSync('bash', ['-c', `${settings}\nprintf '%s\\n' ${names.join(' ')}`], { encoding: 'utf8' });
  const { version } = manifest;
  const identity = `https://github.com/OWNER/${manifest.name}/.github/workflows/release.yml@refs/tags/v${version}`;
  expect(shown.trim().split('\n')).toEqual([
    'ghcr.io/OWNER',
    version,
    ...workflowSigner('cosign', identity).verifyArguments,
  ]);
  expect(blocks.length).toBeGreaterThan(4);
  expect(blocks.filter((block) => !block.includes('cosign verify'))).toEqual([]);
});
