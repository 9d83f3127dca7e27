/** Konnect's limit of requests, as an answer states it. */
export interface RateLimit {
  readonly limit: number;
  readonly remaining: number;
}

/** Returns the limit of the headers `ratelimit-*`, else of `x-ratelimit-*-minute`, or undefined if they are missing or invalid. */
export function rateLimitOf(header: (name: string) => string | undefined): RateLimit | undefined {
  return (
    pairOf(header('ratelimit-limit'), header('ratelimit-remaining')) ??
    pairOf(header('x-ratelimit-limit-minute'), header('x-ratelimit-remaining-minute'))
  );
}

function pairOf(limit: string | undefined, remaining: string | undefined): RateLimit | undefined {
  const isNumber = (text: string | undefined) => text !== undefined && /^\d{1,9}$/.test(text);
  return isNumber(limit) && isNumber(remaining) ? { limit: Number(limit), remaining: Number(remaining) } : undefined;
}
