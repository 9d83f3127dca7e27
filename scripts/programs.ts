import { execFile } from 'node:child_process';
import { types } from 'node:util';

export interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a program until it exits. Resolves with every exit code. */
export async function run(file: string, args: readonly string[], timeoutMs = 60_000): Promise<Result> {
  return new Promise((resolve, reject) => {
    execFile(file, args, { timeout: timeoutMs, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      if (error === null) resolve({ code: 0, stdout, stderr });
      else if (types.isNativeError(error) && typeof error.code === 'number') {
        resolve({ code: error.code, stdout, stderr });
      } else reject(error);
    });
  });
}

/** Resolves with the trimmed standard output. Rejects with the end of both outputs if the exit code is not 0. */
export async function output(file: string, args: readonly string[], timeoutMs?: number): Promise<string> {
  const { code, stdout, stderr } = await run(file, args, timeoutMs);
  if (code !== 0)
    throw new Error(`${file} ${args.join(' ')} ended with ${code}:\n${stderr.slice(-2_000)}${stdout.slice(-2_000)}`);
  return stdout.trim();
}
