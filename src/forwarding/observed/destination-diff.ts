/** `authorization`: Konnect's time of the last change is not that of ours, so somebody may have changed what cannot be read. */

import type { DestinationStatus } from '../../api/v1alpha1.ts';
import type { OwnDestination } from '../desired/desired-state.ts';
import type { SeenDestination } from './observed-state.ts';

export type Difference = 'secret' | 'name' | 'endpoint' | 'logFormat' | 'skipSSLVerification' | 'authorization';
/** To the millisecond; an unknown time equals every other. */
export function sameTime(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined || a === b) return true;
  const [aMs, bMs] = [Date.parse(a), Date.parse(b)];
  return Number.isNaN(aMs) || Number.isNaN(bMs) ? false : aMs === bMs;
}

/** What a destination of ours has to be changed in. What Konnect leaves out of its answer is taken to be right. */
export function differences(
  { settings, secretVersion, endpointDigest }: OwnDestination,
  remembered: Pick<DestinationStatus, 'secretVersion' | 'updatedAt'> | undefined,
  seen: SeenDestination,
): Difference[] {
  const found: Difference[] = [];
  if (remembered?.secretVersion !== secretVersion) found.push('secret');
  if (seen.name !== undefined && seen.name !== settings.name) found.push('name');
  if (seen.endpointDigest !== undefined && seen.endpointDigest !== endpointDigest) found.push('endpoint');
  if (seen.logFormat !== undefined && seen.logFormat !== settings.logFormat) found.push('logFormat');
  if (seen.skipSSLVerification !== undefined && seen.skipSSLVerification !== settings.skipSSLVerification) {
    found.push('skipSSLVerification');
  }
  if (found.length === 0 && !sameTime(remembered?.updatedAt, seen.updatedAt)) found.push('authorization');
  return found;
}
