/** `npm run verify`: writes all generated files, then fails if git finds a changed file, and prints which. */
import { execFileSync } from 'node:child_process';

await import('./generate.ts');
const changed = execFileSync('git', ['status', '--porcelain', '--untracked-files=all'], { encoding: 'utf8' });
if (changed !== '') {
  process.stderr.write(
    `These files differ from the last commit:\n${changed}Commit what npm run generate has written, with its sources.\n`,
  );
  process.exitCode = 1;
}
