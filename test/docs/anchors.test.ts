/** Links to these anchors are in alerts of clusters, in runbooks and in bookmarks of users. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import * as z from 'zod';
import { anchorsOf } from './documents.ts';

const file = join(import.meta.dirname, 'published-anchors.json');
const published = z.record(z.string(), z.array(z.string())).parse(JSON.parse(readFileSync(file, 'utf8')));

test.each(Object.entries(published))('%s still has every anchor that it has had', (page, anchors) => {
  const present = new Set(anchorsOf(page));
  expect(anchors.filter((anchor) => !present.has(anchor))).toEqual([]);
});
