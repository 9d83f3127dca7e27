/**
 * The process that owns a control plane's servers and its folder. It takes orders as JSON lines on standard input, which is a pipe from the
 * process that wants the control plane: when that ends, however it ends, the pipe closes, and the servers and the folder go. In a session of
 * its own, so that a Ctrl-C in the terminal reaches nobody but whom it is meant for.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export type Order =
  | { kind: 'start'; name: string; command: string; args: readonly string[] }
  | { kind: 'signal'; name: string; signal: 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' };

export type Report =
  | { kind: 'ready'; folder: string }
  | { kind: 'started'; name: string; pid: number }
  | { kind: 'exited'; name: string; how: string };

const folder = mkdtempSync(join(tmpdir(), 'audit-log-sandbox-'));
const servers = new Map<string, ChildProcess>();
let ending = false;

function start(name: string, command: string, args: readonly string[]): void {
  const log = openSync(join(folder, `${name}.log`), 'a', 0o600);
  const child = spawn(command, args, { cwd: folder, stdio: ['ignore', log, log], env: { PATH: process.env['PATH'] } });
  closeSync(log);
  if (child.pid === undefined) {
    child.on('error', (error) => report({ kind: 'exited', name, how: `cannot be run: ${error.message}` }));
    return;
  }
  servers.set(name, child);
  report({ kind: 'started', name, pid: child.pid });
  child.on('exit', (code, signal) => {
    servers.delete(name);
    report({ kind: 'exited', name, how: code === null ? `was ended by ${signal}` : `exited with code ${code}` });
    if (ending && servers.size === 0) process.exit(0);
  });
}

/** Nothing of the data is wanted any more, so nobody is asked to end in good order. */
function end(): void {
  if (ending) return;
  ending = true;
  if (servers.size === 0) process.exit(0);
  for (const child of servers.values()) child.kill('SIGKILL');
}

function obey(order: Order): void {
  if (ending) return;
  if (order.kind === 'start') start(order.name, order.command, order.args);
  else servers.get(order.name)?.kill(order.signal);
}

function report(message: Report): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
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
  .on('line', (line) => obey(JSON.parse(line)))
  .on('close', () => end());
report({ kind: 'ready', folder });
