/** Collects both ledgers of a period: Konnect's list, and the lines in SumoLogic. */
import type { KeyObject } from 'node:crypto';
import { InvalidKeysError, toSigningKeys } from '../audit-lines/signing-keys.ts';
import { isKonnectError, KonnectError } from '../konnect/errors.ts';
import type { LedgerClient } from '../konnect/ledger-client.ts';
import type { DueRanges, TimeRange } from '../status/verification.ts';
import type { SearchClient, SearchEvents, SumoLogicAccess } from '../sumologic/search-client.ts';
import { Ledgers } from './ledgers.ts';

/** Bounds the memory. Of a longer list only a part is compared. */
const maxEntries = 200_000;
const minPeriodMs = 1_000;
/** The clocks of Konnect and SumoLogic may differ. */
const clockMarginMs = 300_000;
/** A job that is paused is divided in two, again and again. */
export const maxJobs = 64;

/** SumoLogic has more lines than search jobs return. */
export class TooManyLinesError extends Error {
  override readonly name = 'TooManyLinesError';
  /** SumoLogic received the lines from this time on. */
  readonly since: Date;

  constructor(since: Date) {
    super('SumoLogic has too many lines');
    this.since = since;
  }
}

export interface CollectOptions {
  readonly ledger: Pick<LedgerClient, 'auditLogs' | 'signingKeys'>;
  readonly search: Pick<SearchClient, 'search'>;
  readonly access: SumoLogicAccess;
  readonly query: string;
  readonly region: string;
  readonly organizationID: string;
  readonly ranges: Pick<DueRanges, 'period' | 'newFrom' | 'latest'>;
  /** False if spec forwards only logs of portals, which are in no list. */
  readonly wantsList: boolean;
  readonly now: Date;
  readonly jobs: Pick<SearchEvents, 'onCreated' | 'onDeleted'>;
  readonly signal: AbortSignal;
}

/**
 * Returns both ledgers of the whole period, or of a part of it, or of the latest window if Konnect does not show its list. Rejects with a KonnectError, a SumoLogicError or a TooManyLinesError, with the error of a
 * callback, or with the reason of `signal`.
 */
export async function collect(options: CollectOptions): Promise<Ledgers> {
  const { organizationID, ranges, wantsList } = options;
  const keys = await signingKeys(options);
  const list = wantsList ? await readList(options, keys) : undefined;
  const ledgers = list ?? new Ledgers({ period: ranges.latest, organizationID, keys, hasList: false });
  await findLines(options, ledgers);
  return ledgers;
}

/** Returns undefined if Konnect publishes no keys: it signs only where signing is set up. */
async function signingKeys({ ledger, region, signal }: CollectOptions): Promise<readonly KeyObject[] | undefined> {
  try {
    return toSigningKeys(await ledger.signingKeys(region, signal));
  } catch (error) {
    if (error instanceof InvalidKeysError || isKonnectError(error, 'NotFound', 'Forbidden')) return undefined;
    throw error;
  }
}

/**
 * Returns the list of the whole period, or of a part that is short enough: first without what was compared before, then without the newest entries, which
 * the next verification compares. Returns undefined if Konnect does not show the list: it is behind a feature flag, and the token may lack a role.
 */
async function readList(
  { ledger, region, organizationID, ranges: { period, newFrom }, signal }: CollectOptions,
  keys: readonly KeyObject[] | undefined,
): Promise<Ledgers | undefined> {
  let { from, to } = period;
  for (;;) {
    const ledgers = new Ledgers({ period: { from, to }, organizationID, keys, hasList: true });
    let count = 0;
    try {
      for await (const page of ledger.auditLogs({ region, from, to, signal })) {
        ledgers.addEntries(page);
        count += page.length;
        if (count > maxEntries) break;
      }
    } catch (error) {
      if (isKonnectError(error, 'NotFound', 'Forbidden')) return undefined;
      throw error;
    }
    if (count <= maxEntries) return ledgers;
    // Only a server that ignores the range has so many entries of a second.
    if (to.getTime() - from.getTime() < minPeriodMs)
      throw new KonnectError({ kind: 'UnexpectedAnswer', operation: 'list audit logs', status: 200 });
    const half = middle({ from, to });
    if (half <= newFrom) from = half;
    else if (from < newFrom) from = newFrom;
    else to = half;
  }
}

/**
 * Adds the lines that SumoLogic received in time, and those that came later, for example by a replay, as long as entries lack their lines. SumoLogic returns
 * a limited number for each job, so a period with more is divided.
 */
async function findLines(
  { search, access, query, ranges, now, jobs, signal }: CollectOptions,
  ledgers: Ledgers,
): Promise<void> {
  const { from, to } = ledgers.period;
  const begin = new Date(from.getTime() - clockMarginMs);
  const inTime = new Date(to.getTime() + now.getTime() - ranges.latest.to.getTime());
  const left: TimeRange[] = [...(inTime < now ? [{ from: inTime, to: now }] : []), { from: begin, to: inTime }];
  for (let created = 0; ; created += 1) {
    const period = left.pop();
    const isLater = period !== undefined && period.from >= inTime;
    if (period === undefined || (isLater && !ledgers.lacksLines)) return;
    if (created === maxJobs || period.to.getTime() - period.from.getTime() < minPeriodMs) {
      // Lines that came in time are all there. A later one that was not found counts as missing, and is replayed once more.
      if (isLater) return;
      throw new TooManyLinesError(begin);
    }
    const events: SearchEvents = { ...jobs, onPage: (lines) => ledgers.addLines(lines) };
    const end = await search.search(access, { query, ...period }, events, signal);
    if (end === 'done') continue;
    const half = middle(period);
    left.push({ from: period.from, to: half }, { from: half, to: period.to });
  }
}

function middle({ from, to }: TimeRange): Date {
  return new Date(Math.ceil((from.getTime() + to.getTime()) / 2));
}
