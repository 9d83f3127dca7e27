import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { runAuditlog } from './run-auditlog.ts';

/** The candidates for the last word, without descriptions. */
async function candidates(...words: readonly string[]): Promise<readonly string[]> {
  const { output } = await runAuditlog(['__complete', ...words]);
  return output
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/\t.*/, ''));
}

describe('completion', () => {
  test.each<[readonly string[], readonly string[]]>([
    [['st'], ['status', ':4']],
    [
      ['status', '--na'],
      ['--namespace', ':4'],
    ],
    [
      ['status', '-o', ''],
      ['table', 'json', 'yaml', ':4'],
    ],
    [
      ['status', '--output', 'j'],
      ['json', ':4'],
    ],
    [['plan', '-f', ''], [':0']],
    [['verify', ''], [':0']],
    [['verify', '-o', 'json', ''], [':0']],
    [
      ['pull', '--follow', '--t'],
      ['--token-file', '--to', ':4'],
    ],
    [['reconcile', ''], [':4']],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish', ':4'],
    ],
    [['nothing', ''], [':4']],
  ])('offers for %j', async (words, expected) => {
    expect((await candidates(...words)).toSorted()).toEqual([...expected].toSorted());
  });

  test('offers every command with its summary', async () => {
    const { output } = await runAuditlog(['__complete', '']);
    expect(output).toMatch(/^verify\tChecks /m);
    const help = (await runAuditlog(['--help'])).output;
    expect(output.split('\n').filter((line) => line.includes('\t'))).toHaveLength(
      help.match(/^ {2}\w+ +[A-Z]/gm)?.length ?? 0,
    );
  });

  test.each(['bash', 'zsh', 'fish'])('has a script for %s', async (shell) => {
    const { code, output } = await runAuditlog(['completion', shell]);
    expect(code).toBe(0);
    expect(output).toContain('auditlog __complete');
  });

  test('asks for a shell that it knows', async () => {
    const { code, errors } = await runAuditlog(['completion', 'cmd']);
    expect({ code, errors }).toEqual({
      code: 2,
      errors: 'auditlog completion: name the shell: bash, zsh, fish; see auditlog completion --help\n',
    });
  });

  test('works in bash', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'completion-'));
    try {
      const main = join(process.cwd(), 'src/main.ts');
      const script = `#!/bin/sh\nexec "${process.execPath}" "${main}" auditlog "$@"\n`;
      writeFileSync(join(folder, 'auditlog'), script, { mode: 0o755 });
      const { output } = await runAuditlog(['completion', 'bash']);
      const typed = `${output}
COMP_WORDS=(auditlog stat); COMP_CWORD=1; _auditlog; echo "\${COMPREPLY[@]}"
COMP_WORDS=(auditlog status -o ''); COMP_CWORD=3; _auditlog; echo "\${COMPREPLY[@]}"
cd "${folder}"; COMP_WORDS=(auditlog plan -f au); COMP_CWORD=3; _auditlog; echo "\${COMPREPLY[@]}"
`;
      const PATH = [folder, process.env['PATH']].join(delimiter);
      const shown = execFileSync('bash', ['--norc', '-c', typed], { encoding: 'utf8', env: { PATH } });
      expect(shown).toBe('status\ntable json yaml\nauditlog\n');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
