/** Options whose value is a time. */
import { parseDurationMs } from '../api/duration.ts';
import { type Arguments, textOf, UsageError } from './command.ts';

/** Returns the time that an option names, or undefined if it was not given. Throws a UsageError if it is none. */
export function timeOf(args: Arguments, name: string, now: Date): Date | undefined {
  const text = textOf(args, name);
  if (text === undefined) return undefined;
  const agoMs = parseDurationMs(text);
  if (agoMs !== undefined) return new Date(now.getTime() - agoMs);
  const isTime =
    /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text));
  if (!isTime)
    throw new UsageError(`--${name} must be a time such as 2026-01-02T03:04:05Z, or how long ago, such as 2h`);
  return new Date(text);
}
