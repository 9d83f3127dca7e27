import { deepEqual } from 'node:assert/strict';
import { document, rows } from '../docs/documents.ts';

/** Checks that a page shows these rows. Rejects with those that it does not have. */
export function expectRows(path: string, expected: readonly (readonly string[])[]): void {
  const shown = new Set(rows(document(path)).map((cells) => cells.join(' | ')));
  const missing = expected.map((cells) => cells.join(' | ')).filter((row) => !shown.has(row));
  deepEqual(missing, [], `${path} does not have these rows`);
}
