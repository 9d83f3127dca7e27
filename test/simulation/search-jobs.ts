/** Checks the search jobs in SumoLogic and what a verification makes of missing lines. */

import { isDeepStrictEqual } from 'node:util';
import { type ReplayJob, webhookIn } from '../../sandbox/konnect/model.ts';
import type { AuditLogForwarding, GapStatus, Status } from '../../src/api/v1alpha1.ts';
import { gapsOf } from '../../src/status/gaps.ts';
import { key } from '../support/forwarding-spec.ts';
import type { Call } from './faults.ts';
import type { Violation } from './invariants.ts';
import type { SimulatedWorld } from './simulated-world.ts';

/** Answers to a deletion after which the operator forgets the job: it is gone, or the operator may no longer delete it. */
const finalAnswers = /^(done|not done, http-40[13])/;

export class SearchJobs {
  readonly #world: SimulatedWorld;
  /** Jobs whose deletion SumoLogic has answered. */
  readonly #answered = new Set<string>();
  /** The replays that Konnect has accepted. */
  readonly #replays = new Set<ReplayJob>();
  /** The times of lost lines that a verification has missed. */
  readonly #missedMs = new Set<number>();

  constructor(world: SimulatedWorld) {
    this.#world = world;
  }

  /** Status names a job before the operator looks at it. */
  called({ system, what, object = '' }: Call, outcome: string): Violation[] {
    if (system !== 'sumologic') return [];
    const id = object.replace('search-job/', '');
    if (what === 'delete search job') {
      if (finalAnswers.test(outcome)) this.#answered.add(id);
      return [];
    }
    if (id === '' || this.#isNamed(id)) return [];
    return [{ invariant: 'jobs', detail: `the operator looks at job ${id}, which status does not name` }];
  }

  /** Status forgets a job only when SumoLogic has answered its deletion. */
  statusWritten(of: string, before: AuditLogForwarding | undefined, after: AuditLogForwarding): Violation[] {
    if (after.spec.verification === undefined || after.metadata.deletionTimestamp !== undefined) return [];
    const { from, to } = after.status.verification?.window ?? { from: '', to: '' };
    for (const ms of this.#world.lostLinesMs)
      if (Date.parse(from) <= ms && ms <= Date.parse(to)) this.#missedMs.add(ms);
    const next = jobsOf(after.status);
    const forgotten = jobsOf(before?.status).filter((id) => !next.includes(id) && !this.#answered.has(id));
    return forgotten
      .filter((id) => this.#world.sumologic.jobs.includes(id))
      .map((id) => ({ invariant: 'jobs', detail: `${of} forgets job ${id}, which SumoLogic still has` }));
  }

  /** Konnect replays a missing line once, however long it stays missing. */
  changed(): Violation[] {
    const { replay } = webhookIn(this.#world.organization(), 'us');
    if (replay !== undefined) this.#replays.add(replay);
    return this.#lostMs.flatMap((ms) => {
      const count = this.#replaysOf(ms);
      const detail = `the line of ${new Date(ms).toISOString()} is in ${String(count)} replays`;
      return count > 1 ? [{ invariant: 'once' as const, detail }] : [];
    });
  }

  /** Returns what is left at the end, or differs from the wanted status and reason of `Verified`, unless a user has taken the change back. */
  missing(wanted: string | undefined): string[] {
    const { conditions = [], ...status } = this.#world.statusOf(key);
    const verified = conditions.find(({ type }) => type === 'Verified');
    const is = verified === undefined ? 'absent' : `${verified.status} ${verified.reason}`;
    // Konnect refused the replay twice. Status says so, until a user acts.
    const failed = (status.delivery ?? []).flatMap(gapsOf).filter(({ isFailed }) => isFailed);
    const isIn =
      (ms: number) =>
      ({ from, to = '' }: GapStatus) =>
        Date.parse(from) <= ms && ms <= Date.parse(to);
    const lost = this.#lostMs.flatMap((ms) => {
      if (!this.#missedMs.has(ms)) return ['no verification has missed the lost line'];
      return this.#replaysOf(ms) === 0 && !failed.some(isIn(ms)) ? ['no replay has the lost line'] : [];
    });
    return [
      ...lost,
      ...(wanted === undefined || this.#world.isUndone || is === wanted
        ? []
        : [`Verified is ${is}, wanted: ${wanted}`]),
      ...jobsOf(status).map((id) => `status still names job ${id}`),
    ];
  }

  /** The times of lost lines. If another client acts, the webhook has a gap of its own, which may have them too, or stay open. */
  get #lostMs(): readonly number[] {
    const hasOther = this.#world.appliedFaults.some(({ fault }) => fault.startsWith('other-'));
    return hasOther ? [] : this.#world.lostLinesMs;
  }

  #replaysOf(ms: number): number {
    const isIn = ({ startAt, endAt }: ReplayJob) => Date.parse(startAt) <= ms && ms <= Date.parse(endAt);
    return [...this.#replays].filter((job) => isIn(job) && !job.failed).length;
  }

  #isNamed(id: string): boolean {
    return [...this.#world.kubernetes.objects.values()].some(({ status }) => jobsOf(status).includes(id));
  }
}

/** Returns whether two statuses differ only in what a verification records each time. */
export function isVerification(before: Status, after: Status): boolean {
  const [was, is] = [before, after].map(({ verification: _counts, conditions = [], ...rest }) =>
    JSON.stringify({ ...rest, conditions: conditions.filter(({ type }) => type !== 'Verified') }),
  );
  return was === is && !isDeepStrictEqual(before, after);
}

function jobsOf(status: Status | undefined): readonly string[] {
  return status?.verification?.jobs ?? [];
}
