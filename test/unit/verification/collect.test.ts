import { describe, expect, test } from '@jest/globals';
import { KonnectError } from '../../../src/konnect/errors.ts';
import type { SearchQuery } from '../../../src/sumologic/search-client.ts';
import { type CollectOptions, collect } from '../../../src/verification/collect.ts';
import type { TimeRange } from '../../../src/verification/ledgers.ts';
import { verdictOf } from '../../../src/verification/verdict.ts';
import { blue } from '../../support/konnect-fixtures.ts';

const period: TimeRange = { from: new Date('2026-01-02T02:00:00Z'), to: new Date('2026-01-02T03:00:00Z') };
const page = Array.from({ length: 1_000 }, (_, index) => ({
  type: 'authorization',
  ts: period.to.toISOString(),
  trace_id: String(index),
}));

/** Returns what `collect` takes. Konnect's list has a page for each of `pageMs`, and SumoLogic pauses searches longer than `pausesMs`. */
function options({ pageMs = 3_600_000, pausesMs = 86_400_000 } = {}) {
  const searched: SearchQuery[] = [];
  const ledger: CollectOptions['ledger'] = {
    async *auditLogs({ from, to }) {
      for (let atMs = from.getTime(); atMs < to.getTime(); atMs += pageMs) yield Promise.resolve(page);
    },
    signingKeys: () =>
      Promise.reject(new KonnectError({ kind: 'NotFound', operation: 'get signing keys', status: 404 })),
  };
  const search: CollectOptions['search'] = {
    search(_access, query) {
      searched.push(query);
      return Promise.resolve(query.to.getTime() - query.from.getTime() > pausesMs ? 'paused' : 'done');
    },
  };
  const all: CollectOptions = {
    ledger,
    search,
    access: { deployment: 'us1', accessID: 'id', accessKey: 'key' },
    query: '_source=Konnect',
    region: 'us',
    organizationID: blue,
    period,
    wantsList: true,
    now: new Date('2026-01-02T03:10:00Z'),
    jobs: { onCreated: () => Promise.resolve(), onDeleted: () => {} },
    signal: new AbortController().signal,
  };
  return { options: all, searched };
}

describe('a list of more than 200,000 entries', () => {
  test('is compared in its newest part, and the verdict says since when', async () => {
    // 300 pages in an hour.
    const { options: all, searched } = options({ pageMs: 12_000 });
    const ledgers = await collect(all);
    expect(ledgers.period).toEqual({ from: new Date('2026-01-02T02:30:00Z'), to: period.to });
    // Lines that SumoLogic received some minutes before count as well: its clock may differ.
    expect(searched.map(({ from }) => from)).toEqual([new Date('2026-01-02T02:25:00Z')]);
    const verdict = verdictOf({
      counts: ledgers.counts(),
      period: ledgers.period,
      wantedFrom: period.from,
      hasList: true,
      hasOrganization: true,
      hasKeys: false,
      probeTime: undefined,
      isDelivered: true,
    });
    expect(verdict?.message).toMatch(
      /; the list has more than 200000 entries since 2026-01-02T02:00:00Z, and the operator compared only those since 2026-01-02T02:30:00Z: make spec\.verification\.interval no longer than this part, else some entries are never compared$/,
    );
  });
});

describe('a search that SumoLogic pauses', () => {
  test('is divided until each part ends, the newest part first', async () => {
    const { options: all, searched } = options({ pausesMs: 40 * 60_000 });
    await collect(all);
    const parts = searched.map(
      ({ from, to }) => `${from.toISOString().slice(11, 16)} ${to.toISOString().slice(11, 16)}`,
    );
    expect(parts).toEqual(['01:55 03:10', '02:32 03:10', '01:55 02:32']);
  });

  test('is given up after 64 jobs, with the time since which there are too many lines', async () => {
    const { options: all, searched } = options({ pausesMs: 5_000 });
    await expect(collect(all)).rejects.toMatchObject({
      name: 'TooManyLinesError',
      since: new Date('2026-01-02T01:55:00Z'),
    });
    expect(searched).toHaveLength(64);
  });
});
