import { spawnSync } from 'node:child_process';

/** The lint goes first, since it may leave text that needs format. */
const fixers: readonly (readonly [file: string, ...args: string[]])[] = [
  ['node_modules/oxlint/bin/oxlint', '--fix', '--type-aware', '--deny-warnings', '--no-error-on-unmatched-pattern'],
  [
    'node_modules/@biomejs/biome/bin/biome',
    'check',
    '--write',
    '--no-errors-on-unmatched',
    '--files-ignore-unknown=true',
  ],
];

/** Fixes these files, or all if there are none. Ignores files that no fixer knows. Returns 0 if no error remains. */
export function fix(files: readonly string[]): number {
  const codes = fixers.map(
    ([file, ...args]) => spawnSync(process.execPath, [file, ...args, ...files], { stdio: 'inherit' }).status ?? 1,
  );
  return Math.max(...codes);
}
