import { describe, expect, test } from '@jest/globals';
import { flagsFile, withFlagTable } from '../../scripts/flags.ts';
import { code, document, documents, rows } from './documents.ts';

const page = document(flagsFile);
const known = new Set(rows(page).flatMap((cells) => code(cells[0] ?? '')));

describe('docs/operate/flags.md', () => {
  test('is what npm run generate writes', () => {
    expect(withFlagTable(page) === page ? 'up to date' : 'run npm run generate').toBe('up to date');
  });

  test('names only flags that exist', () => {
    const named = [...page.matchAll(/`(--[a-z-]+)`/g)].map(([, name = '']) => name);
    expect(named.filter((name) => !known.has(name))).toEqual(['--help', '--version']);
  });
});

test('the runbook names only flags that exist', () => {
  const pages = [...documents].filter(([path]) => /^docs\/operate\/(?:runbook|first-aid|troubleshooting)/.test(path));
  const text = pages.map(([, one]) => one).join('\n');
  const named = [...text.matchAll(/`(--[a-z-]+)`/g)].map(([, name = '']) => name);
  expect(named.length).toBeGreaterThan(3);
  expect(named.filter((name) => !known.has(name))).toEqual([]);
});
