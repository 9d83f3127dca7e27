import { describe, expect, test } from '@jest/globals';
import { reasons } from '../../src/forwarding/problems.ts';
import { document, headings } from './documents.ts';
import { sources } from './sources.ts';

const runbook = document('docs/operate/runbook.md');

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

describe('docs/operate/runbook.md', () => {
  test('has an entry for every reason, and for no other', () => {
    expect(announced.length).toBeGreaterThan(8);
    expect(conditions.length).toBeGreaterThan(4);
    const known = new Set([...Object.values(reasons), ...literal, 'Deleting']);
    expect(sources).toContain("'Deleting'");
    expect(headings(runbook, 3).toSorted()).toEqual([...known].toSorted());
  });

  test('links every entry from its table of contents', () => {
    const linked = new Set([...runbook.matchAll(/\[(\w+)\]\(#(\w+)\)/g)].map(([, title = '']) => title));
    expect(headings(runbook, 3).filter((reason) => !linked.has(reason))).toEqual([]);
  });

  const entries = runbook.split(/^### /m).slice(1);
  test.each(entries.map((entry) => [entry.slice(0, entry.indexOf('\n')), entry] as const))(
    '%s: its messages are those of the code',
    (_reason, entry) => {
      const messages = [...entry.matchAll(/^> (.+)$/gm)].map(([, message = '']) => message);
      expect(messages).not.toEqual([]);
      const parts = messages.flatMap((message) => message.split('…')).map((part) => part.trim().replace(/^[,;:] /, ''));
      expect(parts.filter((part) => part !== '' && !sources.includes(part))).toEqual([]);
    },
  );
});
