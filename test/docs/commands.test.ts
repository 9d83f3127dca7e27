import { execFile } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { operatorFile } from '../../sandbox/operator-process.ts';
import { environmentName, flagTable } from '../../src/config/flags.ts';
import { code, document, documents, root, rows } from './documents.ts';
import { scriptsOf } from './scripts.ts';

const Package = z.object({ version: z.string(), scripts: z.record(z.string(), z.string()) });
const { version, scripts } = Package.parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
const run = promisify(execFile);

/** Runs the built operator with an empty environment, so that no variable sets a flag. Resolves with standard output. */
async function operator(...args: string[]): Promise<string> {
  return (await run(process.execPath, [operatorFile, ...args], { env: {} })).stdout;
}

describe('node dist/operator.js', () => {
  test('--help has every flag of docs/operate/flags.md, with its variable and its default, and no other', async () => {
    const help = await operator('--help');
    const shown = new Map(
      [...help.matchAll(/^ {2}--([a-z-]+)=<[^>]+>(?: \(default (.+)\))?\n(?: {6}.+\n)*? {6}\$(\w+)$/gm)].map(
        ([, name = '', preset = '', variable = '']) => [`--${name}`, { preset, variable }] as const,
      ),
    );
    expect(shown.size).toBe(flagTable.length);
    const documented = rows(document('docs/operate/flags.md')).flatMap((cells) => {
      const [flag = ''] = code(cells[0] ?? '');
      const [variable = ''] = code(cells[1] ?? '');
      const [preset = ''] = code(cells[2] ?? '');
      return flag.startsWith('--') && variable !== '' ? [[flag, { preset, variable }] as const] : [];
    });
    expect(Object.fromEntries(shown)).toEqual(Object.fromEntries(documented));
    for (const flag of flagTable) expect(shown.get(`--${flag.name}`)?.variable).toBe(environmentName(flag));
    expect(help).toMatch(/^ {2}-h, --help$/m);
    expect(help).toMatch(/^ {2}--version$/m);
  });

  test('--version prints the version of the package', async () => {
    expect((await operator('--version')).trim()).toContain(version);
  });

  test('has at most 1.5 MiB, without what client-node imports and the operator does not use', () => {
    expect(statSync(operatorFile).size).toBeLessThanOrEqual(1.5 * 2 ** 20);
    const text = readFileSync(operatorFile, 'utf8');
    for (const word of ['V1PodSpec', 'UND_ERR_SOCKET']) expect(text).not.toContain(word);
  });

  test('ends with one line and exit code 2 if a flag is invalid', async () => {
    await expect(operator('--log-level=loud')).rejects.toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^.*--log-level.*\n$/),
    });
  });
});

describe('npm run', () => {
  const named = [...documents].flatMap(([path, text]) =>
    [...text.matchAll(/\bnpm run ([a-z][\w:]*)/g)].map(([, name = '']) => ({ path, name })),
  );

  test('is in the documents', () => {
    expect(new Set(named.map(({ name }) => name)).size).toBeGreaterThan(4);
  });

  test('names only scripts that exist', () => {
    expect(named.filter(({ name }) => scripts[name] === undefined)).toEqual([]);
  });
});

test('folders that commands apply exist', () => {
  const folders = [...documents].flatMap(([path, text]) =>
    scriptsOf(text).flatMap((script) =>
      [...script.text.matchAll(/ -[fk] (\S+\/)/g)].map(([, folder = '']) => ({ path, folder })),
    ),
  );
  expect(folders.length).toBeGreaterThan(2);
  expect(folders.filter(({ folder }) => !existsSync(join(root, folder)))).toEqual([]);
});
