import { spawnSync } from 'node:child_process';

/** Returns the tools that the documents use in addition to kubectl and that this machine lacks. */
export function missingTools(env: Readonly<Record<string, string | undefined>> = process.env): string[] {
  return ['curl', 'jq'].filter((tool) => spawnSync(tool, ['--version'], { env }).error !== undefined);
}
