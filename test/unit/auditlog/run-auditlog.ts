import { Readable } from 'node:stream';
import { auditlog } from '../../../src/auditlog/main.ts';

/** Runs the command in this process, as one that is not on a terminal. */
export async function runAuditlog(
  args: readonly string[],
  {
    stdin = '',
    env = {},
    signal = new AbortController().signal,
  }: { stdin?: string; env?: Readonly<Record<string, string>>; signal?: AbortSignal } = {},
): Promise<{ code: number; output: string; errors: string }> {
  let [output, errors] = ['', ''];
  const code = await auditlog(args, {
    stdin: Readable.from([Buffer.from(stdin)]),
    print: async (text) => {
      output += text;
    },
    warn: (line) => {
      errors += `${line}\n`;
    },
    hasColors: false,
    env,
    signal,
  });
  return { code, output, errors };
}
