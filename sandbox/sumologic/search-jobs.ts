import { randomBytes } from 'node:crypto';
import type { SearchRequest } from './search-request.ts';
import type { StoredMessage } from './sources.ts';

/** A job that nobody asked about for longer than this is canceled. */
const idleLimitMs = 30_000;
const maxJobsPerKey = 10;

export type JobState = 'NOT STARTED' | 'GATHERING RESULTS' | 'DONE GATHERING RESULTS';

export interface JobStatus {
  readonly state: JobState;
  /** Found so far; final once the state is `DONE GATHERING RESULTS`. */
  readonly messageCount: number;
}

interface Job {
  readonly id: string;
  readonly accessID: string;
  readonly session: string;
  readonly request: SearchRequest;
  readonly createdMs: number;
  askedMs: number;
  /** Set when the job is done: what arrives later is not in it. */
  result?: readonly StoredMessage[];
}

/** Search jobs: a job belongs to an access key and to the session (cookie) that made it, and exists for nobody else. */
export interface SearchJobs {
  /** Undefined if the key has its ten jobs already. */
  create(owner: JobOwner, request: SearchRequest): { id: string } | undefined;
  /** Undefined if there is no such job, which is also so once it was canceled. Asking keeps it alive. */
  status(owner: JobOwner, id: string): JobStatus | undefined;
  /** What was found so far, latest message time first. Undefined as in `status`. Asking keeps the job alive. */
  messages(owner: JobOwner, id: string): readonly StoredMessage[] | undefined;
  /** False if there is no such job. */
  delete(owner: JobOwner, id: string): boolean;
}

export interface JobOwner {
  readonly accessID: string;
  readonly session: string;
}

/** Jobs go from `NOT STARTED` to `GATHERING RESULTS` after half of `gatheringMs`, and are done after the whole of it. */
export function createSearchJobs(options: {
  readonly messages: () => readonly StoredMessage[];
  readonly clock: () => Date;
  readonly gatheringMs: number;
}): SearchJobs {
  const jobs = new Map<string, Job>();

  function nowMs(): number {
    return options.clock().getTime();
  }

  function cancelIdle(): void {
    for (const job of jobs.values()) {
      if (nowMs() - job.askedMs > idleLimitMs) jobs.delete(job.id);
    }
  }

  function find({ accessID, session }: JobOwner, id: string): Job | undefined {
    cancelIdle();
    const job = jobs.get(id);
    if (job === undefined || job.accessID !== accessID || job.session !== session) return undefined;
    job.askedMs = nowMs();
    return job;
  }

  function advance(job: Job): { state: JobState; found: readonly StoredMessage[] } {
    const ageMs = nowMs() - job.createdMs;
    if (ageMs < options.gatheringMs / 2) return { state: 'NOT STARTED', found: [] };
    if (ageMs < options.gatheringMs)
      return { state: 'GATHERING RESULTS', found: search(options.messages(), job.request) };
    job.result ??= search(options.messages(), job.request);
    return { state: 'DONE GATHERING RESULTS', found: job.result };
  }

  return {
    create(owner, request): { id: string } | undefined {
      cancelIdle();
      const sameKey = [...jobs.values()].filter(({ accessID }) => accessID === owner.accessID);
      if (sameKey.length >= maxJobsPerKey) return undefined;
      const id = randomBytes(8).toString('hex').toUpperCase();
      jobs.set(id, { id, ...owner, request, createdMs: nowMs(), askedMs: nowMs() });
      return { id };
    },
    status(owner, id): JobStatus | undefined {
      const job = find(owner, id);
      if (job === undefined) return undefined;
      const { state, found } = advance(job);
      return { state, messageCount: found.length };
    },
    messages(owner, id): readonly StoredMessage[] | undefined {
      const job = find(owner, id);
      if (job === undefined) return undefined;
      return job.request.requiresRawMessages ? advance(job).found : [];
    },
    delete(owner, id): boolean {
      const job = find(owner, id);
      return job !== undefined && jobs.delete(job.id);
    },
  };
}

function search(messages: readonly StoredMessage[], request: SearchRequest): readonly StoredMessage[] {
  return messages
    .filter((message) => {
      const timeMs = request.byReceiptTime ? message.receivedAt.getTime() : message.messageTimeMs;
      return timeMs >= request.fromMs && timeMs < request.toMs && request.matches(message);
    })
    .sort((a, b) => b.messageTimeMs - a.messageTimeMs || b.id - a.id);
}
