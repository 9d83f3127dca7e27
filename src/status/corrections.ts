/** Counts the corrections of each object. After three in 24 hours the operator leaves the object unchanged. Pure. */
import type { RecordedState } from './recorded-state.ts';

const windowMs = 24 * 3_600_000;
const maxCorrections = 3;

/** Returns true if the operator has corrected the object three times within 24 hours. */
export function isContested(recorded: RecordedState, object: string, nowMs: number): boolean {
  return recent(recorded, object, nowMs).length >= maxCorrections;
}

/** Returns the recorded state with one more correction of the object. */
export function withCorrection(recorded: RecordedState, object: string, now: Date): RecordedState {
  const at = [...recent(recorded, object, now.getTime()), now.toISOString()].slice(-maxCorrections);
  return { ...recorded, corrections: [...correctionsOfOthers(recorded, object), { object, at }] };
}

/** Returns the recorded state without the corrections of one object, for a contested object that matches again. */
export function withoutCorrections(recorded: RecordedState, object: string): RecordedState {
  return withCorrections(recorded, correctionsOfOthers(recorded, object));
}

/** Returns the recorded state without corrections: after a new spec, Secret or request the operator corrects every object again. */
export function withoutAnyCorrections(recorded: RecordedState): RecordedState {
  return withCorrections(recorded, []);
}

function withCorrections(
  recorded: RecordedState,
  corrections: NonNullable<RecordedState['corrections']>,
): RecordedState {
  const { corrections: _before, ...rest } = recorded;
  return corrections.length === 0 ? rest : { ...rest, corrections };
}

function correctionsOfOthers({ corrections = [] }: RecordedState, object: string) {
  return corrections.filter((one) => one.object !== object);
}

function recent({ corrections = [] }: RecordedState, object: string, nowMs: number): string[] {
  const at = corrections.find((one) => one.object === object)?.at ?? [];
  // A time in the future was recorded before the clock was set back.
  return at.filter((time) => Math.abs(nowMs - Date.parse(time)) < windowMs);
}
