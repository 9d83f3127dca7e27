import { describe, expect, test } from '@jest/globals';
import { document } from './documents.ts';

const readme = document('README.md');

/** Returns the blocks of a language with continued lines joined. */
function blocks(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, block = '']) =>
    block.replaceAll(/ \\\n\s*/g, ' '),
  );
}

function lines(texts: readonly string[]): string[] {
  return texts.flatMap((text) => text.split('\n')).filter((line) => line !== '');
}

describe('README.md', () => {
  test('has at most 150 lines', () => {
    expect(readme.split('\n').length - 1).toBeLessThanOrEqual(150);
  });

  test('installs with the commands of docs/install/helm.md', () => {
    const commands = lines(blocks(readme, 'sh'));
    expect(commands).toHaveLength(3);
    const known = lines(blocks(document('docs/install/helm.md'), 'sh'));
    expect(commands.filter((command) => !known.includes(command))).toEqual([]);
  });
});
