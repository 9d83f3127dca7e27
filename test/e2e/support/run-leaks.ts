import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { outputsFolder, type StoredOutputs } from './environment.ts';
import { findLeaks } from './leaks.ts';

/**
 * Searches the output of every environment of the run for the secrets of all of them. `folder` is that of the control plane. Resolves with the number
 * of environments that have ended, and with the secrets that were found.
 */
export async function checkRun(folder: string): Promise<{ environments: number; leaks: string[] }> {
  const files = await readdir(outputsFolder(folder)).catch(() => []);
  const environments = await Promise.all(
    files.map(async (file) => {
      const kept: StoredOutputs = JSON.parse(await readFile(join(outputsFolder(folder), file), 'utf8'));
      return { ...kept, outputs: kept.outputs.map(({ source, text }) => ({ source: `${file}: ${source}`, text })) };
    }),
  );
  const canaries = environments.flatMap((one) => one.canaries);
  return {
    environments: environments.length,
    leaks: environments.flatMap(({ outputs }) => findLeaks(outputs, canaries)),
  };
}
