import { isRefusal, type PlannedFault } from './faults.ts';

/** A refusal is no reason to say the same thing more often. */
const maxTimes = 3;

/** Counts how often status comes to say the same thing while Konnect refuses a call again and again. */
export class Alternation {
  readonly #last = new Map<string, string>();
  readonly #times = new Map<string, number>();

  /** Returns what a status has come to say too often. */
  statusWritten(of: string, readiness: string, faults: readonly PlannedFault[]): string | undefined {
    if (this.#last.get(of) === readiness) return undefined;
    this.#last.set(of, readiness);
    const isRefused = ({ fault, lasting }: PlannedFault) =>
      isRefusal(fault) && fault !== 'http-429' && lasting !== undefined;
    if (!faults.some(isRefused)) return undefined;
    const said = `${of} says ${readiness}`;
    const times = (this.#times.get(said) ?? 0) + 1;
    this.#times.set(said, times);
    return times === maxTimes + 1 ? `${said} for the ${String(times)}th time` : undefined;
  }
}
