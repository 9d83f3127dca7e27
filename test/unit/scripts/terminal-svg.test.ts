import { readFileSync, statSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { drawTerminal, type Output } from '../../../scripts/terminal-svg.ts';

const words = { title: 'npm run demo', description: 'A short demo.' };

const recording: readonly Output[] = [
  { atMs: 0, text: '$ npm run demo\n' },
  { atMs: 800, text: '==> starting\n\n\n— 1. A & B <first>\n' },
  { atMs: 900, text: '\n$ kubectl get pods\nNAME    RE' },
  { atMs: 61_000, text: 'ADY\npod     \u001b[32mTrue\u001b[0m\n  ✓ ready' },
];

/** Returns the rows that the picture shows. */
function rows(svg: string): string[] {
  const [, scrolled = ''] = svg.split('<g class="scroll">');
  return [...scrolled.matchAll(/<text [^>]*>(.*)<\/text>/g)].map(([, text = '']) => text.replaceAll('\u00a0', ' '));
}

/** Returns how long one round of the animation takes. */
function seconds(svg: string): number {
  return Number(/animation:scroll ([\d.]+)s/.exec(svg)?.[1]);
}

test('shows every line, with markup escaped and columns kept', () => {
  expect(rows(drawTerminal(recording, words))).toEqual([
    '$ npm run demo',
    '==&gt; starting',
    '',
    '',
    '— 1. A &amp; B &lt;first&gt;',
    '',
    '$ kubectl get pods',
    'NAME    READY',
    'pod     True',
    '  ✓ ready',
  ]);
});

test('is the same for the same recording', () => {
  expect(drawTerminal(recording, words)).toBe(drawTerminal(recording, words));
});

test('has an accessible name and description, and says what was changed', () => {
  const svg = drawTerminal(recording, words);
  expect(svg).toContain('<title id="title">npm run demo</title>');
  expect(svg).toMatch(/<desc id="description">A short demo\. Recorded from a real run of 61 s\. Changed: .*<\/desc>/);
});

test('shortens long waits and gives time to read', () => {
  const quick = recording.map(({ text }) => ({ atMs: 0, text }));
  const slow = recording.map(({ text }, index) => ({ atMs: index * 3_600_000, text }));
  expect(seconds(drawTerminal(quick, words))).toBeGreaterThan(5);
  expect(seconds(drawTerminal(slow, words))).toBeLessThan(20);
});

test('uncovers the first rows and scrolls when the window is full', () => {
  const lines = (count: number) => [{ atMs: 0, text: 'line\n'.repeat(count) }];
  expect(drawTerminal(lines(28), words)).toContain('.scroll{transform:translateY(0px);');
  expect(drawTerminal(lines(30), words)).toContain('.scroll{transform:translateY(-34px);');
});

test.each([
  ['a word fits', `${'x'.repeat(100)} ${'y'.repeat(20)}`, ['x'.repeat(100), 'y'.repeat(20)]],
  ['there is no blank in the second half', `a ${'x'.repeat(120)}`, [`a ${'x'.repeat(108)}`, 'x'.repeat(12)]],
  ['two rows are not enough', 'x'.repeat(300), ['x'.repeat(110), `${'x'.repeat(109)}…`]],
  ['it is a line of a table', `a   ${'x'.repeat(120)}`, [`a   ${'x'.repeat(105)}…`]],
])('fits a long line into the window: %s', (_, line, expected) => {
  expect(rows(drawTerminal([{ atMs: 0, text: `${line}\n` }], words))).toEqual(expected);
});

test.each([
  'token: kpat_abc',
  'token: spat_abc',
  'Authorization: Bearer abc',
  'authorization: Basic YTpi',
  'https://127.0.0.1:1/receiver/v1/http/abc==',
])('refuses a recording that shows a credential: %s', (line) => {
  expect(() => drawTerminal([{ atMs: 0, text: `${line}\n` }], words)).toThrow('the recording shows a credential');
});

test('the picture in the documents is small and loads no other file', () => {
  const svg = readFileSync('docs/demo.svg', 'utf8');
  expect(statSync('docs/demo.svg').size).toBeLessThan(150_000);
  expect(svg).not.toMatch(/<script|<image|<foreignObject|href|url\(|@import|@font-face/);
  expect(rows(svg).at(0)).toBe('$ npm run demo');
  expect(rows(svg).some((row) => row.startsWith('==&gt; every check passed'))).toBe(true);
});
