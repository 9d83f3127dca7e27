import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

test('each address of a host has five seconds to connect, in every connection of the process', async () => {
  const atExit = `
    import { getDefaultAutoSelectFamilyAttemptTimeout } from 'node:net';
    process.on('exit', () => console.log(getDefaultAutoSelectFamilyAttemptTimeout()));
  `;
  const argv = ['--import', `data:text/javascript,${encodeURIComponent(atExit)}`, 'src/main.ts', '--version'];
  const { stdout } = await promisify(execFile)(process.execPath, argv);
  expect(stdout).toBe('dev\n5000\n');
});

test.each(['auditlog', 'kubectl-auditlog'])('a link named %s is the command, and not the operator', async (name) => {
  const folder = mkdtempSync(join(tmpdir(), 'link-'));
  try {
    const link = join(folder, name);
    symlinkSync(join(process.cwd(), 'src/main.ts'), link);
    const { stdout } = await promisify(execFile)(process.execPath, [link, '--help']);
    expect(stdout).toContain('Usage: auditlog <command>');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
