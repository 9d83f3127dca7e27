/** Compares two ledgers: what Konnect says that it audited, and what a SIEM has. */
import { eventKinds, type LedgerEntry } from './ledger-entry.ts';

/** The two sides may round the same time in different ways. */
export const maxDifferenceMs = 1_000;
const none = -1;
const firstCapacity = 1024;

export interface LedgerDifference {
  /** Entries on the left. */
  readonly entries: number;
  /** Entries on the left that the right has too. */
  readonly found: number;
  /** Entries on the left that the right lacks. */
  readonly missing: number;
  /** The oldest missing entries, the oldest first. */
  readonly oldestMissing: readonly Pick<LedgerEntry, 'traceID' | 'timeMs'>[];
  /** The time of the newest missing entry. */
  readonly newestMissingMs: number | undefined;
  /** How often the right has an entry once more. A replay sends lines again. */
  readonly duplicates: number;
  /** Entries on the right that the left lacks. */
  readonly foreign: number;
}

/**
 * Collects the left ledger, then finds each entry of the right one in it. An entry is the same if trace, kind and time are. The entries are in typed arrays,
 * in a hash table with chains: about 30 bytes for each entry of the left ledger, and nothing for the right one.
 */
export class LedgerComparison {
  #capacity = firstCapacity;
  /** The traces, as two halves each. */
  #traces = new Uint32Array(2 * firstCapacity);
  #kinds = new Uint8Array(firstCapacity);
  #times = new Float64Array(firstCapacity);
  #isFound = new Uint8Array(firstCapacity);
  /** The next entry with the same hash. */
  #next = new Int32Array(firstCapacity);
  #first = new Int32Array(firstCapacity).fill(none);
  #entries = 0;
  #found = 0;
  #duplicates = 0;
  #foreign = 0;

  /** Returns the number of entries on the left that the right lacks. */
  get missing(): number {
    return this.#entries - this.#found;
  }

  addLeft({ traceID, kind, timeMs }: LedgerEntry): void {
    if (this.#entries === this.#capacity) this.#grow();
    const [low, high] = toHalves(traceID);
    const index = this.#entries;
    this.#traces[2 * index] = low;
    this.#traces[2 * index + 1] = high;
    this.#kinds[index] = eventKinds.indexOf(kind);
    this.#times[index] = timeMs;
    this.#entries += 1;
    this.#link(index);
  }

  /** Call it only after the last {@link addLeft}. Returns what the entry is counted as. */
  addRight(entry: LedgerEntry): 'found' | 'duplicate' | 'foreign' {
    let isDuplicate = false;
    for (const index of this.#sameAs(entry)) {
      if (this.#isFound[index] === 0) {
        this.#isFound[index] = 1;
        this.#found += 1;
        return 'found';
      }
      isDuplicate = true;
    }
    if (isDuplicate) this.#duplicates += 1;
    else this.#foreign += 1;
    return isDuplicate ? 'duplicate' : 'foreign';
  }

  /** `maxNamed`: how many missing entries to name. */
  result(maxNamed: number): LedgerDifference {
    const missing = Uint32Array.from({ length: this.#entries }, (_, index) => index)
      .filter((index) => this.#isFound[index] === 0)
      .sort((a, b) => (this.#times[a] ?? 0) - (this.#times[b] ?? 0));
    const named = [...missing.subarray(0, maxNamed)];
    return {
      entries: this.#entries,
      found: this.#found,
      missing: missing.length,
      newestMissingMs: this.#times[missing.at(-1) ?? none],
      oldestMissing: named.map((index) => ({ traceID: this.#traceOf(index), timeMs: this.#times[index] ?? 0 })),
      duplicates: this.#duplicates,
      foreign: this.#foreign,
    };
  }

  *#sameAs({ traceID, kind, timeMs }: LedgerEntry): Generator<number> {
    const [low, high] = toHalves(traceID);
    const wanted = eventKinds.indexOf(kind);
    for (let index = this.#first[this.#slot(low, high)] ?? none; index !== none; index = this.#next[index] ?? none) {
      const isSame =
        this.#traces[2 * index] === low && this.#traces[2 * index + 1] === high && this.#kinds[index] === wanted;
      if (isSame && Math.abs((this.#times[index] ?? 0) - timeMs) <= maxDifferenceMs) yield index;
    }
  }

  #link(index: number): void {
    const slot = this.#slot(this.#traces[2 * index] ?? 0, this.#traces[2 * index + 1] ?? 0);
    this.#next[index] = this.#first[slot] ?? none;
    this.#first[slot] = index;
  }

  #slot(low: number, high: number): number {
    return (Math.imul(low ^ Math.imul(high, 0x85eb_ca6b), 0x9e37_79b1) >>> 0) % this.#capacity;
  }

  #traceOf(index: number): string {
    const [low = 0, high = 0] = this.#traces.subarray(2 * index);
    return String((BigInt(high) << 32n) | BigInt(low));
  }

  #grow(): void {
    this.#capacity *= 2;
    this.#traces = copied(this.#traces, new Uint32Array(2 * this.#capacity));
    this.#kinds = copied(this.#kinds, new Uint8Array(this.#capacity));
    this.#times = copied(this.#times, new Float64Array(this.#capacity));
    this.#isFound = copied(this.#isFound, new Uint8Array(this.#capacity));
    this.#next = new Int32Array(this.#capacity);
    this.#first = new Int32Array(this.#capacity).fill(none);
    for (let index = 0; index < this.#entries; index += 1) this.#link(index);
  }
}

function copied<T extends Uint8Array | Uint32Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

const trace = new BigUint64Array(1);
const halves = new Uint32Array(trace.buffer);

/** Returns the lower and the upper 32 bits of a trace ID, which has at most 64. */
function toHalves(traceID: string): readonly [number, number] {
  trace[0] = BigInt(traceID);
  return [halves[0] ?? 0, halves[1] ?? 0];
}
