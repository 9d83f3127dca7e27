/** What can go wrong with one call to the outside. */

/** One call of the operator's to Kubernetes or Konnect. */
export interface Call {
  readonly system: 'kubernetes' | 'konnect';
  /** Such as `write status platform/sumologic` or `create destination`. */
  readonly what: string;
  readonly kind: 'read' | 'list' | 'write';
  /** Konnect's destinations, the only things that lists show. */
  readonly touchesDestinations: boolean;
  /** Makes a destination. */
  readonly creates: boolean;
  /** The answer to it has a body. */
  readonly hasBody: boolean;
}

/**
 * - `crash-before`, `crash-after`: the process dies before the call, or after it was carried out and before its answer came
 * - `crash-after+stale-list`: likewise, and for the bound lists are as old as they may be
 * - `crash-after+deleted`: likewise, and somebody deletes the forwarding before the next process begins
 * - `crash-done-late`: the process dies, and Konnect carries the call out ten seconds later
 * - `answer-lost`: carried out, and the connection breaks instead of an answer; `answer-lost+stale-list` as above
 * - `http-409`, `http-429`, `http-500`: answered so, not carried out; `http-500-done`: carried out all the same
 * - `timeout`: never carried out, no answer in time
 * - `truncated`: carried out, the answer breaks off
 * - `stale-list`: from this list on and for the bound, lists are as old as they may be
 * - `stale-cache`: after this call another process takes over, whose cache shows nothing that came after the story's change, for ten seconds
 * - `cache-behind`: likewise, and its cache lacks only what this call has written
 */
export const faults = [
  'crash-before',
  'crash-after',
  'crash-after+stale-list',
  'crash-after+deleted',
  'crash-done-late',
  'answer-lost',
  'answer-lost+stale-list',
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

export function isFault(text: string): text is Fault {
  return faults.some((fault) => fault === text);
}

/** False where the fault cannot happen to such a call, or comes to the same as another one. */
export function applies(fault: Fault, call: Call): boolean {
  const isWrite = call.kind === 'write';
  const isKonnect = call.system === 'konnect';
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
      return isKonnect && isWrite && call.touchesDestinations;
    case 'crash-done-late':
      return call.creates;
    case 'answer-lost':
    case 'http-409':
      return isKonnect || isWrite;
    case 'http-500-done':
      return isKonnect && isWrite;
    case 'truncated':
      return isKonnect && call.hasBody;
    case 'stale-list':
      return call.kind === 'list';
    case 'cache-behind':
      return !isKonnect && isWrite;
  }
}

/** A fault at the call of this number, counted from the story's change, over all processes. */
export interface PlannedFault {
  readonly at: number;
  readonly fault: Fault;
}

/** As `parsePlan` reads it: `5:crash-after,9:http-500`. */
export function planInWords(plan: readonly PlannedFault[]): string {
  return plan.map(({ at, fault }) => `${String(at)}:${fault}`).join(',');
}

/** @throws {TypeError} for what is no plan */
export function parsePlan(text: string): PlannedFault[] {
  return text
    .split(',')
    .filter((part) => part !== '')
    .map((part) => {
      const [at = '', fault = ''] = part.split(':');
      if (!/^\d+$/.test(at) || !isFault(fault))
        throw new TypeError(`"${part}" is no fault: CALL:FAULT, such as 5:crash-after`);
      return { at: Number(at), fault };
    });
}
