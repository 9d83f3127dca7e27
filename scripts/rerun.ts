/** Runs the tests, and those files again that failed in a way that a busy machine explains. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { buildArgv } from 'jest';
import * as z from 'zod';
import { usesControlPlane } from './control-plane-folders.ts';

/** More files than this fail for another reason than a busy machine. */
const maxFiles = 3;

const resultsSchema = z.object({
  testResults: z.array(
    z.object({ name: z.string(), status: z.enum(['passed', 'failed', 'skipped', 'pending', 'focused']) }),
  ),
});

export interface TestRun {
  /** Runs jest with these arguments. Returns its exit code. */
  readonly run: (args: readonly string[]) => number;
  readonly args: readonly string[];
  readonly progress: (line: string) => void;
}

/**
 * Runs jest. If at most three files failed, and all of them use the control plane, runs these again, alone, with the same pattern of test names. Resolves
 * with the last exit code. Prints which files failed at first, so that no failure is hidden. `--no-rerun` among the arguments of `npm test` leaves the
 * second run out.
 */
export async function runWithRerun({ run, args, progress }: TestRun): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'test-results-'));
  try {
    const file = join(folder, 'results.json');
    const code = run([...args, '--json', `--outputFile=${file}`]);
    if (code === 0) return code;
    const failed = failedFiles(file);
    // The processes of tests with a control plane compete for the cores, so a failure may be a deadline that the machine missed.
    if (failed.length === 0 || failed.length > maxFiles || !failed.every(usesControlPlane)) return code;
    progress(`failed beside other tests, run again alone: ${failed.join(', ')}`);
    const { testNamePattern } = await buildArgv([...args]);
    const names = testNamePattern === undefined ? [] : [`--testNamePattern=${testNamePattern}`];
    const second = run([...names, '--runTestsByPath', ...failed, '--runInBand']);
    progress(
      second === 0
        ? `flaky, failed first and then passed alone: ${failed.join(', ')}`
        : 'failed again, so other tests are not the cause',
    );
    return second;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Returns the paths of the files with a failure, from the root of the project. Empty if jest wrote no results. */
function failedFiles(file: string): string[] {
  try {
    return resultsSchema
      .parse(JSON.parse(readFileSync(file, 'utf8')))
      .testResults.filter(({ status }) => status === 'failed')
      .map(({ name }) => relative(process.cwd(), name));
  } catch {
    return [];
  }
}
