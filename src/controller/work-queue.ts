import { type Clock, systemClock } from '../runtime/clock.ts';
import type { Priority } from '../runtime/priority.ts';
import { DueHeap } from './due-heap.ts';

/** The order in which keys are taken. */
const priorities: readonly Priority[] = ['new', 'resync'];

/** How keys share the workers, so that no group of keys can keep all of them to itself, however long its passes take. */
export interface Groups {
  /** Asked when a key begins to wait. */
  groupOf: (key: string) => string;
  /** Keys of one group in work at a time. Where that is more than one, the last place is kept for a key that is `new`. */
  mostInWork: number;
}

const oneForAll: Groups = { groupOf: () => '', mostInWork: Number.POSITIVE_INFINITY };

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

/** The keys of one group. */
interface Lane {
  readonly group: string;
  /** Keys that may be taken, with the time since when; Maps keep the order of insertion. */
  readonly ready: Record<Priority, Map<string, number>>;
  readonly inWork: Record<Priority, number>;
}

interface Waiter {
  give(key: string | undefined): void;
}

function higher(a: Priority, b: Priority | undefined): Priority {
  return a === 'new' || b === 'new' ? 'new' : 'resync';
}

/**
 * Keys waiting for a worker; groups of keys take turns. A key waits once, however often it is added, and is never in the hands of two workers: added while in work,
 * it waits again after `done`. Of a key's delayed adds only the earliest counts, and an immediate add supersedes it.
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #groups: Groups;
  /** Groups with keys that wait or are in work; the one that was served last stands last. */
  readonly #lanes = new Map<string, Lane>();
  /** Where each key that may be taken waits. */
  readonly #waiting = new Map<string, Lane>();
  readonly #inWork = new Map<string, { lane: Lane; priority: Priority }>();
  /** Keys in work that were added again. */
  readonly #again = new Map<string, Priority>();
  readonly #delayed = new Map<string, Delayed>();
  /** May hold entries that `#delayed` no longer knows; they are skipped when they come up. */
  #due = new DueHeap<Delayed>();
  readonly #waiters = new Set<Waiter>();
  #timer: { at: number; cancel: () => void } | undefined;
  #closed = false;

  constructor(clock: Clock = systemClock, groups: Groups = oneForAll) {
    this.#clock = clock;
    this.#groups = groups;
  }

  /** Keys whose time has come, and that wait for a worker or for others of their group. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Keys whose time has not come. */
  get delayedSize(): number {
    return this.#delayed.size;
  }

  get inWorkSize(): number {
    return this.#inWork.size;
  }

  /** With which priority a key that is in work was taken; undefined for any other. */
  priorityOf(key: string): Priority | undefined {
    return this.#inWork.get(key)?.priority;
  }

  /** For how long the key that has waited longest could have been taken; 0 when none waits. */
  get oldestWaitingMs(): number {
    const now = this.#clock.now();
    let since = now;
    for (const { ready } of this.#lanes.values()) {
      for (const priority of priorities) for (const time of ready[priority].values()) since = Math.min(since, time);
    }
    return now - since;
  }

  /** Ignored after `shutDown`. */
  add(key: string, { priority = 'new', delayMs = 0 }: AddOptions = {}): void {
    if (this.#closed) return;
    if (delayMs > 0) this.#addLater(key, priority, this.#clock.now() + delayMs);
    else this.#addNow(key, priority);
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
    const taken = this.#inWork.get(key);
    if (taken === undefined) return;
    this.#inWork.delete(key);
    taken.lane.inWork[taken.priority] -= 1;
    this.#leave(taken.lane);
    const priority = this.#again.get(key);
    this.#again.delete(key);
    if (priority !== undefined) this.#addNow(key, priority);
    this.#serve();
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
    const before = this.#waiting.get(key);
    if (before?.ready.new.has(key) === true) return;
    if (before !== undefined && priority === 'resync') return;
    const lane = before ?? this.#laneOf(key);
    const since = lane.ready.resync.get(key) ?? this.#clock.now();
    lane.ready.resync.delete(key);
    lane.ready[priority].set(key, since);
    this.#waiting.set(key, lane);
    this.#serve();
  }

  #addLater(key: string, priority: Priority, dueAt: number): void {
    if (this.#waiting.has(key) || this.#again.has(key)) return;
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

  #laneOf(key: string): Lane {
    const group = this.#groups.groupOf(key);
    const known = this.#lanes.get(group);
    if (known !== undefined) return known;
    const made = { group, ready: { new: new Map(), resync: new Map() }, inWork: { new: 0, resync: 0 } };
    this.#lanes.set(group, made);
    return made;
  }

  /** Forgets a group that has no key left. */
  #leave({ group, ready, inWork }: Lane): void {
    const keys = ready.new.size + ready.resync.size + inWork.new + inWork.resync;
    if (keys === 0) this.#lanes.delete(group);
  }

  #hasRoom({ inWork }: Lane, priority: Priority): boolean {
    const { mostInWork } = this.#groups;
    if (inWork.new + inWork.resync >= mostInWork) return false;
    return priority === 'new' || inWork.resync < Math.max(1, mostInWork - 1);
  }

  #next(): string | undefined {
    for (const priority of priorities) {
      for (const [group, lane] of this.#lanes) {
        if (!this.#hasRoom(lane, priority)) continue;
        for (const key of lane.ready[priority].keys()) {
          lane.ready[priority].delete(key);
          this.#waiting.delete(key);
          lane.inWork[priority] += 1;
          this.#inWork.set(key, { lane, priority });
          this.#lanes.delete(group);
          this.#lanes.set(group, lane);
          return key;
        }
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
            cancel: this.#clock.schedule(() => this.#release(), Math.max(0, at - this.#clock.now())),
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
