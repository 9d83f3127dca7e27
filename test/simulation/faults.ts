/** Faults of one outside call, and changes that people make right after one. */

/** One call of the operator to Kubernetes, Konnect or SumoLogic. */
export interface Call {
  readonly system: 'kubernetes' | 'konnect' | 'sumologic';
  /** For example `write status platform/sumologic` or `create destination`. */
  readonly what: string;
  readonly kind: 'read' | 'list' | 'write';
  /** Whether it is a write that goes on at rest: of status with only a new `lastObservedTime`, or what a verification writes each time. */
  readonly isObservation?: boolean;
  /** Whether it changes destinations of Konnect. Lists show nothing else. */
  readonly touchesDestinations: boolean;
  /** Whether it creates a destination. */
  readonly creates: boolean;
  /** Whether its answer has a body. */
  readonly hasBody: boolean;
  /** The one object of Konnect that it reads or writes, in the words of `konnect-snapshot.ts`, or the search job. */
  readonly object?: string | undefined;
  /** The one webhook whose deliveries it reads, in the same words. */
  readonly deliveryOf?: string | undefined;
}

/**
 * - `crash-before`, `crash-after`: the process ends before the call, or after the call and before its answer
 * - `crash-after+stale-list`: likewise, and for 30 seconds Konnect serves lists that are 30 seconds old
 * - `crash-after+deleted`: likewise, and a user deletes the forwarding before the next process begins
 * - `crash-done-late`: the process ends, and Konnect executes the call ten seconds later
 * - `answer-lost`: Konnect executes the call, and the connection breaks; `answer-lost+stale-list`: likewise, with old lists
 * - `http-400`, `http-401`, `http-403`, `http-409`, `http-429`, `http-500`: this answer, and no execution; `http-500-done`: this answer, and execution
 * - `timeout`: no execution, and no answer in time
 * - `truncated`: execution, and an answer that ends too early
 * - `stale-list`: from this list on, Konnect serves lists that are 30 seconds old, for 30 seconds
 * - `stale-cache`: after this call another process takes over; for ten seconds its cache shows nothing since the scenario's change
 * - `cache-behind`: likewise, and its cache lacks only what this call wrote
 */
export const faults = [
  'crash-before',
  'crash-after',
  'crash-after+stale-list',
  'crash-after+deleted',
  'crash-done-late',
  'answer-lost',
  'answer-lost+stale-list',
  'http-400',
  'http-401',
  'http-403',
  'http-409',
  'http-429',
  'http-500',
  'http-500-done',
  'timeout',
  'truncated',
  'stale-list',
  'stale-cache',
  'cache-behind',
] as const;
export type Fault = (typeof faults)[number];

/** Faults that can last: the same call fails again, four times or for 35 minutes. */
export const lastingFaults = [
  'answer-lost',
  'http-400',
  'http-401',
  'http-403',
  'http-409',
  'http-429',
  'http-500',
  'http-500-done',
  'timeout',
  'truncated',
] as const satisfies readonly Fault[];

/**
 * What people do right after a call.
 *
 * - `user-undoes`: a user takes the scenario's change back, and makes it again when all is at rest
 * - `user-edits`: a user sets another `interval`
 * - `user-rotates`: a user writes another authorization into the Secret of the SIEM
 * - `other-detaches`, `other-switches`, `other-points`: another client detaches a webhook of the forwarding, switches it on or off, or points it elsewhere
 * - `other-edits`, `other-authorizes`, `other-deletes`: another client changes the log format or the authorization of the destination, or deletes it
 */
export const acts = [
  'user-undoes',
  'user-edits',
  'user-rotates',
  'other-detaches',
  'other-switches',
  'other-points',
  'other-edits',
  'other-authorizes',
  'other-deletes',
] as const;
export type Act = (typeof acts)[number];

export function isFault(text: string): text is Fault {
  return faults.some((fault) => fault === text);
}

export function isAct(text: string): text is Act {
  return acts.some((act) => act === text);
}

/** True for an answer with 4xx. */
export function isRefusal(fault: Fault | Act): boolean {
  return /^http-4\d\d$/.test(fault);
}

/** Returns false if the fault cannot happen to such a call, or has the same effect as another fault. */
export function applies(fault: Fault, call: Call): boolean {
  const isWrite = call.kind === 'write';
  const isRemote = call.system !== 'kubernetes';
  switch (fault) {
    case 'crash-before':
    case 'http-429':
    case 'http-500':
    case 'timeout':
      return true;
    case 'crash-after':
    case 'crash-after+deleted':
    case 'stale-cache':
      return isWrite;
    case 'crash-after+stale-list':
    case 'answer-lost+stale-list':
      return isRemote && isWrite && call.touchesDestinations;
    case 'crash-done-late':
      return call.creates;
    case 'answer-lost':
    case 'http-409':
      return isRemote || isWrite;
    case 'http-400':
    case 'http-401':
    case 'http-403':
      return isRemote;
    case 'http-500-done':
      return isRemote && isWrite;
    case 'truncated':
      return isRemote && call.hasBody;
    case 'stale-list':
      return call.kind === 'list';
    case 'cache-behind':
      return !isRemote && isWrite;
  }
}

/** How long a fault lasts: the same call fails this number of times, or for this time. */
export type Lasting = { readonly times: number } | { readonly minutes: number };

/** A fault at one call, or an act after it. Calls are counted from the scenario's change, over all processes. */
export interface PlannedFault {
  readonly at: number;
  readonly fault: Fault | Act;
  readonly lasting?: Lasting;
}

/** Returns the plan as `parsePlan` reads it: `5:crash-after,9:http-500*4,12:timeout@35m`. */
export function planInWords(plan: readonly PlannedFault[]): string {
  return plan
    .map(({ at, fault, lasting }) => {
      const during =
        lasting === undefined ? '' : 'times' in lasting ? `*${String(lasting.times)}` : `@${String(lasting.minutes)}m`;
      return `${String(at)}:${fault}${during}`;
    })
    .join(',');
}

/** Parses a plan. Throws a TypeError for any other text. */
export function parsePlan(text: string): PlannedFault[] {
  return text
    .split(',')
    .filter((part) => part !== '')
    .map((part) => {
      const [, at = '', fault = '', times, minutes] = /^(\d+):([^*@]+)(?:\*(\d+)|@(\d+)m)?$/.exec(part) ?? [];
      if (!isFault(fault) && !isAct(fault))
        throw new TypeError(`"${part}" is not a fault: use CALL:FAULT, CALL:FAULT*TIMES or CALL:FAULT@MINUTESm`);
      const lasting =
        times !== undefined
          ? { times: Number(times) }
          : minutes !== undefined
            ? { minutes: Number(minutes) }
            : undefined;
      return { at: Number(at), fault, ...(lasting === undefined ? {} : { lasting }) };
    });
}
