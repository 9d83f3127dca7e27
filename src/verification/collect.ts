/** Collects both ledgers of a period: Konnect's list, and the lines in SumoLogic. */
import type { KeyObject } from 'node:crypto';
import { InvalidKeysError, toSigningKeys } from '../audit-lines/signing-keys.ts';
import { isKonnectError } from '../konnect/errors.ts';
import type { LedgerClient } from '../konnect/ledger-client.ts';
import type { SearchClient, SearchEvents, SumoLogicAccess } from '../sumologic/search-client.ts';
import { Ledgers, type TimeRange } from './ledgers.ts';

/** Bounds the memory. In a longer list only the newest part of the period is compared. */
export const maxEntries = 200_000;
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
  readonly period: TimeRange;
  /** False if spec forwards only logs of portals, which are in no list. */
  readonly wantsList: boolean;
  readonly now: Date;
  readonly jobs: Pick<SearchEvents, 'onCreated' | 'onDeleted'>;
  readonly signal: AbortSignal;
}

/**
 * Returns both ledgers of the whole period, or of its newest part. Rejects with a KonnectError, a SumoLogicError or a TooManyLinesError, with the error of a
 * callback, or with the reason of `signal`.
 */
export async function collect(options: CollectOptions): Promise<Ledgers> {
  const { period, organizationID, now, wantsList } = options;
  const keys = await signingKeys(options);
  const list = wantsList ? await readList(options, keys) : undefined;
  const ledgers = list ?? new Ledgers({ period, organizationID, keys, hasList: false });
  await findLines(options, ledgers, { from: new Date(ledgers.period.from.getTime() - clockMarginMs), to: now });
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

/** Returns undefined if Konnect does not show the list: it is behind a feature flag, and the token may lack a role. */
async function readList(
  { ledger, region, organizationID, period, signal }: CollectOptions,
  keys: readonly KeyObject[] | undefined,
): Promise<Ledgers | undefined> {
  let { from } = period;
  const { to } = period;
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
    from = middle({ from, to });
  }
}

/** Adds all lines that SumoLogic received in a period. It returns a limited number for each job, so a period with more is divided. */
async function findLines({ search, access, query, jobs, signal }: CollectOptions, ledgers: Ledgers, all: TimeRange) {
  const left: TimeRange[] = [all];
  for (let created = 0; ; created += 1) {
    const period = left.pop();
    if (period === undefined) return;
    if (created === maxJobs || period.to.getTime() - period.from.getTime() < minPeriodMs)
      throw new TooManyLinesError(all.from);
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
