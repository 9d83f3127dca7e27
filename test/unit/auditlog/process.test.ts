import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

const main = join(import.meta.dirname, '../../../src/main.ts');
let folder: string;
let keys: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'auditlog-process-'));
  keys = join(folder, 'jwks.json');
  const x = 'DrCnYcVX2lQ7Wnd9F9zwAc6dh3tvUrFXiJkPdEoEtaA';
  writeFileSync(keys, JSON.stringify({ keys: [{ kty: 'OKP', crv: 'Ed25519', x }] }));
});
afterAll(() => rmSync(folder, { recursive: true }));

function start(args: readonly string[]) {
  const child = spawn(process.execPath, ['--no-warnings', main, 'auditlog', ...args]);
  const code = new Promise<number | null>((resolve) => {
    child.on('exit', (status) => resolve(status));
  });
  return { child, code };
}

test('Ctrl-C interrupts a command that waits for standard input', async () => {
  const { child, code } = start(['verify', '--jwks', keys]);
  const errors = text(child.stderr);
  // The handler of the signal is there before the command reads its input, of which the pipe holds less.
  child.stdin.write('x\n'.repeat(500_000), () => child.kill('SIGINT'));
  expect({ code: await code, errors: await errors }).toEqual({ code: 1, errors: 'auditlog verify: interrupted\n' });
});

test('a reader of standard output that ends first is told from success', async () => {
  const { child, code } = start(['--help']);
  child.stdout.destroy();
  expect(await code).toBe(141);
});

test('a reader of standard error that ends first does not change the exit code', async () => {
  const line = '2026-01-02T03:04:05Z konghq.com CEF:0|KongInc|Konnect|1.0|konnect|Authz.portals|1|rt=1 sig=x\n';
  const { child, code } = start(['verify', '--jwks', keys]);
  child.stderr.destroy();
  child.stdin.end(line.repeat(30));
  expect(await code).toBe(4);
});

test('a message shows no character that a terminal interprets', async () => {
  const { child, code } = start(['verify', '--jwks', keys, join(folder, 'no\u001b[2Jfile')]);
  const errors = text(child.stderr);
  expect(await code).toBe(1);
  expect(await errors).toContain(String.raw`no\u001b[2Jfile`);
});
