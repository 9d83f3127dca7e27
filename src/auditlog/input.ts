/** How commands read files and standard input. */
import { createReadStream } from 'node:fs';
import { linesOf } from '../audit-lines/lines.ts';
import { CommandError, codeOf, type Terminal } from './command.ts';

/** So many lines at once keep several cores busy. A larger chunk verifies no faster, and costs memory. */
const chunkBytes = 32 * 1024;

/** Yields the lines of a file, or of standard input for `-`, as {@link linesOf} does. Rejects with a CommandError that names the file. */
export async function* linesOfInput(file: string, { stdin, signal }: Terminal): AsyncGenerator<readonly string[]> {
  try {
    yield* linesOf(file === '-' ? stdin : createReadStream(file, { highWaterMark: chunkBytes, signal }));
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** What the user can do about an error of gzip. */
const gzipProblems: Readonly<Record<string, string>> = {
  Z_BUF_ERROR: 'its gzip data end too early: copy the whole file again',
  Z_DATA_ERROR: 'its gzip data are damaged: copy the file again',
};

/** Returns the error for a file that cannot be read, or the error itself if it has no code. */
export function unreadable(file: string, error: unknown): unknown {
  const code = codeOf(error);
  return code === undefined ? error : new CommandError(`${file} cannot be read (${gzipProblems[code] ?? code})`);
}
