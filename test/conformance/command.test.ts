import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import type { KonnectServer } from '../../sandbox/konnect/server.ts';
import { full, portalID } from '../unit/sandbox/konnect/support.ts';
import { readSettings } from './settings.ts';
import { leftIn, nothing, withKonnect } from './support.ts';

describe('the command', () => {
  const good = { KONNECT_TOKEN: full };

  test.each([
    ['CI is set', { ...good, CI: 'true' }],
    ['KONNECT_TOKEN is not set', {}],
    ['KONNECT_REGION is not a region', { ...good, KONNECT_REGION: 'evil.example/x?' }],
  ])('says that %s', (message, env) => {
    expect(() => readSettings(env, [])).toThrow(message);
  });

  async function run(
    server: KonnectServer,
    hears: (output: string, child: ChildProcess) => void = () => {},
  ): Promise<{ code: number | null; output: string }> {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', 'test/conformance/main.ts'], {
      env: { KONNECT_TOKEN: full, KONNECT_URL: server.urlTemplate, KONNECT_PORTAL_ID: portalID },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text: Buffer) => {
        output += text.toString();
        hears(output, child);
      });
    }
    await once(child, 'close');
    return { code: child.exitCode, output };
  }

  test(
    'asks and prints, and never the token',
    () =>
      withKonnect({ duplicateNames: 'allowed' }, async (server) => {
        const { code, output } = await run(server);
        expect(code).toBe(0);
        expect(output).toContain('no, a second one is made   [unique-names]');
        expect(output).toContain('Everything that was made is gone.');
        expect(output).not.toContain(full);
        expect(leftIn(server)).toEqual(nothing);
      }),
    60_000,
  );

  test(
    'cleans up when it is interrupted, however often',
    () =>
      withKonnect({ releaseDelayMs: 1_000 }, async (server) => {
        const { code, output } = await run(server, (heard, child) => {
          if (heard.includes('[patch-answer-portal]')) child.kill('SIGINT');
        });
        expect(code).toBe(130);
        expect(output).toContain('Everything that was made is gone.');
        expect(leftIn(server)).toEqual(nothing);
      }),
    60_000,
  );
});
