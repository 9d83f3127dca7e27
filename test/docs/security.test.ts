import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { code, document, headings, root, rows } from './documents.ts';

const text = document('docs/trust/security.md');
const sections = text.split(/^## /m).slice(1);
const claims = rows(text);

describe('the security model', () => {
  test.each(['tenant', 'Konnect', 'SIEM', 'reader', 'Pod'])(
    'has a section on %s, with what it cannot and what it can do',
    (who) => {
      const title = headings(text, 2).find((heading) => heading.includes(who));
      const section = sections.find((one) => one.startsWith(title ?? 'none')) ?? '';
      expect(rows(section).length).toBeGreaterThan(1);
      expect(section).toMatch(/^It can\b/m);
    },
  );

  test.each(claims.map(([what = '', , tests = '']) => [what, tests] as const))(
    'has a test for: cannot %s',
    (_what, tests) => {
      const files = code(tests);
      expect(files).not.toEqual([]);
      expect(files.filter((file) => !/^test\/.*\.test\.ts$/.test(file) || !existsSync(join(root, file)))).toEqual([]);
    },
  );

  test('has a reason for each claim', () => {
    expect(claims.filter((cells) => cells.length !== 3 || cells.includes(''))).toEqual([]);
  });
});
