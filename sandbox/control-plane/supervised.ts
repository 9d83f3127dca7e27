import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Order, Report } from './supervisor.ts';

const lastLines = 20;

/** A server that ended though it was not asked to; the message has the last lines of its log. */
export class ServerFailure extends Error {
  /** Whether it could not have the port it was told to listen on. */
  readonly portTaken: boolean;

  constructor(name: string, how: string, log: string) {
    super(`${name} ${how}${log === '' ? '' : `; its log ends with:\n${log}`}`);
    this.name = 'ServerFailure';
    this.portTaken = log.includes('address already in use');
  }
}

/** Servers in a process of their own, which ends them and removes their folder as soon as this process is gone. */
export class Supervised {
  /** Made for these servers alone; gone after {@link end}. */
  readonly folder: string;
  readonly #child: Child;
  readonly #pids = new Map<string, number>();
  readonly #exits = new Map<string, string>();
  readonly #changes = new EventEmitter();

  private constructor(child: Child, folder: string, lines: EventEmitter) {
    this.#child = child;
    this.folder = folder;
    lines.on('line', (line: string) => this.#take(JSON.parse(line)));
    child.once('exit', () => this.#lose());
  }

  static async begin(): Promise<Supervised> {
    const program = fileURLToPath(new URL('./supervisor.ts', import.meta.url));
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program], {
      stdio: ['pipe', 'pipe', 'inherit'],
      detached: true,
    });
    child.stdin.on('error', () => undefined);
    const lines = createInterface(child.stdout);
    const early = once(child, 'exit').then(() =>
      Promise.reject(new Error('the supervisor of the control plane ended')),
    );
    const [line]: string[] = await Promise.race([once(lines, 'line'), early]);
    const report: Report = JSON.parse(line ?? '{}');
    if (report.kind !== 'ready') throw new Error('the supervisor of the control plane said something unexpected');
    return new Supervised(child, report.folder, lines);
  }

  async start(name: string, command: string, args: readonly string[]): Promise<void> {
    this.#exits.delete(name);
    this.#order({ kind: 'start', name, command, args });
    while (!this.#pids.has(name)) {
      await this.check(name);
      await once(this.#changes, 'change');
    }
    await this.check(name);
  }

  /** Throws a {@link ServerFailure} if the server has ended. */
  async check(name: string): Promise<void> {
    const how = this.#exits.get(name);
    if (how !== undefined) throw new ServerFailure(name, how, await this.logTail(name));
  }

  async logTail(name: string): Promise<string> {
    const log = await readFile(join(this.folder, `${name}.log`), 'utf8').catch(() => '');
    return log.trimEnd().split('\n').slice(-lastLines).join('\n');
  }

  /** Asks a server to end, and ends it by force when it has not within `graceMs`; with 0 it is not asked. Resolves with how it ended. */
  async stop(name: string, graceMs: number): Promise<string> {
    if (!this.#exits.has(name)) {
      if (graceMs > 0) this.#order({ kind: 'signal', name, signal: 'SIGTERM' });
      const force = setTimeout(() => this.#order({ kind: 'signal', name, signal: 'SIGKILL' }), graceMs);
      await this.exited(name);
      clearTimeout(force);
    }
    return this.exited(name);
  }

  /** Stops a server where it stands, or lets it go on. */
  signal(name: string, signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#order({ kind: 'signal', name, signal });
  }

  /** Resolves with how a server ended, when it has. */
  async exited(name: string): Promise<string> {
    while (!this.#exits.has(name)) await once(this.#changes, 'change');
    return this.#exits.get(name) ?? '';
  }

  /** Lets a server stand still as it is, or go on. */
  freeze(name: string, frozen: boolean): void {
    this.#order({ kind: 'signal', name, signal: frozen ? 'SIGSTOP' : 'SIGCONT' });
  }

  /** Ends all servers at once and removes the folder. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.hold();
    const gone = once(this.#child, 'exit');
    this.#child.stdin.end();
    await gone;
  }

  /** Keeps this process from ending by itself; as it is after {@link begin}. */
  hold(): void {
    this.#child.ref();
    for (const stream of [this.#child.stdin, this.#child.stdout]) if (stream instanceof Socket) stream.ref();
  }

  /** Lets this process end by itself, and the servers with it. */
  release(): void {
    this.#child.unref();
    for (const stream of [this.#child.stdin, this.#child.stdout]) if (stream instanceof Socket) stream.unref();
  }

  #order(order: Order): void {
    this.#child.stdin.write(`${JSON.stringify(order)}\n`);
  }

  #take(report: Report): void {
    if (report.kind === 'started') this.#pids.set(report.name, report.pid);
    if (report.kind === 'exited') this.#exited(report.name, report.how);
    this.#changes.emit('change');
  }

  #exited(name: string, how: string): void {
    this.#pids.delete(name);
    this.#exits.set(name, how);
  }

  /** The supervisor can be killed too: then its servers and its folder would stay. */
  #lose(): void {
    for (const [name, pid] of this.#pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended already.
      }
      this.#exited(name, 'was ended because its supervisor is gone');
    }
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
    this.#changes.emit('change');
  }
}

type Child = ChildProcessByStdio<Writable, Readable, null>;
