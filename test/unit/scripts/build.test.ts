import { execFileSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { operatorFile } from '../../../sandbox/operator-process.ts';

/** Prints the modules of Node that a process has loaded when it ends. */
const printer =
  "data:text/javascript,process.on('exit', () => process.stdout.write(JSON.stringify(process.moduleLoadList)))";

test('the operator loads no parts of Node that it does not use', () => {
  const output = execFileSync(process.execPath, ['--import', printer, operatorFile, '--version'], { encoding: 'utf8' });
  const loaded: string[] = JSON.parse(output.slice(output.indexOf('[')));
  expect(loaded).toContain('NativeModule http');
  expect(loaded.filter((name) => /\b(undici|http2|webstreams)\b/.test(name))).toEqual([]);
});
