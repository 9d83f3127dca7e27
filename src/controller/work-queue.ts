import { type Clock, systemClock } from '../runtime/clock.ts';
import type { Priority } from '../runtime/priority.ts';
import { DueHeap } from './due-heap.ts';

/** The order in which keys are taken. */
const priorities: readonly Priority[] = ['new', 'resync'];

/** How groups of keys share the workers. No group can use all workers, however long its reconciliations take. */
export interface Groups {
  /** Returns the group of a key. Called when the key begins to wait. */
  groupOf: (key: string) => string;
  /** The number of keys of one group in work at the same time. If that is more than one, the last place is only for `new` keys. */
  maxInWork: number;
}

/** What metrics need to know of a queue. */
export interface QueueObserver {
  /** A key began to wait. */
  added(): void;
  /** A worker took a key that waited for this time. */
  taken(waitedMs: number): void;
}

const noObserver: QueueObserver = { added: () => {}, taken: () => {} };
const singleGroup: Groups = { groupOf: () => '', maxInWork: Number.POSITIVE_INFINITY };

export interface AddOptions {
  /** `new` by default. */
  priority?: Priority;
  /** The key can be taken after this time. 0 by default. */
  delayMs?: number;
}

interface Delayed {
  key: string;
  dueAt: number;
  priority: Priority;
}

interface Ready {
  /** Since when the key can be taken. */
  readonly since: number;
  /** When it was last added. */
  readonly addedAt: number;
}

/** The keys of one group. */
interface Lane {
  readonly group: string;
  /** The keys that can be taken. A Map keeps the order of insertion. */
  readonly ready: Record<Priority, Map<string, Ready>>;
  readonly inWork: Record<Priority, number>;
}

interface Waiter {
  give(key: string | undefined): void;
}

function higher(a: Priority, b: Priority | undefined): Priority {
  return a === 'new' || b === 'new' ? 'new' : 'resync';
}

