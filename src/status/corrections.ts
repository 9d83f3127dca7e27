/** How often others' changes of an object were put right: at three in 24 hours the object is left alone. Pure. */
import type { RecordedState } from './recorded-state.ts';

const windowMs = 24 * 3_600_000;
const most = 3;

/** True where one more correction would be part of a war. */
export function isContested(recorded: RecordedState, object: string, nowMs: number): boolean {
  return recent(recorded, object, nowMs).length >= most;
}

export function withCorrection(recorded: RecordedState, object: string, now: Date): RecordedState {
  const at = [...recent(recorded, object, now.getTime()), now.toISOString()].slice(-most);
  return { ...recorded, corrections: [...others(recorded, object), { object, at }] };
}

/** The memory without this object's corrections: it was found right although it was contested. */
export function withoutCorrections(recorded: RecordedState, object: string): RecordedState {
  return withCorrections(recorded, others(recorded, object));
}

/** A new spec, Secret or demand gives every object another chance. */
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

function others({ corrections = [] }: RecordedState, object: string) {
  return corrections.filter((one) => one.object !== object);
}

function recent({ corrections = [] }: RecordedState, object: string, nowMs: number): string[] {
  const at = corrections.find((one) => one.object === object)?.at ?? [];
  // One that lies ahead was put on record before the clock was set back.
  return at.filter((time) => Math.abs(nowMs - Date.parse(time)) < windowMs);
}
