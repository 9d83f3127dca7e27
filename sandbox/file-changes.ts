/** Detects changed files by comparing them, so it also works for files replaced by a rename and for files changed on the other side of a bind mount. */
import { readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface FileChangesOptions {
  /** Only files whose name ends with it are compared. */
  readonly suffix: string;
  readonly everyMs: number;
  /** Ends the iteration. */
  readonly signal: AbortSignal;
}

/**
 * Resolves when the present files are known. Yields the path, relative to `folder`, of a file that was changed, added or removed since then.
 * Yields several changes in a row once, when no further change follows for `everyMs`. Yields a change that happens between two iterations in
 * the next one.
 */
export async function fileChanges(folder: string, options: FileChangesOptions): Promise<AsyncGenerator<string>> {
  return changesSince(await versions(folder, options.suffix), folder, options);
}

async function* changesSince(
  first: ReadonlyMap<string, string>,
  folder: string,
  { suffix, everyMs, signal }: FileChangesOptions,
): AsyncGenerator<string> {
  let known = first;
  let previous = first;
  while (await passes(everyMs, signal)) {
    const present = await versions(folder, suffix);
    const changed = difference(known, present);
    const isQuiet = difference(previous, present) === undefined;
    previous = present;
    if (changed === undefined || !isQuiet) continue;
    known = present;
    yield relative(folder, changed);
  }
}

async function passes(ms: number, signal: AbortSignal): Promise<boolean> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
  return !signal.aborted;
}

/** Returns, by path, a text that differs after each change of the file. */
async function versions(folder: string, suffix: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith(suffix));
  const found = await Promise.all(
    files.map(async ({ parentPath, name }): Promise<[string, string][]> => {
      const path = join(parentPath, name);
      // A file may be gone since it was listed.
      const facts = await stat(path).catch(() => undefined);
      return facts === undefined ? [] : [[path, [facts.ino, facts.size, facts.mtimeMs].join(' ')]];
    }),
  );
  return new Map(found.flat());
}

function difference(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string | undefined {
  const paths = [...after.keys(), ...before.keys()];
  return paths.find((path) => before.get(path) !== after.get(path));
}
