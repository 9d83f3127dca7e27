/** Undoes in Konnect what status remembers as ours and nobody wants any longer. Nothing of somebody else's is ever touched. */
import type { AuditLogsAPI, CleanupStatus } from '../api/v1alpha1.ts';
import { KonnectError } from '../konnect/errors.ts';
import { endpointDigest } from './desired.ts';
import { withoutCleanup } from './memory.ts';
import { announce, beforeWrite, type Pass } from './pass.ts';
import { type Problem, problemOf, reasons, waiting } from './problems.ts';

const order: readonly CleanupStatus['kind'][] = ['portal', 'organization', 'destination'];

/**
 * Works through `cleanup`, webhooks before destinations, and takes out of memory what is proved to be undone. Answers what could not be.
 * With `only`, other entries are left for later.
 */
export async function cleanUp(
  pass: Pass,
  only: (entry: CleanupStatus) => boolean = () => true,
): Promise<readonly Problem[]> {
  const { draft } = pass;
  const entries = (draft.memory.cleanup ?? [])
    .filter(only)
    .toSorted((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
  if (entries.length > 0)
    await beforeWrite(pass, `undoing in Konnect: ${entries.map(objectOf).slice(0, 3).join(', ')}`);
  const problems: Problem[] = [];
  for (const entry of entries) {
    // Konnect may let a destination go that a webhook still points at.
    if (entry.kind === 'destination' && problems.length > 0) break;
    try {
      const problem = await undo(pass, entry);
      if (problem === undefined) draft.memory = withoutCleanup(draft.memory, entry);
      else problems.push(problem);
    } catch (error) {
      if (!(error instanceof KonnectError) || pass.signal.aborted) throw error;
      problems.push(problemOf(error, objectOf(entry), pass.tokenSource));
    }
  }
  return problems;
}

export function objectOf(entry: CleanupStatus): string {
  switch (entry.kind) {
    case 'portal':
      return `portal ${entry.id ?? ''} in region ${entry.region}`;
    case 'organization':
      return `the organisation's webhook in region ${entry.region}`;
    case 'destination':
      return `destination ${entry.destinationID ?? ''}`;
  }
}

async function undo(pass: Pass, entry: CleanupStatus): Promise<Problem | undefined> {
  switch (entry.kind) {
    case 'portal':
      return detachPortal(pass, entry);
    case 'organization':
      return entry.api === 'v3' ? detachOrganization(pass, entry) : detachInline(pass, entry);
    case 'destination':
      return deleteDestination(pass, entry.api, entry.destinationID);
  }
}

/** Ours is what points at the destination that the entry names, at the one we have now, or at one that is about to go. */
function pointsAtOurs({ draft }: Pass, entry: CleanupStatus, destinationID: string | undefined): boolean {
  const { destination, cleanup = [] } = draft.memory;
  const leaving = cleanup.filter(({ kind }) => kind === 'destination').map((one) => one.destinationID);
  return destinationID !== undefined && [entry.destinationID, destination?.id, ...leaving].includes(destinationID);
}

async function detachPortal(pass: Pass, entry: CleanupStatus): Promise<Problem | undefined> {
  const { client } = pass.konnect;
  const { region, id = '' } = entry;
  const webhook = await client.getPortalWebhook(region, id, pass.signal);
  const destinationID = webhook?.destinationID;
  if (destinationID === undefined || !pointsAtOurs(pass, entry, destinationID)) return undefined;
  let result = await client.deletePortalWebhook(region, id, pass.signal);
  if (result === 'conflict') {
    await client.updatePortalWebhook(region, id, { destinationID, enabled: false }, pass.signal);
    result = await client.deletePortalWebhook(region, id, pass.signal);
  }
  return result === 'conflict' ? stillDetaching(entry) : detached(pass, entry);
}

async function detachOrganization(pass: Pass, entry: CleanupStatus): Promise<Problem | undefined> {
  const { client } = pass.konnect;
  const webhook = await client.getOrganizationWebhook(entry.region, pass.signal);
  if (!pointsAtOurs(pass, entry, webhook?.destinationID)) return undefined;
  const result = await client.deleteOrganizationWebhook(entry.region, pass.signal);
  return result === 'conflict' ? stillDetaching(entry) : detached(pass, entry);
}

/** v2 knows no DELETE: switched off there, and emptied by v3's, unless that view names a destination, which is then not ours. */
async function detachInline(pass: Pass, entry: CleanupStatus): Promise<Problem | undefined> {
  const { client } = pass.konnect;
  const { uid } = pass.draft.forwarding.metadata;
  const webhook = await client.getInlineWebhook(entry.region, pass.signal);
  if (webhook?.endpoint === undefined || endpointDigest(uid, webhook.endpoint) !== entry.endpointDigest)
    return undefined;
  if (webhook.enabled) await client.disableInlineWebhook(entry.region, pass.signal);
  const attached = await client.getOrganizationWebhook(entry.region, pass.signal);
  if (attached?.destinationID === undefined || pointsAtOurs(pass, entry, attached.destinationID)) {
    const result = await client.deleteOrganizationWebhook(entry.region, pass.signal);
    if (result === 'conflict') return stillDetaching(entry);
  }
  return detached(pass, entry);
}

function stillDetaching(entry: CleanupStatus): Problem {
  return waiting(reasons.detaching, `Konnect does not let go of ${objectOf(entry)} yet (HTTP 409); trying again`);
}

function detached(pass: Pass, entry: CleanupStatus): undefined {
  announce(pass, 'Normal', 'WebhookDetached', 'Detach', `detached ${objectOf(entry)}`);
  return undefined;
}

/** Undefined once it is gone. Konnect takes a while to release a destination after the last webhook was detached: 409 until then. */
export async function deleteDestination(
  pass: Pass,
  api: AuditLogsAPI,
  id: string | undefined,
): Promise<Problem | undefined> {
  if (id === undefined) return undefined;
  const result = await pass.konnect.client.deleteDestination(api, id, pass.signal);
  if (result === 'in-use') {
    return waiting(
      reasons.destinationInUse,
      `Konnect still holds destination ${id} in use (HTTP 409): it lets go of detached webhooks after a while, or a webhook that is not ours points at it; detach that one in Konnect`,
    );
  }
  if (result === 'deleted')
    announce(pass, 'Normal', 'DestinationDeleted', 'Delete', `deleted destination ${id} from Konnect`);
  return undefined;
}
