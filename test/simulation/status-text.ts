import type { Status } from '../../src/api/v1alpha1.ts';

/** Returns one line about a status, for the history of a run. */
export function statusInWords({
  conditions = [],
  destination,
  portals = [],
  organization,
  cleanup = [],
}: Status): string {
  const ready = conditions.find(({ type }) => type === 'Ready');
  return [
    `${ready?.status ?? '-'} ${ready?.reason ?? '-'}`,
    `destination ${destination?.id?.slice(0, 8) ?? '-'}${destination?.creating === undefined ? '' : ' creating'}`,
    ...portals.map(
      ({ id, state, destinationID, reason }) =>
        `portal ${id.slice(0, 2)} ${state} ${destinationID?.slice(0, 8) ?? '-'}${reason === undefined ? '' : ` ${reason}`}`,
    ),
    ...(organization === undefined
      ? []
      : [
          `organization ${organization.api} ${organization.state} ${organization.destinationID?.slice(0, 8) ?? organization.endpointDigest?.slice(0, 8) ?? '-'}`,
        ]),
    ...cleanup.map(
      ({ kind, id, destinationID }) => `cleanup ${kind} ${id?.slice(0, 2) ?? ''} ${destinationID?.slice(0, 8) ?? ''}`,
    ),
  ].join('; ');
}
