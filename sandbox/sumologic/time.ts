const wallClock = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)$/;
const timestampInLine = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)/;

/**
 * Returns `from` or `to` of a search job, in ms since the epoch. Accepts ms since the epoch (number or digits), or `YYYY-MM-DDTHH:mm:ss` in the
 * job's time zone. Returns undefined for anything else: SumoLogic rejects fractions and offsets.
 */
export function parseSearchTime(value: string | number, timeZone: string): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  if (/^\d{1,15}$/.test(value)) return Number(value);
  if (!wallClock.test(value)) return undefined;
  const asUTC = Date.parse(`${value}Z`);
  if (Number.isNaN(asUTC)) return undefined;
  // A change of the zone's offset may lie between the guess and the result, so the offset is computed twice.
  const guess = asUTC - offsetMs(asUTC, timeZone);
  return asUTC - offsetMs(guess, timeZone);
}

/** Returns whether `timeZone` is UTC or a zone of the tz database. */
export function isTimeZone(timeZone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }) instanceof Intl.DateTimeFormat;
  } catch {
    return false;
  }
}

/** Returns the first RFC 3339 timestamp of a line. Undefined if there is none. */
export function messageTime(line: string): number | undefined {
  const found = timestampInLine.exec(line);
  if (found === null) return undefined;
  const timeMs = Date.parse(found[0]);
  return Number.isNaN(timeMs) ? undefined : timeMs;
}

function offsetMs(timeMs: number, timeZone: string): number {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
  return Date.parse(`${format.format(timeMs).replace(' ', 'T')}Z`) - Math.floor(timeMs / 1000) * 1000;
}
