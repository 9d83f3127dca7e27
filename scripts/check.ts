/** `npm run check`: checks format, lint and types, the fastest check first. Stops at the first failure. */
import { spawnSync } from 'node:child_process';

const checks: [name: string, file: string, args: string[]][] = [
  ['format', 'node_modules/@biomejs/biome/bin/biome', ['ci', '--colors=off', '.']],
  ['lint', 'node_modules/oxlint/bin/oxlint', ['--type-aware', '--deny-warnings']],
  ['types', 'node_modules/typescript/bin/tsc', ['--noEmit']],
];
for (const [name, file, args] of checks) {
  process.stdout.write(`==> ${name}\n`);
  const { status } = spawnSync(process.execPath, [file, ...args], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
