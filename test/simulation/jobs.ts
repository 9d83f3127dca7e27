/** The whole of the driver's work in pieces, for as many threads as there are. */
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import type { PlannedFault } from './faults.ts';
import { play, prepare, seconds, singles } from './runner.ts';
import { stories } from './scenarios.ts';
import { count, emptyTally, type Tally } from './summary.ts';

/** All single faults of a story; or, for a story and a first fault, all second ones. */
export interface Job {
  readonly story: string;
  readonly seed: number;
  readonly first?: PlannedFault;
}

export interface JobResult {
  readonly job: Job;
  readonly tally: Tally;
  /** Digests of the states that were seen. */
  readonly states: readonly string[];
  /** Of a story's single faults: those that came to pass. */
  readonly met: readonly PlannedFault[];
  /** Outside calls of the story without a fault. */
  readonly calls: number;
}

export async function doJob(job: Job): Promise<JobResult> {
  const story = stories.find(({ title }) => title === job.story);
  if (story === undefined) throw new TypeError(`there is no story ${job.story}`);
  const tally = emptyTally();
  const states = new Set<string>();
  const met: PlannedFault[] = [];
  const { seed, first } = job;
  let calls = 0;
  const prepared = await prepare(story, seed);
  const runs =
    first === undefined ? singles(prepared, { states }) : seconds(prepared, await play(prepared, [first]), { states });
  for await (const run of runs) {
    count(tally, run);
    met.push(...(first === undefined ? run.plan : []));
    if (run.plan.length === 0) calls = run.calls;
  }
  return { job, tally, states: [...states], met, calls };
}

/** Does all jobs, and those that `onResult` answers, on so many threads. */
export async function doJobs(
  jobs: readonly Job[],
  threads: number,
  onResult: (result: JobResult) => readonly Job[],
): Promise<void> {
  const waiting = [...jobs];
  const workers = Array.from({ length: threads }, () => new Worker(new URL(import.meta.url)));
  try {
    await new Promise<void>((resolve, reject) => {
      let busy = 0;
      const give = (worker: Worker) => {
        const job = waiting.shift();
        if (job === undefined) return false;
        busy += 1;
        const post = worker.postMessage.bind(worker);
        post(job);
        return true;
      };
      const idle = new Set<Worker>();
      for (const worker of workers) {
        worker.on('error', reject);
        worker.on('message', (result: JobResult) => {
          busy -= 1;
          waiting.push(...onResult(result));
          idle.add(worker);
          for (const one of idle) if (give(one)) idle.delete(one);
          if (busy === 0 && waiting.length === 0) resolve();
        });
        if (!give(worker)) idle.add(worker);
      }
      if (busy === 0) resolve();
    });
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort;
  port.on('message', (job: Job) => {
    const post = port.postMessage.bind(port);
    doJob(job).then(post, (error: unknown) => {
      throw error;
    });
  });
}
