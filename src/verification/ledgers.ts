/** Joins Konnect's list of a period with the lines that SumoLogic found. */
import type { KeyObject } from 'node:crypto';
import type { VerificationStatus } from '../api/v1alpha1.ts';
import { LedgerComparison, type LedgerDifference, maxDifferenceMs } from '../audit-lines/ledger-comparison.ts';
import { type LedgerEntry, ofList, toLedgerEntry } from '../audit-lines/ledger-entry.ts';
import { lineVerifier } from '../audit-lines/verify-lines.ts';
import type { TimeRange } from '../status/verification.ts';
import type { FoundMessage } from '../sumologic/search-client.ts';
import { Latencies } from './latencies.ts';

export interface LedgersOptions {
  /** Lines of other times are ignored: they belong to another verification. */
  readonly period: TimeRange;
  /** Lines of other organizations are ignored. */
  readonly organizationID: string;
  /** Undefined if Konnect publishes none. Then no signature is counted. */
  readonly keys: readonly KeyObject[] | undefined;
  /** False if Konnect does not show its list. Then no line is missing and none is foreign. */
  readonly hasList: boolean;
}

/** What the two ledgers say about each other: the left one is Konnect's list. */
export interface LedgerCounts extends Pick<LedgerDifference, 'entries' | 'found' | 'missing' | 'newestMissingMs'> {
  readonly oldestMissing: LedgerDifference['oldestMissing'][number] | undefined;
  /** Lines that claim to be of the organization and are not in its list. */
  readonly foreign: number;
  readonly unsigned: number;
  readonly invalidSignatures: number;
  readonly latencies: Latencies;
  /** The time of the newest line of the organization's audit log, and of its portals' logs. */
  readonly newestMs: { readonly organization: number | undefined; readonly portals: number | undefined };
}

/** First collects the list, then finds each line in it. Memory: some 30 bytes for an entry of the list, and nothing for a line. */
export class Ledgers {
  readonly #options: LedgersOptions;
  readonly #comparison = new LedgerComparison();
  readonly #latencies = new Latencies();
  readonly #verify: ReturnType<typeof lineVerifier> | undefined;
  #foreign = 0;
  #unsigned = 0;
  #invalidSignatures = 0;
  readonly #newestMs: { organization: number | undefined; portals: number | undefined } = {
    organization: undefined,
    portals: undefined,
  };

  constructor(options: LedgersOptions) {
    this.#options = options;
    this.#verify = options.keys === undefined ? undefined : lineVerifier(options.keys);
  }

  get period(): TimeRange {
    return this.#options.period;
  }

  get hasList(): boolean {
    return this.#options.hasList;
  }

  /** True while an entry of the list has no line. */
  get lacksLines(): boolean {
    return this.#comparison.missing > 0;
  }

  get hasKeys(): boolean {
    return this.#options.keys !== undefined;
  }

  /** Adds entries of Konnect's list. Those that lack what a line has too are left out. */
  addEntries(entries: readonly object[]): void {
    for (const one of entries) {
      const entry = ofList(one);
      if (entry !== undefined) this.#comparison.addLeft(entry);
    }
  }

  /** Adds lines of SumoLogic. Call it only after the last {@link addEntries}. */
  async addLines(lines: readonly FoundMessage[]): Promise<void> {
    const read = lines.flatMap(({ text, receivedMs }) => {
      const line = Buffer.from(text, 'utf8').toString('latin1');
      const entry = toLedgerEntry(line);
      return entry !== undefined && this.#isExpected(entry) ? [{ line, entry, receivedMs }] : [];
    });
    const results = await this.#verify?.(read.map(({ line }) => line));
    for (const [index, { entry, receivedMs }] of read.entries()) {
      const result = results?.[index];
      if (result === 'unsigned') this.#unsigned += 1;
      else if (result === 'invalid') this.#invalidSignatures += 1;
      this.#count(entry, receivedMs);
    }
  }

  counts(): LedgerCounts {
    const { entries, found, missing, oldestMissing, newestMissingMs } = this.#comparison.result(1);
    return {
      entries,
      found,
      missing,
      oldestMissing: oldestMissing[0],
      newestMissingMs,
      foreign: this.#foreign,
      unsigned: this.#unsigned,
      invalidSignatures: this.#invalidSignatures,
      latencies: this.#latencies,
      newestMs: this.#newestMs,
    };
  }

  #isExpected({ organizationID, timeMs }: LedgerEntry): boolean {
    const isOwn = organizationID === undefined || organizationID === this.#options.organizationID;
    return isOwn && this.#isWithin(timeMs, -maxDifferenceMs);
  }

  #isWithin(timeMs: number, marginMs: number): boolean {
    const { from, to } = this.#options.period;
    return timeMs >= from.getTime() + marginMs && timeMs <= to.getTime() - marginMs;
  }

  #count(entry: LedgerEntry, receivedMs: number): void {
    const { timeMs, isPortal } = entry;
    const kind = isPortal ? 'portals' : 'organization';
    this.#newestMs[kind] = Math.max(this.#newestMs[kind] ?? 0, timeMs);
    const found = isPortal || !this.#options.hasList ? 'found' : this.#comparison.addRight(entry);
    if (found === 'found') this.#latencies.add(receivedMs - timeMs);
    // Konnect and its line may round the time in different ways, so that its entry is in another period.
    if (found === 'foreign' && this.#isWithin(timeMs, maxDifferenceMs)) this.#foreign += 1;
  }
}

/** Returns what status records of both ledgers. What they cannot tell is left out. `at`: when the verification began. */
export function resultOf(
  { period, hasList, hasKeys }: Pick<Ledgers, 'period' | 'hasList' | 'hasKeys'>,
  { entries, found, missing, oldestMissing, unsigned, invalidSignatures, foreign, latencies }: LedgerCounts,
  at: Date,
): VerificationStatus {
  const window = { from: period.from.toISOString(), to: period.to.toISOString() };
  return {
    lastVerifiedTime: at.toISOString(),
    ...(hasList ? { window, entries, found, missing, foreign } : {}),
    ...(hasKeys ? { unsigned, invalidSignatures } : {}),
    latencyP50: latencies.percentile(0.5),
    latencyP99: latencies.percentile(0.99),
    oldestMissing: oldestMissing && {
      traceID: oldestMissing.traceID,
      time: new Date(oldestMissing.timeMs).toISOString(),
    },
  };
}
