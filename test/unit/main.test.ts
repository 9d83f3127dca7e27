import { execFile } from 'node:child_process';
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
