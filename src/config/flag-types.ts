/** How the text of one flag becomes a value. */
import * as z from 'zod';
import { parseDurationMs } from '../api/duration.ts';
import { parseBindAddress } from '../telemetry/bind-address.ts';

/** What is known of a flag besides how its text is parsed. */
export interface Flag {
  /** Without the leading dashes. */
  name: string;
  /** Stands for the value in the help text. */
  value: string;
  /** The default, as a user would write it. Empty if there is none. */
  default: string;
  help: string;
  /** Describes a valid value, after "must be". */
  expected: string;
  /** True if the value may contain a credential. No message repeats it then. */
  isSecret?: boolean;
  /** What the flag means without a value. A flag that has this never takes the next argument as its value. */
  bare?: string;
}

/** The flags by their schema. */
export const flags = z.registry<Flag>();

/** Returns a schema for text. An empty text becomes undefined. */
export function optionalText(flag: Flag, pattern: RegExp) {
  const read = z
    .union([z.literal('').transform(() => undefined), z.string().regex(pattern)])
    .transform((value): string | undefined => value);
  return read.register(flags, flag);
}

export function oneOf<const T extends readonly [string, ...string[]]>(
  words: T,
  flag: Omit<Flag, 'value' | 'expected'>,
) {
  return z.enum(words).register(flags, { ...flag, value: words.join('|'), expected: `one of ${words.join(', ')}` });
}

export function boolean(flag: Omit<Flag, 'value' | 'expected' | 'bare'>) {
  const read = z.enum(['true', 'false']).transform((value) => value === 'true');
  return read.register(flags, { ...flag, value: 'true|false', expected: 'true or false', bare: 'true' });
}

/** Returns a schema for an address. `0` becomes undefined. */
export function address(flag: Omit<Flag, 'value' | 'expected'>) {
  const read = z.string().transform((value, context) => {
    const parsed = parseBindAddress(value);
    if (parsed === undefined) context.addIssue('not an address');
    return parsed === 'off' ? undefined : parsed;
  });
  return read.register(flags, {
    ...flag,
    value: 'address',
    expected: 'an address such as :8080 or 127.0.0.1:8080, or 0 for off',
  });
}

/** Returns a schema for a duration, which becomes milliseconds. `range` describes the limits in words. */
export function duration(fromMs: number, toMs: number, range: string, flag: Omit<Flag, 'value' | 'expected'>) {
  const read = z.string().transform((value, context) => {
    const ms = parseDurationMs(value) ?? Number.NaN;
    if (!(ms >= fromMs && ms <= toMs)) context.addIssue('not a duration in range');
    return ms;
  });
  return read.register(flags, { ...flag, value: 'duration', expected: `a duration such as 30s or 1m30s, ${range}` });
}

export function integer(from: number, to: number, flag: Omit<Flag, 'value' | 'expected'>) {
  const read = z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .pipe(z.int().min(from).max(to));
  return read.register(flags, { ...flag, value: 'number', expected: `a whole number from ${from} to ${to}` });
}
