/** How status records the destination. */
import type { DestinationStatus } from '../../api/v1alpha1.ts';
import type { OwnDestination } from '../desired/desired-state.ts';
import type { ReconcileContext } from '../reconcile-context.ts';

/** The name of the destination in `status.corrections` and `status.drift`. */
export const correctedObject = 'destination';

/** Returns what status records after a write that succeeded, or a read that showed the same. */
export function applied(
  id: string,
  updatedAt: string | undefined,
  { settings, secretVersion, endpointDigest }: OwnDestination,
): DestinationStatus {
  return {
    id,
    name: settings.name,
    managed: true,
    logFormat: settings.logFormat,
    skipSSLVerification: settings.skipSSLVerification,
    endpointDigest,
    secretVersion,
    ...(updatedAt === undefined ? {} : { updatedAt }),
  };
}

export function recordDestination({ status }: ReconcileContext, destination: DestinationStatus): void {
  status.recorded = { ...status.recorded, destination };
}

export function forgetDestination({ status }: ReconcileContext): void {
  const { destination: _gone, ...rest } = status.recorded;
  status.recorded = rest;
}
