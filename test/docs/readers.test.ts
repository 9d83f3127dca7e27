/** Each page has one reader and is short enough to be read at once. */
import { describe, expect, test } from '@jest/globals';
import { documents } from './documents.ts';

const readers = [
  'users',
  'cluster administrators',
  'the operator on call',
  'security engineers',
  'security reviewers',
  'contributors',
  'maintainers',
  'every reader',
  'everyone',
];

/** Pages that have only a link to the new place. */
const moved = /^This page has moved to \[[^\]]+\]\([^)]+\)\.\n$/;
const others = /^(?:README|CHANGELOG)\.md$|^docs\/develop\/adr\//;
const pages = [...documents].filter(([path, text]) => !moved.test(text) && !others.test(path));

test('docs/README.md lists every page', () => {
  const listed = documents.get('docs/README.md') ?? '';
  const inFolder = pages.filter(([path]) => /^docs\/(?!README|operate\/runbook\/)/.test(path));
  expect(
    inFolder.filter(([path]) => !listed.includes(`](${path.slice('docs/'.length)})`)).map(([path]) => path),
  ).toEqual([]);
});

describe.each(pages)('%s', (_path, text) => {
  test('names its one reader on its first line', () => {
    const [, line = ''] = /^# .+\n\n(.+)$/m.exec(text) ?? [];
    const reader = readers.find((one) => line.startsWith(`For ${one}`)) ?? line;
    expect(readers).toContain(reader);
    expect(line.slice(`For ${reader}`.length)).toMatch(/^(?:[:.]| (?:who|whose|of)\b)/);
  });

  test('has at most 200 lines', () => {
    expect(text.split('\n').length - 1).toBeLessThanOrEqual(200);
  });
});
