/** How often others' changes of an object were put right: at three in 24 hours the object is left alone. Pure. */
import type { Memory } from './status-writer.ts';

const windowMs = 24 * 3_600_000;
const most = 3;

/** True where one more correction would be part of a war. */
export function isContested(memory: Memory, object: string, nowMs: number): boolean {
  return recent(memory, object, nowMs).length >= most;
}

export function withCorrection(memory: Memory, object: string, now: Date): Memory {
  const at = [...recent(memory, object, now.getTime()), now.toISOString()].slice(-most);
  return { ...memory, corrections: [...others(memory, object), { object, at }] };
}

/** The memory without this object's corrections: it was found right although it was contested. */
export function withoutCorrections(memory: Memory, object: string): Memory {
  return withCorrections(memory, others(memory, object));
}

/** A new spec, Secret or demand gives every object another chance. */
export function withoutAnyCorrections(memory: Memory): Memory {
  return withCorrections(memory, []);
}

function withCorrections(memory: Memory, corrections: NonNullable<Memory['corrections']>): Memory {
  const { corrections: _before, ...rest } = memory;
  return corrections.length === 0 ? rest : { ...rest, corrections };
}

function others({ corrections = [] }: Memory, object: string) {
  return corrections.filter((one) => one.object !== object);
}

function recent({ corrections = [] }: Memory, object: string, nowMs: number): string[] {
  const at = corrections.find((one) => one.object === object)?.at ?? [];
  // One that lies ahead was put on record before the clock was set back.
  return at.filter((time) => Math.abs(nowMs - Date.parse(time)) < windowMs);
}
