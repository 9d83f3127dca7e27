import { describe, expect, test } from '@jest/globals';
import { documents } from './documents.ts';

const pages = [...documents].filter(([path]) => path.startsWith('docs/siem/'));

describe.each(pages)('%s', (path, text) => {
  test('says on its first line for whom it is', () => {
    expect(text).toMatch(/^# .+\n\nFor [a-z ]+(?: who| whose|:)/);
  });

  test('has at most 200 lines', () => {
    expect(text.split('\n').length).toBeLessThanOrEqual(201);
  });

  test('is in docs/README.md', () => {
    expect(documents.get('docs/README.md')).toContain(`](${path.slice('docs/'.length)})`);
  });
});
