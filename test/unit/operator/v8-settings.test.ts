import { execFileSync } from 'node:child_process';
import { expect, test } from '@jest/globals';

const settings = new URL('../../../src/operator/v8-settings.ts', import.meta.url).href;

/** Returns the lines in which V8 says that it optimizes a function that runs often. */
function optimizations(before: string): string[] {
  const script = `${before}
    const often = (sum, next) => (sum + next) % 1000;
    let sum = 0;
    for (let next = 0; next < 3_000_000; next += 1) sum = often(sum, next);`;
  const output = execFileSync(process.execPath, ['--trace-opt', '--input-type=module', '--eval', script], {
    encoding: 'utf8',
  });
  return output.split('\n').filter((line) => line.includes('often'));
}

test('preferLittleMemory turns the optimizing compilers off', () => {
  expect(optimizations('')).not.toEqual([]);
  expect(optimizations(`import { preferLittleMemory } from '${settings}'; preferLittleMemory();`)).toEqual([]);
});
