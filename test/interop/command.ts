import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Ended {
  /** Null if a signal ended the process. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly folder: string;
  /** All environment variables except PATH. */
  readonly env: Readonly<Record<string, string>>;
}

export interface Running {
  /** Rejects if the file cannot be run. */
  readonly ended: Promise<Ended>;
  /** Returns all output so far. */
  output(): string;
  kill(signal: NodeJS.Signals): void;
}

/** Starts a program without the environment of this process, so that it uses no setting of the user. */
export function startCommand(file: string, args: readonly string[], { folder, env }: CommandOptions): Running {
  const child = spawn(file, args, {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const written = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (written.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (written.stderr += text));
  return {
    ended: once(child, 'close').then(() => ({ code: child.exitCode, ...written })),
    output: () => written.stdout + written.stderr,
    kill: (signal) => void child.kill(signal),
  };
}

export function runCommand(file: string, args: readonly string[], options: CommandOptions): Promise<Ended> {
  return startCommand(file, args, options).ended;
}
