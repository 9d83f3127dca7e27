import { randomBytes } from 'node:crypto';
import type { SearchRequest } from './search-request.ts';
import type { StoredMessage } from './sources.ts';

/** A job without requests for longer than this is canceled. */
const idleLimitMs = 30_000;
const maxJobsPerKey = 10;

export type JobState = 'NOT STARTED' | 'GATHERING RESULTS' | 'DONE GATHERING RESULTS';

export interface JobStatus {
  readonly state: JobState;
  /** Number of messages found so far. Final in the state `DONE GATHERING RESULTS`. */
  readonly messageCount: number;
}

interface Job {
  readonly id: string;
  readonly accessID: string;
  readonly session: string;
  readonly request: SearchRequest;
  readonly createdMs: number;
  lastRequestMs: number;
  /** Set when the job is done. Excludes messages that arrive later. */
  result?: readonly StoredMessage[];
}

/** Search jobs. A job is visible only to the access key and the session (cookie) that created it. */
export interface SearchJobs {
  /** Creates a job. Returns undefined if the key already has ten jobs. */
  create(owner: JobOwner, request: SearchRequest): { id: string } | undefined;
  /** Returns undefined if the job does not exist or was canceled. Keeps the job alive. */
  status(owner: JobOwner, id: string): JobStatus | undefined;
  /** Returns the messages found so far, latest message time first. Returns undefined as `status` does. Keeps the job alive. */
  messages(owner: JobOwner, id: string): readonly StoredMessage[] | undefined;
  /** Returns whether the job existed. */
  delete(owner: JobOwner, id: string): boolean;
}

export interface JobOwner {
  readonly accessID: string;
  readonly session: string;
}

/** A job is `GATHERING RESULTS` after half of `gatheringMs`, and done after all of it. */
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
      if (nowMs() - job.lastRequestMs > idleLimitMs) jobs.delete(job.id);
    }
  }

  function find({ accessID, session }: JobOwner, id: string): Job | undefined {
    cancelIdle();
    const job = jobs.get(id);
    if (job === undefined || job.accessID !== accessID || job.session !== session) return undefined;
    job.lastRequestMs = nowMs();
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
      jobs.set(id, { id, ...owner, request, createdMs: nowMs(), lastRequestMs: nowMs() });
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
