import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { outputsFolder, type StoredOutputs } from './environment.ts';
import { findLeaks } from './leaks.ts';

/**
 * Looks for the secrets of every environment in what was said in every other, over all the environments of the run that have ended so far; `folder` is the control
 * plane's. Answers how many there are, and where which secret was said.
 */
export async function checkRun(folder: string): Promise<{ environments: number; leaks: string[] }> {
  const files = await readdir(outputsFolder(folder)).catch(() => []);
  const environments = await Promise.all(
    files.map(async (file) => {
      const kept: StoredOutputs = JSON.parse(await readFile(join(outputsFolder(folder), file), 'utf8'));
      return { ...kept, said: kept.outputs.map(({ source, text }) => ({ source: `${file}: ${source}`, text })) };
    }),
  );
  const canaries = environments.flatMap((one) => one.canaries);
  return { environments: environments.length, leaks: environments.flatMap(({ said }) => findLeaks(said, canaries)) };
}
