/** Remembers what the forwarding has adopted, so that it can give way to an owner that takes it back. Pure. */
import type { AdoptionStatus } from '../api/v1alpha1.ts';
import type { RecordedState } from './recorded-state.ts';

/**
 * Four times the longest `spec.interval`, since the owner and this forwarding look in turn. A change that only Konnect's time shows
 * counts at the second time.
 */
const windowMs = 96 * 3_600_000;

/**
 * `recent`: the owner may still take it back. `corrected`: another client has changed it, and the operator has corrected that. `taken
 * back`: another client owns it. Undefined: the forwarding did not adopt it, or the owner has never come back. IDs are those of
 * destinations, and undefined stands for the organization's inline webhook.
 */
export type AdoptionState = 'recent' | 'corrected' | 'taken back' | undefined;

/** What a plan says about adoptions. */
export interface AdoptionChanges {
  readonly adopted: ReadonlySet<string | undefined>;
  readonly takenBack: ReadonlySet<string | undefined>;
  /** False if the operator could not read everything. Then nothing that was taken back is forgotten. */
  readonly isComplete: boolean;
}

export function adoptionStateOf({ adoptions = [] }: RecordedState, id: string | undefined, now: Date): AdoptionState {
  const found = adoptions.find(({ destinationID }) => destinationID === id);
  if (found?.takenBack === true) return 'taken back';
  if (found === undefined || !isRecent(found, now)) return undefined;
  return found.corrected === true ? 'corrected' : 'recent';
}

/** Returns the recorded state after a correction of what was adopted, if it was. */
export function withCorrectedAdoption(recorded: RecordedState, id: string | undefined): RecordedState {
  const { adoptions } = recorded;
  if (adoptions?.some(({ destinationID }) => destinationID === id) !== true) return recorded;
  return {
    ...recorded,
    adoptions: adoptions.map((one) => (one.destinationID === id ? { ...one, corrected: true } : one)),
  };
}

/** Returns the recorded state with these changes. What was taken back is forgotten once nothing of the forwarding needs it any more. */
export function withAdoptions(recorded: RecordedState, changes: AdoptionChanges, now: Date): RecordedState {
  const { adoptions = [], ...rest } = recorded;
  const { adopted, takenBack, isComplete } = changes;
  const isKept = (one: AdoptionStatus) => (one.takenBack === true ? !isComplete : isRecent(one, now));
  const kept = adoptions.filter((one) => isKept(one) && !adopted.has(one.destinationID));
  const entry = (id: string | undefined): AdoptionStatus => {
    const known = adoptions.find(({ destinationID }) => destinationID === id);
    if (known !== undefined && known.takenBack !== true && isRecent(known, now)) return known;
    return { ...(id === undefined ? {} : { destinationID: id }), at: now.toISOString() };
  };
  const back = [...takenBack].map((id) => ({
    ...(adoptions.find(({ destinationID }) => destinationID === id) ?? entry(id)),
    takenBack: true,
  }));
  const all = [
    ...kept.filter(({ destinationID }) => !takenBack.has(destinationID)),
    ...[...adopted].filter((id) => !takenBack.has(id)).map(entry),
    ...back,
  ].toSorted((a, b) => ((a.destinationID ?? '') < (b.destinationID ?? '') ? -1 : 1));
  return all.length === 0 ? rest : { ...rest, adoptions: all };
}

// A time in the future was recorded before the clock was set back.
function isRecent({ at }: AdoptionStatus, now: Date): boolean {
  return Math.abs(now.getTime() - Date.parse(at)) < windowMs;
}
