import type { Config } from '../config/config.ts';
import { BackOff } from '../controller/back-off.ts';
import { runController } from '../controller/controller.ts';
import { WorkQueue } from '../controller/work-queue.ts';
import { HTTPConnections } from '../http/http-connections.ts';
import { systemClock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { ReconcileResult } from '../runtime/reconcile-result.ts';
import type { Fence } from '../runtime/write-fence.ts';
import { SearchClient } from '../sumologic/search-client.ts';
import { Verifier, type VerifierOptions } from '../verification/verifier.ts';

/** SumoLogic lets an organization have 20 search jobs in its smallest plan, and people need some. */
const maxVerifications = 16;
/** Of the forwardings with the same access key, whose requests wait for each other. */
const maxOfAccessKey = 4;
const timeoutMs = 30_000;
const maxAnswerBytes = 16 * 1024 * 1024;

export interface VerificationOptions extends Omit<VerifierOptions, 'search' | 'delayMs' | 'now' | 'random'> {
  readonly config: Pick<Config, 'sumoLogicURL' | 'verificationDelayMs' | 'proxies'>;
  readonly userAgent: string;
  readonly fence: Fence | undefined;
  readonly log: Log;
  /** Runs a verification, and returns a retry if another client has changed its object. */
  readonly attempt: (key: string, verify: () => Promise<ReconcileResult>) => Promise<ReconcileResult>;
}

/** The verifications of all forwardings. They have a queue of their own, so that no reconciliation waits for a search. */
export interface Verification {
  readonly queue: WorkQueue;
  /** Verifies until `signal` is aborted, and aborts what is in progress then. */
  run(signal: AbortSignal): Promise<void>;
}

export function createVerification(options: VerificationOptions): Verification {
  const { config, userAgent, fence, log, attempt, find } = options;
  const maxSockets = maxVerifications;
  const connections = new HTTPConnections({
    userAgent,
    timeoutMs,
    maxAnswerBytes,
    maxSockets,
    proxies: config.proxies,
  });
  const search = new SearchClient({ connections, urlTemplate: config.sumoLogicURL, fence });
  const verifier = new Verifier({
    ...options,
    search,
    delayMs: config.verificationDelayMs,
    now: () => new Date(),
    random: Math.random,
  });
  const queue = new WorkQueue(systemClock, {
    groupOf(key) {
      const forwarding = find(key);
      return `${forwarding?.metadata.namespace ?? ''}/${forwarding?.spec.verification?.sumoLogic.secretRef.name ?? ''}`;
    },
    maxInWork: maxOfAccessKey,
  });
  return {
    queue,
    async run(signal) {
      await runController({
        queue,
        reconcile: (key, until) => attempt(key, () => verifier.verify(key, until)),
        concurrency: maxVerifications,
        backOff: new BackOff({ baseMs: 60_000, maxMs: 300_000, jitter: 'equal', random: Math.random }),
        // It would take minutes, and the next process repeats it.
        graceMs: 0,
        log,
        signal,
      });
      queue.shutDown();
      connections.close();
    },
  };
}
