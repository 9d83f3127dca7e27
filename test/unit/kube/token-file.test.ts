import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { TokenFile } from '../../../src/kube/token-file.ts';

let folder: string;
let file: string;
let now: number;
const write = (text: string) => writeFileSync(file, text);
const open = () => new TokenFile(file, () => now);

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'token-file-'));
  file = path.join(folder, 'token');
  now = 0;
});

afterEach(() => {
  jest.useRealTimers();
  rmSync(folder, { recursive: true });
});

test('is read again after a minute, not before', () => {
  write('first\n');
  const token = open();
  expect(token.read()).toBe('first');
  write('second\n');
  now = 59_999;
  expect(token.read()).toBe('first');
  now = 60_000;
  expect(token.read()).toBe('second');
});

test.each([-24, 24])('is read again after a minute when the time of day has jumped by %i hours', (hours) => {
  write('first');
  const token = open();
  expect(token.read()).toBe('first');
  write('second');
  jest.useFakeTimers({
    now: Date.now() + hours * 3_600_000,
    doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'],
  });
  expect(token.read()).toBe('first');
  now = 60_000;
  expect(token.read()).toBe('second');
});

test('is read again at once after its token was refused', () => {
  write('first');
  const token = open();
  token.read();
  expect(token.isReplaced('first')).toBe(false);
  write('second');
  expect(token.isReplaced('first')).toBe(true);
  expect(token.read()).toBe('second');
});

test.each([
  ['gone', () => rmSync(file)],
  ['empty', () => write('\n')],
])('that is %s leaves the last token in use until there is another', (_how, spoil) => {
  write('first');
  const token = open();
  expect(token.read()).toBe('first');
  spoil();
  now = 60_000;
  expect(token.read()).toBe('first');
  expect(token.isReplaced('first')).toBe(false);
  write('second');
  now = 60_001;
  expect(token.read()).toBe('second');
});

test('that never had a token is an error, and replaces no refused token', () => {
  const token = open();
  expect(() => token.read()).toThrow('ENOENT');
  write('');
  expect(() => token.read()).toThrow('the token file is empty');
  expect(token.isReplaced('first')).toBe(false);
});
