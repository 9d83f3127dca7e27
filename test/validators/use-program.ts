import { beforeAll } from '@jest/globals';
import { ensureProgram, type GoProgram } from './build.ts';
import { buildTimeoutMs, progress } from './progress.ts';

/** Returns a function that returns the path of the program's executable. Builds it before the tests of the file. */
export function useProgram(program: GoProgram): () => string {
  let path = '';
  beforeAll(async () => {
    path = await ensureProgram(program, { progress });
  }, buildTimeoutMs);
  return () => path;
}
