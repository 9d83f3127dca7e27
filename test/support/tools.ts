import { spawnSync } from 'node:child_process';

/** The tools that the documents use in addition to kubectl and that this machine lacks. */
export const missingTools = ['curl', 'jq'].filter((tool) => spawnSync(tool, ['--version']).error !== undefined);
