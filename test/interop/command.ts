import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Ended {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly folder: string;
  /** The whole environment, but for PATH. */
  readonly env: Readonly<Record<string, string>>;
}

export interface Running {
  /** Rejects where the file cannot be run at all. */
  readonly ended: Promise<Ended>;
  /** Everything written so far. */
  output(): string;
  kill(signal: NodeJS.Signals): void;
}

/** Starts a program with nothing of our own environment, so that no setting of the person who runs it leaks in. */
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
