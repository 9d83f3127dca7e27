import type { AuditLogForwarding, Status } from '../../src/api/v1alpha1.ts';
import { endpointDigest } from '../../src/forwarding/desired/desired-state.ts';
import type { WebhookState } from './konnect-snapshot.ts';

/** Returns whether status contains enough to find the destination and delete it. */
export function namesDestination(
  { destination, cleanup = [] }: Status,
  { id, name }: { id: string; name: string },
): boolean {
  return (
    destination?.id === id ||
    destination?.creating?.name === name ||
    cleanup.some((entry) => entry.kind === 'destination' && entry.destinationID === id)
  );
}

/** Returns whether status contains enough to find the webhook and detach it. */
export function namesWebhook({ metadata, status }: AuditLogForwarding, seen: WebhookState): boolean {
  const { which, webhook } = seen;
  const { target } = webhook;
  const { destination, portals = [], organization, cleanup = [] } = status;
  const left = cleanup.filter(({ kind, id }) =>
    which.kind === 'portal' ? kind === 'portal' && id === which.id : kind === 'organization',
  );
  const entries = [
    ...left,
    ...(which.kind === 'portal' ? portals.filter(({ id }) => id === which.id) : [organization]),
  ];
  if (target.kind === 'destination') {
    const leaving = cleanup.filter(({ kind }) => kind === 'destination');
    const ids = new Set([destination?.id, ...leaving.map((one) => one.destinationID)]);
    // The pending creation leads to the destination, and with it to the webhooks that were about to be attached.
    const { creating } = destination ?? {};
    const { name, endpoint = '' } = seen.destination ?? {};
    const isCreated = creating?.name === name && creating?.endpointDigest === endpointDigest(metadata.uid, endpoint);
    return entries.some((one) => {
      if (one === undefined) return false;
      const { destinationID } = one;
      if (destinationID === undefined) return isCreated && 'updating' in one && one.updating !== undefined;
      return destinationID === target.id || ids.has(target.id);
    });
  }
  if (target.kind !== 'inline') return true;
  const digest = endpointDigest(metadata.uid, target.inline.endpoint);
  return entries.some((one) => one !== undefined && 'endpointDigest' in one && one.endpointDigest === digest);
}
