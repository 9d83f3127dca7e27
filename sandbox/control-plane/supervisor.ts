/**
 * The process that owns servers and their folder. It reads commands as JSON lines from standard input, a pipe from its parent process. When
 * the parent ends, for any reason, the pipe closes: this process then kills the servers and removes the folder. It runs in its own session,
 * so that Ctrl-C in a terminal interrupts only the parent.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export type SupervisorCommand =
  | { kind: 'start'; name: string; command: string; args: readonly string[]; inTerminal?: InTerminal | undefined }
  | { kind: 'signal'; name: string; signal: 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' };

/**
 * For a program that a developer uses directly. It writes to standard error of this process instead of a log file, and its environment is that
 * of this process with `env` added.
 */
export interface InTerminal {
  readonly env: Readonly<Record<string, string>>;
}

export type SupervisorEvent =
  | { kind: 'ready'; folder: string }
  | { kind: 'started'; name: string; pid: number }
  | { kind: 'exited'; name: string; how: string };

const folder = mkdtempSync(join(tmpdir(), 'audit-log-sandbox-'));
const servers = new Map<string, ChildProcess>();
let ending = false;

function start({ name, command, args, inTerminal }: Extract<SupervisorCommand, { kind: 'start' }>): void {
  const child =
    inTerminal === undefined ? spawnWithLog(name, command, args) : spawnInTerminal(command, args, inTerminal);
  if (child.pid === undefined) {
    child.on('error', (error) => emit({ kind: 'exited', name, how: `cannot be run: ${error.message}` }));
    return;
  }
  servers.set(name, child);
  emit({ kind: 'started', name, pid: child.pid });
  child.on('exit', (code, signal) => {
    servers.delete(name);
    emit({ kind: 'exited', name, how: code === null ? `was killed by ${signal}` : `exited with code ${code}` });
    if (ending && servers.size === 0) process.exit(0);
  });
}

function spawnWithLog(name: string, command: string, args: readonly string[]): ChildProcess {
  const log = openSync(join(folder, `${name}.log`), 'a', 0o600);
  const { PATH, GOGC } = process.env;
  const env = { PATH, GOGC };
  const child = spawn(command, args, { cwd: folder, stdio: ['ignore', log, log], env });
  closeSync(log);
  return child;
}

function spawnInTerminal(command: string, args: readonly string[], { env }: InTerminal): ChildProcess {
  return spawn(command, args, { cwd: folder, stdio: ['ignore', 2, 2], env: { ...process.env, ...env } });
}

/** Kills the servers. Their data is not needed any more, so a graceful shutdown would only take time. */
function end(): void {
  if (ending) return;
  ending = true;
  if (servers.size === 0) process.exit(0);
  for (const child of servers.values()) child.kill('SIGKILL');
}

function execute(command: SupervisorCommand): void {
  if (ending) return;
  if (command.kind === 'start') start(command);
  else servers.get(command.name)?.kill(command.signal);
}

function emit(event: SupervisorEvent): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

process.on('exit', () => {
  for (const child of servers.values()) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});
process.on('SIGINT', () => undefined);
process.on('SIGHUP', () => undefined);
process.on('SIGTERM', () => end());
process.stdout.on('error', () => end());
createInterface(process.stdin)
  .on('line', (line) => execute(JSON.parse(line)))
  .on('close', () => end());
emit({ kind: 'ready', folder });
