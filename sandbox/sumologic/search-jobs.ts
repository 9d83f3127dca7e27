import { randomBytes } from 'node:crypto';
import type { SearchRequest } from './search-request.ts';
import type { StoredMessage } from './sources.ts';

/** A job without requests for longer than this is canceled. */
const idleLimitMs = 30_000;

export type JobState = 'NOT STARTED' | 'GATHERING RESULTS' | 'FORCE PAUSED' | 'DONE GATHERING RESULTS';

export interface JobStatus {
  readonly state: JobState;
  /** Number of messages found so far. Final in the states `DONE GATHERING RESULTS` and `FORCE PAUSED`. */
  readonly messageCount: number;
}

interface Job {
  readonly id: string;
  readonly accessID: string;
  readonly session: string;
  readonly request: SearchRequest;
  readonly createdMs: number;
  lastRequestMs: number;
  /** Set when the job is done or paused. Excludes messages that arrive later. */
  result?: Result;
}

interface Result {
  readonly state: JobState;
  readonly found: readonly StoredMessage[];
}

/** Search jobs. A job is visible only to the access key that created it, and if cookies are needed, only to its session. */
export interface SearchJobs {
  /** Creates a job. Returns undefined if the organization already has its maximum of jobs. */
  create(owner: JobOwner, request: SearchRequest): { id: string } | undefined;
  /** Returns undefined if the job does not exist or was canceled. Keeps the job alive. */
  status(owner: JobOwner, id: string): JobStatus | undefined;
  /** Returns the messages found so far, latest message time first. Returns undefined as `status` does. Keeps the job alive. */
  messages(owner: JobOwner, id: string): readonly StoredMessage[] | undefined;
  /** Returns whether the job existed. */
  delete(owner: JobOwner, id: string): boolean;
  /** Returns the IDs of the jobs that exist now, in the order of their creation. */
  ids(): readonly string[];
}

export interface JobOwner {
  readonly accessID: string;
  readonly session: string;
}

/** What differs between SumoLogic's plans, or is not documented. */
export interface SearchBehavior {
  /** 200. How many jobs of all keys exist at a time. It is 20 in the tier Frequent, and colleagues share it. */
  maxJobs: number;
  /** 100,000. A job that has found this many messages is paused for good, and returns no others. */
  maxMessages: number;
  /** true. Whether a job is visible only to requests with the cookies that its creation set. */
  needsCookies: boolean;
}

export const defaultSearchBehavior: Readonly<SearchBehavior> = {
  maxJobs: 200,
  maxMessages: 100_000,
  needsCookies: true,
};

/** A job is `GATHERING RESULTS` after half of `gatheringMs`, and done or paused after all of it. */
export function createSearchJobs(options: {
  readonly messages: () => readonly StoredMessage[];
  readonly clock: () => Date;
  readonly gatheringMs: number;
  readonly behavior: SearchBehavior;
}): SearchJobs {
  const { behavior } = options;
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
    if (job === undefined || job.accessID !== accessID) return undefined;
    if (behavior.needsCookies && job.session !== session) return undefined;
    job.lastRequestMs = nowMs();
    return job;
  }

  function advance(job: Job): Result {
    const ageMs = nowMs() - job.createdMs;
    if (ageMs < options.gatheringMs / 2) return { state: 'NOT STARTED', found: [] };
    if (ageMs < options.gatheringMs)
      return { state: 'GATHERING RESULTS', found: search(options.messages(), job.request) };
    job.result ??= result(job);
    return job.result;
  }

  function result({ request }: Job): Result {
    const found = search(options.messages(), request);
    const isPaused = found.length >= behavior.maxMessages;
    return isPaused
      ? { state: 'FORCE PAUSED', found: found.slice(0, behavior.maxMessages) }
      : { state: 'DONE GATHERING RESULTS', found };
  }

  return {
    create(owner, request): { id: string } | undefined {
      cancelIdle();
      if (jobs.size >= behavior.maxJobs) return undefined;
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
    ids(): readonly string[] {
      cancelIdle();
      return [...jobs.keys()];
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
