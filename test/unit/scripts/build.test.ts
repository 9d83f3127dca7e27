import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
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

test('the bundle is ASCII, because V8 needs two bytes for each character of a text with any other', () => {
  const others = readFileSync(operatorFile, 'utf8').match(/.{0,40}\P{ASCII}.{0,40}/gu) ?? [];
  expect(others).toEqual([]);
});
