import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findLeaks } from './canary.ts';
import { type Kept, keptFolder } from './environment.ts';

/**
 * Looks for the secrets of every world in what was said in every other, over all the worlds of the run that have ended so far; `folder` is the control
 * plane's. Answers how many there are, and where which secret was said.
 */
export async function checkRun(folder: string): Promise<{ worlds: number; leaks: string[] }> {
  const files = await readdir(keptFolder(folder)).catch(() => []);
  const worlds = await Promise.all(
    files.map(async (file) => {
      const kept: Kept = JSON.parse(await readFile(join(keptFolder(folder), file), 'utf8'));
      return { ...kept, said: kept.said.map(({ source, text }) => ({ source: `${file}: ${source}`, text })) };
    }),
  );
  const canaries = worlds.flatMap((one) => one.canaries);
  return { worlds: worlds.length, leaks: worlds.flatMap(({ said }) => findLeaks(said, canaries)) };
}
