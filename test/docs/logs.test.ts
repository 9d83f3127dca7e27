import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { code, document, root, rows } from './documents.ts';

const page = document('docs/operate/logs.md');

/** Each message of the log after its level, from `log.warn({ … }, 'message')`. */
const logged = globSync('src/**/*.ts', { cwd: root })
  .map((file) => readFileSync(join(root, file), 'utf8'))
  .flatMap((source) => [
    ...source.matchAll(/\blog\.(debug|info|warn|error)\(\s*(?:\w+|\{[^}]*\}),\s*([^;]*?),?\s*\);/g),
  ])
  .flatMap(([, level = '', argument = '']) => texts(argument).map((message) => `${level}: ${message}`));

/** Returns the strings of an argument: one, or the two of a conditional expression. */
function texts(argument: string): string[] {
  return [...argument.matchAll(/'([^']+)'/g)].map(([, text = '']) => text);
}

test('docs/operate/logs.md has every message of the log with its level, and no other', () => {
  expect(logged.length).toBeGreaterThan(25);
  const documented = rows(page).flatMap(([message = '', levels = '']) =>
    /\b(?:debug|info|warn|error)\b/.test(levels) ? code(message).map((text) => `${levels}: ${text}`) : [],
  );
  // The level of an event depends on its type.
  expect(documented.toSorted()).toEqual([...logged, 'info, warn: event'].toSorted());
});
