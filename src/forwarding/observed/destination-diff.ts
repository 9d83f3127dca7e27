/** Compares a destination in Konnect with the one that the forwarding wants. Pure. */

import type { DestinationStatus } from '../../api/v1alpha1.ts';
import type { OwnDestination } from '../desired/desired-state.ts';
import type { SeenSettings } from './observed-state.ts';

/**
 * `authorization`: another client changed the destination after the operator. It may have changed the authorization, which Konnect never
 * shows.
 */
export type Difference = 'secret' | 'name' | 'endpoint' | 'logFormat' | 'skipSSLVerification' | 'authorization';

/** What status records as applied to a destination, or to the organization's inline webhook. */
export type AppliedSettings = Partial<
  Pick<DestinationStatus, 'name' | 'endpointDigest' | 'logFormat' | 'skipSSLVerification' | 'updatedAt'>
>;

/** Returns true if both times are equal to the millisecond, or if one is unknown. */
export function sameTime(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined || a === b) return true;
  const [aMs, bMs] = [Date.parse(a), Date.parse(b)];
  return Number.isNaN(aMs) || Number.isNaN(bMs) ? false : aMs === bMs;
}

/** Returns what the operator has to change in its destination. A field that Konnect leaves out of its answer counts as equal. */
export function differences(
  { settings, secretVersion, endpointDigest }: OwnDestination,
  record: Pick<DestinationStatus, 'secretVersion' | 'updatedAt' | 'updating'> | undefined,
  seen: Partial<SeenSettings>,
): Difference[] {
  const found: Difference[] = [];
  if (record?.secretVersion !== secretVersion) found.push('secret');
  if (seen.name !== undefined && seen.name !== settings.name) found.push('name');
  if (seen.endpointDigest !== undefined && seen.endpointDigest !== endpointDigest) found.push('endpoint');
  if (seen.logFormat !== undefined && seen.logFormat !== settings.logFormat) found.push('logFormat');
  if (seen.skipSSLVerification !== undefined && seen.skipSSLVerification !== settings.skipSSLVerification) {
    found.push('skipSSLVerification');
  }
  // No read shows whether a write whose answer was lost has set the authorization.
  const isSure = record?.updating === undefined && sameTime(record?.updatedAt, seen.updatedAt);
  if (found.length === 0 && !isSure) found.push('authorization');
  return found;
}

/**
 * Returns the fields in which Konnect differs from what the operator last applied: another client has changed them. A field that was
 * never applied, or that Konnect leaves out, counts as equal.
 */
export function foreignChanges(applied: AppliedSettings, seen: SeenSettings): Difference[] {
  const fields = ['name', 'endpointDigest', 'logFormat', 'skipSSLVerification'] as const;
  const changed = fields.filter((field) => differ(applied[field], seen[field]));
  if (changed.length > 0) return changed.map((field) => (field === 'endpointDigest' ? 'endpoint' : field));
  return sameTime(applied.updatedAt, seen.updatedAt) ? [] : ['authorization'];
}

/** The name is empty if the destination has returned from `cleanup`, which does not list names. */
function differ(applied: unknown, seen: unknown): boolean {
  return applied !== undefined && applied !== '' && seen !== undefined && applied !== seen;
}
