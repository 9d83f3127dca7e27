import { spawnSync } from 'node:child_process';

/** Tools that the documents use beside kubectl and that are missing on this machine. */
export const missingTools = ['curl', 'jq'].filter((tool) => spawnSync(tool, ['--version']).error !== undefined);
