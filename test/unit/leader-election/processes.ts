import { setImmediate as turn } from 'node:timers/promises';
import { LeaderElection, type LeaderElectionOptions } from '../../../src/leader-election/leader-election.ts';
import type { LeaseTimes } from '../../../src/leader-election/lease.ts';
import { FencedError } from '../../../src/runtime/write-fence.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { LeaseInMemory, type LeaseTrouble } from './lease-in-memory.ts';

const times: LeaseTimes = { leaseDurationMs: 15_000, renewDeadlineMs: 10_000, retryPeriodMs: 2_000 };
/** 2026-01-01 */
const epochMs = 1_767_225_600_000;

/** A process that takes part in the election. */
interface Process {
  readonly logged: string[];
  /** Whether `lead` is running. */
  works: boolean;
  /** How the process ended. Undefined while it runs. */
  ended: string | undefined;
  /** The signal of `lead`. */
  leading: AbortSignal | undefined;
  trouble: (request: string) => LeaseTrouble | undefined;
  readonly stop: () => void;
  /** Lets `lead` end. */
  readonly finish: () => void;
  readonly mayWrite: () => boolean;
  readonly hasAttempted: () => boolean;
  readonly changes: boolean[];
}

/** Returns a Lease, a clock, and what starts processes that compete for the Lease. */
export function setUp() {
  const clock = new ManualClock();
  const lease = new LeaseInMemory();

  function start(identity: string, options: Partial<LeaderElectionOptions> & { lingers?: boolean } = {}): Process {
    const { lingers = false, ...overrides } = options;
    const logged: string[] = [];
    const write = (_fields: object, message: string) => void logged.push(message);
    const stop = new AbortController();
    const finished = Promise.withResolvers<void>();
    const election = new LeaderElection({
      store: lease.for(identity, (request) => process.trouble(request)),
      name: 'lease a/b',
      identity,
      times,
      clock,
      now: () => epochMs + clock.now(),
      random: () => 0,
      log: { debug: write, info: write, warn: write, error: write },
      onChange: (leads) => process.changes.push(leads),
      ...overrides,
    });
    const process: Process = {
      logged,
      works: false,
      ended: undefined,
      leading: undefined,
      trouble: () => undefined,
      changes: [],
      stop: () => stop.abort(),
      finish: finished.resolve,
      hasAttempted: () => election.hasAttempted,
      mayWrite() {
        try {
          election.fence();
          return true;
        } catch (error) {
          if (error instanceof FencedError) return false;
          throw error;
        }
      },
    };
    const run = election.run(stop.signal, async (leading) => {
      process.works = true;
      process.leading = leading;
      leading.addEventListener('abort', () => {
        if (!lingers) finished.resolve();
      });
      await finished.promise;
      process.works = false;
    });
    async function seeEnd(): Promise<void> {
      try {
        await run;
        process.ended = 'resolved';
      } catch (error) {
        process.ended = error instanceof Error ? `${error.name}: ${error.message}` : 'not an error';
      }
    }
    void seeEnd();
    return process;
  }

  /** Advances the clock in small steps. */
  async function pass(ms: number): Promise<void> {
    for (let left = ms; ; left -= 100) {
      for (let turns = 0; turns < 3; turns += 1) await turn();
      if (left <= 0) return;
      clock.advance(Math.min(100, left));
    }
  }

  return { clock, lease, start, pass };
}
