import { type Clock, systemClock } from './clock.ts';
import { DueHeap } from './due-heap.ts';

/** `new` is always taken before `resync`; within one priority, first come, first served. */
export type Priority = 'new' | 'resync';

export interface AddOptions {
  /** `new` unless given. */
  priority?: Priority;
  /** Not before this many milliseconds have passed; 0 unless given. */
  delayMs?: number;
}

interface Delayed {
  key: string;
  dueAt: number;
  priority: Priority;
}

interface Waiter {
  give(key: string | undefined): void;
}

/** The longest delay a Node timer can hold; a longer one is armed again. */
const MAX_TIMER_MS = 2 ** 31 - 1;

function higher(a: Priority, b: Priority | undefined): Priority {
  return a === 'new' || b === 'new' ? 'new' : 'resync';
}

/**
 * Keys waiting for a worker. A key waits once, however often it is added, and is never in the hands of two workers: added while in work,
 * it waits again after `done`. Of a key's delayed adds only the earliest counts, and an immediate add supersedes it.
 */
export class WorkQueue {
  readonly #clock: Clock;
  /** Keys that may be taken, with the time since when; Maps keep the order of insertion. */
  readonly #ready: Record<Priority, Map<string, number>> = { new: new Map(), resync: new Map() };
  readonly #inWork = new Set<string>();
  /** Keys in work that were added again. */
  readonly #again = new Map<string, Priority>();
  readonly #delayed = new Map<string, Delayed>();
  /** May hold entries that `#delayed` no longer knows; they are skipped when they come up. */
  #due = new DueHeap<Delayed>();
  readonly #waiters = new Set<Waiter>();
  #timer: { at: number; cancel: () => void } | undefined;
  #closed = false;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /** Keys that a worker could take now. */
  get size(): number {
    return this.#ready.new.size + this.#ready.resync.size;
  }

  /** Keys whose time has not come. */
  get delayedSize(): number {
    return this.#delayed.size;
  }

  get inWorkSize(): number {
    return this.#inWork.size;
  }

  /** For how long the key that has waited longest could have been taken; 0 when none waits. */
  get oldestWaitingMs(): number {
    const now = this.#clock.now();
    let since = now;
    for (const ready of Object.values(this.#ready)) for (const time of ready.values()) since = Math.min(since, time);
    return now - since;
  }

  /** Ignored after `shutDown`. */
  add(key: string, { priority = 'new', delayMs = 0 }: AddOptions = {}): void {
    if (this.#closed) return;
    if (delayMs > 0) this.#addLater(key, priority, this.#clock.now() + delayMs);
    else this.#addNow(key, priority);
  }

  /** Forgets a delayed add. What waits or is in work stays, so no event gets lost. */
  remove(key: string): void {
    this.#delayed.delete(key);
    this.#arm();
  }

  /** The next key, as soon as there is one; `undefined` once `signal` is aborted or the queue is shut down. Each key taken wants a `done`. */
  take(signal: AbortSignal): Promise<string | undefined> {
    if (signal.aborted || this.#closed) return Promise.resolve(undefined);
    const key = this.#next();
    if (key !== undefined) return Promise.resolve(key);
    return new Promise((resolve) => {
      const waiter: Waiter = {
        give: (next) => {
          this.#waiters.delete(waiter);
          signal.removeEventListener('abort', stop);
          resolve(next);
        },
      };
      const stop = () => waiter.give(undefined);
      signal.addEventListener('abort', stop, { once: true });
      this.#waiters.add(waiter);
    });
  }

  /** Gives a taken key back. If it was added meanwhile, it waits again. */
  done(key: string): void {
    if (!this.#inWork.delete(key)) return;
    const priority = this.#again.get(key);
    this.#again.delete(key);
    if (priority !== undefined) this.#addNow(key, priority);
  }

  /** Takes no more keys, gives out none, and stops the timer. */
  shutDown(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const waiter of this.#waiters) waiter.give(undefined);
  }

  #addNow(key: string, priority: Priority): void {
    if (this.#delayed.delete(key)) this.#arm();
    if (this.#inWork.has(key)) {
      this.#again.set(key, higher(priority, this.#again.get(key)));
      return;
    }
    if (this.#ready.new.has(key)) return;
    const since = this.#ready.resync.get(key) ?? this.#clock.now();
    if (priority === 'new') this.#ready.resync.delete(key);
    this.#ready[priority].set(key, since);
    this.#serve();
  }

  #addLater(key: string, priority: Priority, dueAt: number): void {
    if (this.#ready.new.has(key) || this.#ready.resync.has(key) || this.#again.has(key)) return;
    const known = this.#delayed.get(key);
    if (known !== undefined && known.dueAt <= dueAt) {
      known.priority = higher(priority, known.priority);
      return;
    }
    const delayed = { key, dueAt, priority: higher(priority, known?.priority) };
    this.#delayed.set(key, delayed);
    if (this.#due.size > 2 * this.#delayed.size + 64) this.#due = new DueHeap(this.#delayed.values());
    else this.#due.push(delayed);
    this.#arm();
  }

  #next(): string | undefined {
    for (const ready of [this.#ready.new, this.#ready.resync]) {
      for (const key of ready.keys()) {
        ready.delete(key);
        this.#inWork.add(key);
        return key;
      }
    }
    return undefined;
  }

  #serve(): void {
    for (const waiter of this.#waiters) {
      const key = this.#next();
      if (key === undefined) return;
      waiter.give(key);
    }
  }

  /** Sees to it that the one timer stands at the earliest time due. */
  #arm(): void {
    for (let top = this.#due.peek(); top !== undefined && this.#delayed.get(top.key) !== top; top = this.#due.peek())
      this.#due.pop();
    const at = this.#due.peek()?.dueAt;
    if (at === this.#timer?.at) return;
    this.#timer?.cancel();
    this.#timer =
      at === undefined || this.#closed
        ? undefined
        : {
            at,
            cancel: this.#clock.schedule(
              () => this.#release(),
              Math.min(MAX_TIMER_MS, Math.max(0, at - this.#clock.now())),
            ),
          };
  }

  #release(): void {
    this.#timer = undefined;
    const now = this.#clock.now();
    for (let top = this.#due.peek(); top !== undefined && top.dueAt <= now; top = this.#due.peek()) {
      this.#due.pop();
      if (this.#delayed.get(top.key) !== top) continue;
      this.#delayed.delete(top.key);
      this.#addNow(top.key, top.priority);
    }
    this.#arm();
  }
}
