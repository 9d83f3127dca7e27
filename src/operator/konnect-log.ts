import type { KonnectOperation } from '../konnect/errors.ts';
import type { KonnectCall } from '../konnect/http.ts';
import type { LimiterChange } from '../konnect/limits/request-limiter.ts';
import type { Log } from '../runtime/log.ts';

/**
 * Logs a failed request to Konnect. A read that Konnect answers with 404 has not failed. `key` is that of the forwarding whose reconciliation sent the
 * request. Other forwardings may wait for the same answer.
 */
export function logCall(
  log: Log,
  { operation, region, status, durationMs, error }: KonnectCall,
  key: string | undefined,
): void {
  if (error === undefined || (status === 404 && operation.startsWith('get '))) return;
  const [namespace, name] = key?.split('/') ?? [];
  const fields = { namespace, name, operation, region, durationMs: Math.round(durationMs), err: error };
  log.warn(fields, 'request to Konnect failed');
}

/** Logs that a page of a list has entries that the operator cannot use. */
export function logSkipped(log: Log, operation: KonnectOperation, entries: number): void {
  log.warn({ operation, entries }, 'a list of Konnect has entries without a valid ID: the operator ignores them');
}

/** Logs that a request limiter has begun or ended to hold requests back. */
export function logLimit(
  log: Log,
  organizationID: string | undefined,
  region: string,
  { state, cause, forMs }: LimiterChange,
): void {
  const fields = { organizationID, region, cause, forMs: Math.round(forMs) };
  if (state === 'open') log.info({ organizationID, region }, 'Konnect answers again');
  else if (state === 'limited')
    log.warn(fields, 'rate limited: Konnect asked to wait, no requests are sent until then');
  else log.warn(fields, 'circuit breaker open: Konnect is unavailable, only probe requests are sent');
}
