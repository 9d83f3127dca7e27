import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { bundleValidator } from './build.ts';
import { useProgram } from './use-program.ts';

const executable = useProgram(bundleValidator);
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bundle-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Returns what the validators of operator-framework/api say about a bundle. */
function validate(bundle: string): string[] {
  const { status, stdout, stderr } = spawnSync(executable(), [bundle], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

test('the validators find nothing in the bundle', () => {
  expect(validate('bundle')).toEqual([]);
});

describe('the validators find', () => {
  test.each([
    ['a version that the CRD does not have', /^( {8}version:) v1alpha1$/m, '$1 v9', 'owned CRD'],
    [
      'an example of another kind',
      '"kind": "AuditLogForwarding"',
      '"kind": "Another"',
      'example must have a provided API',
    ],
    ['an icon of an unknown type', 'image/svg+xml', 'image/none', 'does not have a valid mediatype'],
    ['no install mode', /supported: true/g, 'supported: false', 'none of InstallModeTypes are supported'],
    ['a misspelled field', 'minKubeVersion:', 'minimalVersion:', 'unknown field "minimalVersion"'],
  ])('%s', (_what, part, replacement, message) => {
    const copy = mkdtempSync(join(folder, 'wrong-'));
    cpSync('bundle', copy, { recursive: true });
    const file = join(copy, 'manifests/konnect-audit-log-operator.clusterserviceversion.yaml');
    const before = readFileSync(file, 'utf8');
    const after = before.replace(part, replacement);
    expect(after).not.toBe(before);
    writeFileSync(file, after);
    expect(validate(copy)).toContainEqual(expect.stringContaining(message));
  });
});
