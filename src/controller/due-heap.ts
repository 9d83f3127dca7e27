export interface Due {
  readonly key: string;
  readonly dueAt: number;
}

/** A binary min-heap by `dueAt`. Entries that are due at the same time leave in any order. */
export class DueHeap<T extends Due> {
  readonly #entries: T[] = [];

  constructor(entries: Iterable<T> = []) {
    for (const entry of entries) this.push(entry);
  }

  get size(): number {
    return this.#entries.length;
  }

  peek(): T | undefined {
    return this.#entries[0];
  }

  push(entry: T): void {
    let index = this.#entries.length;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = this.#entries[parentIndex];
      if (parent === undefined || parent.dueAt <= entry.dueAt) break;
      this.#entries[index] = parent;
      index = parentIndex;
    }
    this.#entries[index] = entry;
  }

  pop(): T | undefined {
    const top = this.#entries[0];
    const last = this.#entries.pop();
    if (last !== undefined && this.#entries.length > 0) this.#sink(last);
    return top;
  }

  /** Replaces the root with `entry`. */
  #sink(entry: T): void {
    let index = 0;
    for (;;) {
      const leftIndex = 2 * index + 1;
      const left = this.#entries[leftIndex];
      if (left === undefined) break;
      const right = this.#entries[leftIndex + 1];
      const [childIndex, child] =
        right !== undefined && right.dueAt < left.dueAt ? [leftIndex + 1, right] : [leftIndex, left];
      if (child.dueAt >= entry.dueAt) break;
      this.#entries[index] = child;
      index = childIndex;
    }
    this.#entries[index] = entry;
  }
}
