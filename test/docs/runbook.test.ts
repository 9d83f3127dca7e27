import { globSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { entriesOf, runbookFile, runbookPages, withEntries } from '../../scripts/runbook.ts';
import { reasons } from '../../src/forwarding/problems.ts';
import { document, root } from './documents.ts';
import { sources } from './sources.ts';

const pages = runbookPages();
const entries = pages.flatMap(entriesOf);

/** Reasons that the code contains as literals. */
const announced = [
  ...sources.matchAll(
    /recordEvent\(\s*(?:context|\{[^{}]*\}),\s*'(?:Normal|Warning)',\s*(?:\w+(?: === '[\w ]+')? \? '(\w+)' : )?'(\w+)'/g,
  ),
];
const conditions = [
  ...sources.matchAll(/\breason: '(\w+)'/g),
  ...sources.matchAll(/'(?:True|False|Unknown)', '(?!False|Unknown)(\w+)'/g),
  ...sources.matchAll(/\b(?:destination|webhooks): health\(.+, '(\w+)', '/g),
];
const literal = [...announced, ...conditions].flatMap(([, ...words]) => words.filter((word) => word !== undefined));

describe('the runbook', () => {
  test('has an entry for every reason, and for no other', () => {
    expect(announced.length).toBeGreaterThan(8);
    expect(conditions.length).toBeGreaterThan(4);
    const known = new Set([...Object.values(reasons), ...literal, 'Deleting']);
    expect(sources).toContain("'Deleting'");
    expect(entries.map(({ reason }) => reason).toSorted()).toEqual([...known].toSorted());
  });

  test('lists every entry, as npm run generate writes it', () => {
    const page = document(runbookFile);
    expect(withEntries(page) === page ? 'up to date' : 'run npm run generate').toBe('up to date');
  });

  test('has every page of its folder', () => {
    const files = globSync('docs/operate/runbook/*.md', { cwd: root });
    expect(pages.map(({ file }) => file).toSorted()).toEqual(files.toSorted());
  });

  test.each(entries.map(({ reason, text }) => [reason, text] as const))(
    '%s: its messages are those of the code',
    (_reason, entry) => {
      const messages = [...entry.matchAll(/^> (.+)$/gm)].map(([, message = '']) => message);
      expect(messages).not.toEqual([]);
      const parts = messages.flatMap((message) => message.split('…')).map((part) => part.trim().replace(/^[,;:] /, ''));
      expect(parts.filter((part) => part !== '' && !sources.includes(part))).toEqual([]);
    },
  );
});