/**
 * Keys that wait for a worker. The queue serves the groups of keys in rotation. A key waits only once, however often it is added, and two workers never
 * have the same key: a key that is added while in work waits again after `done`. Of several delayed adds of a key only the earliest counts, and an
 * immediate add replaces it.
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #groups: Groups;
  readonly #observer: QueueObserver;
  /** The groups with keys that wait or are in work. The group that was served last is the last one. */
  readonly #lanes = new Map<string, Lane>();
  /** The group of each key that can be taken. */
  readonly #waiting = new Map<string, Lane>();
  readonly #inWork = new Map<string, { lane: Lane; priority: Priority; sinceMs: number; addedAt: number }>();
  /** The keys in work that were added again. */
  readonly #again = new Map<string, Priority>();
  readonly #delayed = new Map<string, Delayed>();
  /** May contain entries that `#delayed` no longer has. They are skipped when they are due. */
  #due = new DueHeap<Delayed>();
  readonly #waiters = new Set<Waiter>();
  #timer: { at: number; cancel: () => void } | undefined;
  #isShutDown = false;

  constructor(clock: Clock = systemClock, groups: Groups = singleGroup, observer: QueueObserver = noObserver) {
    this.#clock = clock;
    this.#groups = groups;
    this.#observer = observer;
  }

  /** The number of keys that can be taken, or that wait for other keys of their group. */
  get size(): number {
    return this.#waiting.size;
  }

  /** The number of keys that are delayed. */
  get delayedSize(): number {
    return this.#delayed.size;
  }

  get inWorkSize(): number {
    return this.#inWork.size;
  }

  /** For how long each key in work has been in work. */
  get inWorkMs(): readonly number[] {
    const now = this.#clock.now();
    return [...this.#inWork.values()].map(({ sinceMs }) => now - sinceMs);
  }

  /** Returns the priority with which a key in work was taken. Returns undefined for every other key. */
  priorityOf(key: string): Priority | undefined {
    return this.#inWork.get(key)?.priority;
  }

  /** Returns when a key in work was last added before it was taken, on the clock of the queue. Returns undefined for every other key. */
  addedAt(key: string): number | undefined {
    return this.#inWork.get(key)?.addedAt;
  }

  /** For how long the oldest waiting key could have been taken. 0 if no key waits. */
  get oldestWaitingMs(): number {
    const now = this.#clock.now();
    let since = now;
    for (const { ready } of this.#lanes.values()) {
      for (const priority of priorities) for (const one of ready[priority].values()) since = Math.min(since, one.since);
    }
    return now - since;
  }

  /** Adds a key. Does nothing after `shutDown`. */
  add(key: string, { priority = 'new', delayMs = 0 }: AddOptions = {}): void {
    if (this.#isShutDown) return;
    if (delayMs > 0) this.#addLater(key, priority, this.#clock.now() + delayMs);
    else this.#addNow(key, priority);
  }

  /** Returns the next key when there is one, or undefined when `signal` is aborted or the queue is shut down. The caller must call `done` for each key. */
  take(signal: AbortSignal): Promise<string | undefined> {
    if (signal.aborted || this.#isShutDown) return Promise.resolve(undefined);
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

  /** Ends the work on a key. If the key was added in the meantime, it waits again. */
  done(key: string): void {
    const taken = this.#inWork.get(key);
    if (taken === undefined) return;
    this.#inWork.delete(key);
    taken.lane.inWork[taken.priority] -= 1;
    this.#removeIfEmpty(taken.lane);
    const priority = this.#again.get(key);
    this.#again.delete(key);
    if (priority !== undefined) this.#addNow(key, priority);
    this.#serve();
  }

  /** Ends all waiting `take` calls, stops the timer, and from now on ignores keys. */
  shutDown(): void {
    this.#isShutDown = true;
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
    const addedAt = this.#clock.now();
    const lane = this.#waiting.get(key) ?? this.#laneOf(key);
    const { ready } = lane;
    const known = ready.new.get(key) ?? ready.resync.get(key);
    const became = ready.new.has(key) ? 'new' : priority;
    if (became === 'new') ready.resync.delete(key);
    ready[became].set(key, { since: known?.since ?? addedAt, addedAt });
    this.#waiting.set(key, lane);
    if (known === undefined) this.#observer.added();
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
    const lane = { group, ready: { new: new Map(), resync: new Map() }, inWork: { new: 0, resync: 0 } };
    this.#lanes.set(group, lane);
    return lane;
  }

  /** Removes a group that has no key left. */
  #removeIfEmpty({ group, ready, inWork }: Lane): void {
    const keys = ready.new.size + ready.resync.size + inWork.new + inWork.resync;
    if (keys === 0) this.#lanes.delete(group);
  }

  #hasRoom({ inWork }: Lane, priority: Priority): boolean {
    const { maxInWork } = this.#groups;
    if (inWork.new + inWork.resync >= maxInWork) return false;
    return priority === 'new' || inWork.resync < Math.max(1, maxInWork - 1);
  }

  #next(): string | undefined {
    for (const priority of priorities) {
      for (const [group, lane] of this.#lanes) {
        if (!this.#hasRoom(lane, priority)) continue;
        for (const [key, { since, addedAt }] of lane.ready[priority]) {
          lane.ready[priority].delete(key);
          this.#waiting.delete(key);
          lane.inWork[priority] += 1;
          const now = this.#clock.now();
          this.#inWork.set(key, { lane, priority, sinceMs: now, addedAt });
          this.#observer.taken(now - since);
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

  /** Sets the one timer to the earliest due time. */
  #arm(): void {
    for (let top = this.#due.peek(); top !== undefined && this.#delayed.get(top.key) !== top; top = this.#due.peek())
      this.#due.pop();
    const at = this.#due.peek()?.dueAt;
    if (at === this.#timer?.at) return;
    this.#timer?.cancel();
    this.#timer =
      at === undefined || this.#isShutDown
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
