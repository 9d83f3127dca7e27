const maxRetryAfterMs = 3_600_000;

/**
 * Returns how long a Retry-After header (seconds or a date, RFC 9110) asks to wait, from 0 to one hour. Returns undefined if it is missing or invalid.
 * `nowMs` is the time of day, for dates.
 */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  const waitMs = /^\d{1,10}(?:\.\d{1,9})?$/.test(text) ? Number(text) * 1000 : dateMs(text) - nowMs;
  if (Number.isNaN(waitMs)) return undefined;
  return Math.ceil(Math.min(Math.max(waitMs, 0), maxRetryAfterMs));
}

function dateMs(text: string): number {
  return /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text) ? Date.parse(text) : Number.NaN;
}
