import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './documents.ts';

const folders = ['api', 'forwarding', 'status', 'verification'];
const files = globSync(
  folders.map((folder) => `${folder}/**/*.ts`),
  { cwd: join(root, 'src') },
).toSorted();

/** The code with the texts of conditions and events. Texts that are split over several lines are joined. */
export const sources = files
  .map((file) => readFileSync(join(root, 'src', file), 'utf8'))
  .join('\n')
  .replaceAll(/[`'"] \+\n\s*[`'"]/g, '');
