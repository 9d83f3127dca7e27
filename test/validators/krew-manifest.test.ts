import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { archiveName, manifestName, writeKrewPlugin } from '../../scripts/krew-plugin.ts';
import { krewValidator } from './build.ts';
import { useProgram } from './use-program.ts';

const executable = useProgram(krewValidator);
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'krew-manifest-'));
  writeKrewPlugin({ folder, version: '1.2.3', url: 'https://example.com/v1.2.3', time: new Date() });
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Returns what krew's validator says about a manifest. */
function validate(file: string): { status: number | null; said: string } {
  const { status, stderr } = spawnSync(executable(), ['-manifest', file, '-skip-install'], { encoding: 'utf8' });
  return { status, said: stderr };
}

test("krew's validator accepts the manifest", () => {
  const { status, said } = validate(join(folder, manifestName));
  expect({ status, said }).toEqual({ status: 0, said: expect.stringContaining('structural validation OK') });
});

test("krew's validator finds an error", () => {
  const wrong = join(folder, 'wrong');
  execFileSync('mkdir', [wrong]);
  const text = readFileSync(join(folder, manifestName), 'utf8');
  writeFileSync(join(wrong, manifestName), text.replace(/sha256: .*/, 'sha256: none'));
  const { status, said } = validate(join(wrong, manifestName));
  expect(status).not.toBe(0);
  expect(said).toContain('`sha256` value none is not valid');
});

test('the manifest names the archive, and a link to its executable is the command', () => {
  const archive = join(folder, archiveName);
  const [platform] = parse(readFileSync(join(folder, manifestName), 'utf8')).spec.platforms;
  const sha256 = createHash('sha256').update(readFileSync(archive)).digest('hex');
  expect(platform).toMatchObject({ uri: `https://example.com/v1.2.3/${archiveName}`, sha256 });
  execFileSync('tar', ['-xzf', archive, '-C', folder]);
  const link = join(folder, 'kubectl-auditlog');
  symlinkSync(join(folder, platform.bin), link);
  expect(execFileSync(link, ['--help'], { encoding: 'utf8' })).toContain('Usage: auditlog <command>');
});
