import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { InTerminal, SupervisorCommand, SupervisorEvent } from './supervisor.ts';

const maxTailLines = 20;
const portAttempts = 5;

/** A server exited unexpectedly. The message ends with the last lines of its log. */
export class ServerFailure extends Error {
  /** Whether the server's port was in use. */
  readonly isPortInUse: boolean;

  constructor(name: string, how: string, log: string) {
    super(`${name} ${how}${log === '' ? '' : `; its log ends with:\n${log}`}`);
    this.name = 'ServerFailure';
    this.isPortInUse = log.includes('address already in use');
  }
}

/**
 * Starts servers, and resolves with what `start` returns. Starts them again if a port was in use, because another process may take a free
 * port before the server does. Ends them if it rejects.
 */
export async function startSupervised<T>(
  start: (supervised: Supervised) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const supervised = await Supervised.create();
    try {
      signal?.throwIfAborted();
      const started = await start(supervised);
      supervised.unref();
      return started;
    } catch (error) {
      await supervised.end();
      signal?.throwIfAborted();
      if (!(error instanceof ServerFailure && error.isPortInUse) || attempt === portAttempts) throw error;
    }
  }
}

/**
 * Servers that run under a supervisor process. When this process ends, for any reason, the supervisor kills the servers and removes their
 * folder.
 */
export class Supervised {
  /** Belongs to these servers only. Removed by {@link end}. */
  readonly folder: string;
  readonly #child: Child;
  readonly #pids = new Map<string, number>();
  readonly #exits = new Map<string, string>();
  readonly #changes = new EventEmitter();

  private constructor(child: Child, folder: string, lines: EventEmitter) {
    this.#child = child;
    this.folder = folder;
    lines.on('line', (line: string) => this.#onEvent(JSON.parse(line)));
    child.once('exit', () => this.#onSupervisorExit());
  }

  /** Starts the supervisor. This process cannot end by itself until {@link unref} is called. */
  static async create(): Promise<Supervised> {
    const program = fileURLToPath(new URL('./supervisor.ts', import.meta.url));
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program], {
      stdio: ['pipe', 'pipe', 'inherit'],
      detached: true,
    });
    child.stdin.on('error', () => undefined);
    const lines = createInterface(child.stdout);
    const early = once(child, 'exit').then(() => Promise.reject(new Error('the supervisor exited')));
    const [line]: string[] = await Promise.race([once(lines, 'line'), early]);
    const event: SupervisorEvent = JSON.parse(line ?? '{}');
    if (event.kind !== 'ready') throw new Error('the supervisor sent an unexpected event');
    return new Supervised(child, event.folder, lines);
  }

  /** Resolves with the process ID when the server runs. Rejects with a {@link ServerFailure} if it exited. */
  async start(name: string, command: string, args: readonly string[], inTerminal?: InTerminal): Promise<number> {
    this.#exits.delete(name);
    this.#send({ kind: 'start', name, command, args, inTerminal });
    for (;;) {
      await this.check(name);
      const pid = this.#pids.get(name);
      if (pid !== undefined) return pid;
      await once(this.#changes, 'change');
    }
  }

  /** Rejects with a {@link ServerFailure} if the server has exited. */
  async check(name: string): Promise<void> {
    const how = this.#exits.get(name);
    if (how !== undefined) throw new ServerFailure(name, how, await this.logTail(name));
  }

  /** Resolves when `url` answers 2xx. Rejects if the server has exited or the time is over, with the last lines of its log. */
  async waitUntilOK(name: string, url: string, timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      await this.check(name);
      const answer = await fetch(url).catch(() => undefined);
      if (answer?.ok === true) return;
      if (performance.now() > deadline)
        throw new Error(`${name} did not become ready; its log ends with:\n${await this.logTail(name)}`);
      await delay(50);
    }
  }

  async logTail(name: string): Promise<string> {
    const log = await readFile(join(this.folder, `${name}.log`), 'utf8').catch(() => '');
    return log.trimEnd().split('\n').slice(-maxTailLines).join('\n');
  }

  /** Sends SIGTERM, then SIGKILL after `graceMs`. With 0, sends only SIGKILL. Resolves with how the server exited. */
  async stop(name: string, graceMs: number): Promise<string> {
    if (!this.#exits.has(name)) {
      if (graceMs > 0) this.#send({ kind: 'signal', name, signal: 'SIGTERM' });
      const force = setTimeout(() => this.#send({ kind: 'signal', name, signal: 'SIGKILL' }), graceMs);
      await this.exited(name);
      clearTimeout(force);
    }
    return this.exited(name);
  }

  /** Suspends a server with its connections open, or resumes it. */
  signal(name: string, signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#send({ kind: 'signal', name, signal });
  }

  /** Resolves with how the server exited, when it has exited. */
  async exited(name: string): Promise<string> {
    while (!this.#exits.has(name)) await once(this.#changes, 'change');
    return this.#exits.get(name) ?? '';
  }

  /** Kills all servers and removes the folder. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.ref();
    const gone = once(this.#child, 'exit');
    this.#child.stdin.end();
    await gone;
  }

  /** Keeps this process alive. */
  ref(): void {
    this.#child.ref();
    for (const stream of [this.#child.stdin, this.#child.stdout]) if (stream instanceof Socket) stream.ref();
  }

  /** Lets this process end by itself. The servers then end with it. */
  unref(): void {
    this.#child.unref();
    for (const stream of [this.#child.stdin, this.#child.stdout]) if (stream instanceof Socket) stream.unref();
  }

  #send(command: SupervisorCommand): void {
    this.#child.stdin.write(`${JSON.stringify(command)}\n`);
  }

  #onEvent(event: SupervisorEvent): void {
    if (event.kind === 'started') this.#pids.set(event.name, event.pid);
    if (event.kind === 'exited') this.#recordExit(event.name, event.how);
    this.#changes.emit('change');
  }

  #recordExit(name: string, how: string): void {
    this.#pids.delete(name);
    this.#exits.set(name, how);
  }

  /** Kills the servers and removes the folder in place of a supervisor that was killed. */
  #onSupervisorExit(): void {
    for (const [name, pid] of this.#pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has already exited.
      }
      this.#recordExit(name, 'was killed because its supervisor exited');
    }
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
    this.#changes.emit('change');
  }
}

type Child = ChildProcessByStdio<Writable, Readable, null>;
