/** Deletion: everything of ours in Konnect is undone before the finalizer lets the object go. The SIEM's Secret is never asked for. */
import { nilUUID, type PortalStatus, type Status } from '../../api/v1alpha1.ts';
import { KonnectError } from '../../konnect/errors.ts';
import type { Webhook } from '../../konnect/schema.ts';
import { isOurs, nothingWanted, release, withPortal } from '../../status/recorded-state.ts';
import { cleanUp, objectOf } from '../apply/cleanup.ts';
import { settleIntent } from '../apply/pending-creation.ts';
import { orProblem, type Problem, problemOf, reasons } from '../problems.ts';
import { announce, type Pass } from '../reconcile-context.ts';

export interface FinalizeOptions {
  readonly organizationID: string;
  readonly intentPatienceMs: number;
}

const releasePatienceMs = 10 * 60_000;

/** Names what stays live in Konnect, in IDs alone. */
export function whatStays({ destination, organization, portals, cleanup }: Status): string {
  const perhaps = ({ state }: Pick<PortalStatus, 'state'>) => (state === 'pending' ? ' (perhaps)' : '');
  const things = [
    ...(destination?.id === undefined ? [] : [`destination ${destination.id}`]),
    ...(portals ?? []).filter(isOurs).map((portal) => `the webhook of portal ${portal.id}${perhaps(portal)}`),
    ...(isOurs(organization) && organization !== undefined
      ? [`the organization's webhook${perhaps(organization)}`]
      : []),
    ...(cleanup ?? []).map(objectOf),
  ];
  const more = things.length - 10;
  return things.length === 0
    ? 'nothing'
    : things.slice(0, 10).join(', ') + (more > 0 ? ` and ${String(more)} more` : '');
}

/** Answers what keeps the object from going: none, and it may go. */
export async function finalize(pass: Pass, options: FinalizeOptions): Promise<readonly Problem[]> {
  const { draft } = pass;
  const { spec } = draft.forwarding;
  const { region, auditLogsAPI } = spec.konnect;
  const found: Problem[] = [];
  try {
    await rememberWhatPointsAtOurs(pass);
    const intent = await settleIntent(pass, auditLogsAPI, options.intentPatienceMs);
    if (intent !== undefined) found.push(intent);
  } catch (error) {
    if (!(error instanceof KonnectError) || pass.signal.aborted) throw error;
    found.push(problemOf(error, "the forwarding's webhooks", pass.tokenSource));
  }
  draft.memory = release(draft.memory, nothingWanted(region, auditLogsAPI, options.organizationID));
  const { portalsReady: _none, ...memory } = draft.memory;
  draft.memory = memory;
  found.push(...(await cleanUp(pass)));

  const isOver = ({ reason, lastsForMs = 0 }: Problem) =>
    reason === reasons.destinationInUse && lastsForMs > releasePatienceMs;
  if (found.length === 0 || !found.every(isOver)) return found;
  const stays = `left in Konnect: ${whatStays(draft.memory)}. Delete it there by hand; `;
  announce(pass, 'Warning', 'DestinationLeft', 'Delete', stays + found.map(({ message }) => message).join('; '));
  return [];
}

/** Webhooks of spec that status does not name, as after a hand has attached them to our destination. */
async function rememberWhatPointsAtOurs(pass: Pass): Promise<void> {
  const { draft, konnect, signal } = pass;
  const { destination } = draft.memory;
  // Others may attach to one that spec only refers to.
  const destinationID = destination?.managed === false ? undefined : destination?.id;
  const { konnect: where, organization, portals = [] } = draft.forwarding.spec;
  if (destinationID === undefined || draft.memory.konnect?.region !== where.region) return;

  async function pointsAtIt(object: string, read: () => Promise<Webhook | undefined>): Promise<boolean> {
    const webhook = await orProblem(pass, object, read);
    return webhook !== undefined && 'destinationID' in webhook && webhook.destinationID === destinationID;
  }

  if (organization !== undefined && !isOurs(draft.memory.organization)) {
    const read = () => konnect.client.getOrganizationWebhook(where.region, signal);
    if (await pointsAtIt("the organization's webhook", read)) {
      const { enabled } = organization;
      draft.memory = { ...draft.memory, organization: { api: 'v3', destinationID, enabled, state: 'detaching' } };
    }
  }
  const known = new Set((draft.memory.portals ?? []).filter(isOurs).map(({ id }) => id));
  const referred = (draft.memory.portals ?? []).filter(({ ref }) => ref !== undefined);
  for (const { id, enabled } of [...portals, ...referred]) {
    if (known.has(id) || id === nilUUID) continue;
    if (await pointsAtIt(`portal ${id}`, () => konnect.client.getPortalWebhook(where.region, id, signal))) {
      draft.memory = withPortal(draft.memory, { id, destinationID, enabled, state: 'detaching' });
    }
  }
}
