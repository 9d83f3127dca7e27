import { describe, expect, test } from '@jest/globals';
import { reasons } from '../../src/forwarding/problems.ts';
import { metricTable } from '../../src/telemetry/metric-table.ts';
import { code, document, headings, rows } from './documents.ts';
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

  test('has every metric with its type and labels', () => {
    const table = new Map(rows(runbook).map((cells) => [code(cells[0] ?? '')[0], cells] as const));
    const lacking = Object.values(metricTable).filter(({ name, type, labels }) => {
      const [, kind, shown = ''] = table.get(name) ?? [];
      return kind !== type || code(shown).join() !== labels.join();
    });
    expect(lacking).toEqual([]);
  });
});
