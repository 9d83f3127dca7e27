/** Divides the runs into jobs for several threads. */
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { behaviorIn, type Family, runsOf, runsWithSecondFault } from './families.ts';
import type { PlannedFault } from './faults.ts';
import { prepareScenario, runScenario } from './runner.ts';
import { scenarios } from './scenarios.ts';
import { addRun, emptySummary, type Summary } from './summary.ts';

/** All runs of a family of a scenario, or all runs with a given first fault and a second one. */
export interface Job {
  readonly scenario: string;
  readonly seed: number;
  readonly family: Family | 'pairs';
  readonly first?: PlannedFault;
  /** Only this part of the faults. `part` begins at 1. Default: all. */
  readonly part?: { readonly part: number; readonly parts: number };
  /** Ends after the first run with a violation. */
  readonly endsAtViolation?: boolean;
}

export interface JobResult {
  readonly job: Job;
  readonly summary: Summary;
  /** Digests of the observed states. */
  readonly states: readonly string[];
  /** The faults of the runs with one fault. */
  readonly appliedFaults: readonly PlannedFault[];
  /** Outside calls of the run without a fault. */
  readonly calls: number;
}

export async function runJob(job: Job): Promise<JobResult> {
  const scenario = scenarios.find(({ title }) => title === job.scenario);
  if (scenario === undefined) throw new TypeError(`there is no scenario ${job.scenario}`);
  const summary = emptySummary();
  const states = new Set<string>();
  const appliedFaults: PlannedFault[] = [];
  const { seed, family, first, part: { part, parts } = { part: 1, parts: 1 } } = job;
  const select = (plans: readonly PlannedFault[]) => plans.filter((_, index) => index % parts === part - 1);
  let calls = 0;
  const prepared = await prepareScenario(scenario, { seed, behavior: behaviorIn(family) });
  const runs =
    family === 'pairs'
      ? runsWithSecondFault(prepared, await runScenario(prepared, first === undefined ? [] : [first]), { states })
      : runsOf(prepared, family, { states }, select);
  for await (const run of runs) {
    addRun(summary, run);
    if (family === 'faults') appliedFaults.push(...run.plan);
    if (run.plan.length === 0) calls = run.calls.length;
    if (job.endsAtViolation === true && run.violations.length > 0) break;
  }
  return { job, summary, states: [...states], appliedFaults, calls };
}

/** Runs all jobs, and those that `onResult` returns, on several threads. */
export async function runJobs(
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
    runJob(job).then(post, (error: unknown) => {
      throw error;
    });
  });
}
