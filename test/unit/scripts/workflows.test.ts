import { globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import * as z from 'zod';
import manifest from '../../../package.json' with { type: 'json' };

const Step = z.object({ run: z.string().default('') });
const Job = z.object({
  strategy: z.object({ matrix: z.object({ command: z.array(z.string()).default([]) }) }).optional(),
  steps: z.array(Step),
});
const Workflow = z.object({ jobs: z.record(z.string(), Job) });

describe.each(globSync('.github/workflows/*.yml'))('%s', (file) => {
  const text = readFileSync(file, 'utf8');

  test('names each action by the hash of a commit, and its version in a comment', () => {
    const uses = text.split('\n').filter((line) => line.includes('uses:'));
    expect(uses.length).toBeGreaterThan(0);
    for (const line of uses) expect(line).toMatch(/^ +- uses: actions\/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  test('runs only scripts that exist', () => {
    const jobs = Object.values(Workflow.parse(parse(text)).jobs);
    const commands = jobs.flatMap(({ strategy, steps }) => [
      ...(strategy?.matrix.command ?? []).map((command) => `npm run ${command}`),
      ...steps.map(({ run }) => run),
    ]);
    const names = commands.flatMap((command) => [...command.matchAll(/npm run ([a-z:]+)/g)].map(([, name]) => name));
    expect(names.length).toBeGreaterThan(0);
    expect(Object.keys(manifest.scripts)).toEqual(expect.arrayContaining(names));
  });
});
