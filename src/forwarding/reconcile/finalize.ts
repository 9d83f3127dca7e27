/** Deletes: removes everything that belongs to the forwarding from Konnect, then the finalizer. It never reads the SIEM's Secret. */
import { type AuditLogForwarding, nilUUID, type PortalStatus } from '../../api/v1alpha1.ts';
import { KonnectError } from '../../konnect/errors.ts';
import type { Webhook } from '../../konnect/schema.ts';
import type { Report } from '../../status/conditions.ts';
import { mergeCauses, worstFirst } from '../../status/problem.ts';
import type { RecordedState } from '../../status/recorded-state.ts';
import {
  mayBeAttached,
  moveUnwantedToCleanup,
  nothingWanted,
  ownsAnything,
  withPortal,
} from '../../status/recorded-state.ts';
import type { StatusWriter } from '../../status/status-writer.ts';
import { cleanUp, objectOf } from '../apply/cleanup.ts';
import { resolvePendingCreation } from '../apply/pending-creation.ts';
import { tokenSource } from '../desired/token.ts';
import type { Cluster } from '../ports.ts';
import { orProblem, type Problem, problemOf, reasons, waiting } from '../problems.ts';
import { type ReconcileContext, recordEvent } from '../reconcile-context.ts';

export interface FinalizeOptions {
  readonly organizationID: string;
  readonly pendingCreationTimeoutMs: number;
  /** False if no token of that organization is known. Then only the rest of `cleanup` can be done. */
  readonly isReachable: boolean;
}

const maxReleaseMs = 10 * 60_000;

/** Returns why the deletion of this forwarding leaves Konnect as it is, or undefined if the operator has to remove everything. */
export function whyRetained({ spec }: AuditLogForwarding): string | undefined {
  if (spec.deletionPolicy === 'Retain') return 'spec.deletionPolicy is Retain';
  return spec.mode === 'Observe' ? 'spec.mode is Observe' : undefined;
}

/** Records an event: what a deleted forwarding leaves in Konnect, and why. */
export function recordRetained(
  { cluster, status }: { cluster: Cluster; status: { forwarding: AuditLogForwarding } },
  why: string,
): void {
  const note = `${why}; still active in Konnect: ${describeRemaining(status.forwarding.status)}`;
  recordEvent({ cluster, status }, 'Normal', 'Retained', 'Delete', note);
}

/** Returns true if the finalizer shows that something was set in Konnect, and status no longer says what. */
export function isStatusLost({ forwarding, recorded }: StatusWriter): boolean {
  return (forwarding.status.conditions ?? []).length === 0 && !ownsAnything(recorded);
}

/** Records an event: the operator no longer knows what to remove. `destination` is the name that its destination would have. */
export function recordStatusLost(
  { cluster, status }: Pick<ReconcileContext, 'cluster' | 'status'>,
  destination: string | undefined,
): void {
  const named = destination === undefined ? '' : `destination "${destination}" or `;
  const note = `status was emptied before the deletion, so the operator cleaned up nothing: if ${named}a webhook that spec names is still in Konnect, remove it there`;
  recordEvent({ cluster, status }, 'Warning', 'StatusLost', 'Delete', note);
}

/** Returns the report of a deletion that waits for these problems. The first message says how to end the wait. */
export function deletionReport(problems: readonly Problem[], recorded: RecordedState): Report {
  const wayOut = `or set spec.deletionPolicy to Retain, which finishes the deletion and leaves active in Konnect: ${describeRemaining(recorded)}`;
  const [first, ...others] = mergeCauses(worstFirst(problems));
  const explained = first && { ...first, message: `deletion waits: ${first.message}; ${wayOut}` };
  const unchecked = { kind: 'unchecked', message: 'the forwarding is being deleted' } as const;
  return {
    secrets: unchecked,
    destination: unchecked,
    webhooks: unchecked,
    cleanup: { kind: 'bad', problems: explained === undefined ? [] : [explained, ...others] },
    readyMessage: '',
  };
}

/** Returns the problem of a deletion that has no token of the forwarding's organization. */
export function tokenGone(forwarding: AuditLogForwarding): Problem {
  const organization = forwarding.status.konnect?.organizationID ?? '';
  return waiting(
    reasons.tokenGone,
    `the Konnect token in ${tokenSource(forwarding)} is missing or invalid, and the operator knows no earlier one: put a token of organization ${organization} there`,
  );
}

/** Returns a list of everything that is still in Konnect, with IDs only. */
export function describeRemaining({ destination, organization, portals, cleanup }: RecordedState): string {
  const perhaps = ({ state }: Pick<PortalStatus, 'state'>) => (state === 'pending' ? ' (perhaps)' : '');
  const things = [
    ...(destination?.id === undefined ? [] : [`destination ${destination.id}`]),
    ...(portals ?? []).filter(mayBeAttached).map((portal) => `the webhook of portal ${portal.id}${perhaps(portal)}`),
    ...(mayBeAttached(organization) && organization !== undefined
      ? [`the organization's webhook${perhaps(organization)}`]
      : []),
    ...(cleanup ?? []).map(objectOf),
  ];
  const more = things.length - 10;
  return things.length === 0
    ? 'nothing'
    : things.slice(0, 10).join(', ') + (more > 0 ? ` and ${String(more)} more` : '');
}

/** Removes everything from Konnect. Returns the problems; without any, the finalizer can be removed. */
export async function finalize(context: ReconcileContext, options: FinalizeOptions): Promise<readonly Problem[]> {
  const { status } = context;
  const { region, auditLogsAPI } = status.forwarding.spec.konnect;
  const found = options.isReachable ? [...(await recordUnnamed(context, options))] : [];
  status.recorded = moveUnwantedToCleanup(status.recorded, nothingWanted(region, auditLogsAPI, options.organizationID));
  const { portalsReady: _ready, delivery: _delivery, ...recorded } = status.recorded;
  status.recorded = recorded;
  found.push(...(await cleanUp(context)));
  const [left] = status.recorded.cleanup ?? [];
  if (left !== undefined && found.length === 0) {
    found.push(
      waiting(reasons.detaching, `${objectOf(left)} is still to be cleaned up in Konnect; the operator tries again`),
    );
  }
  const isTimedOut = ({ reason, lastsForMs = 0 }: Problem) =>
    reason === reasons.destinationInUse && lastsForMs > maxReleaseMs;
  if (found.length === 0 || !found.every(isTimedOut)) return found;
  const stays = `left in Konnect: ${describeRemaining(status.recorded)}. Delete it there by hand; `;
  recordEvent(context, 'Warning', 'DestinationLeft', 'Delete', stays + found.map(({ message }) => message).join('; '));
  return [];
}

/** Records what Konnect may hold of the forwarding although status does not name it. Returns the problems. */
async function recordUnnamed(
  context: ReconcileContext,
  { pendingCreationTimeoutMs }: FinalizeOptions,
): Promise<readonly Problem[]> {
  const { auditLogsAPI } = context.status.forwarding.spec.konnect;
  const found: Problem[] = [];
  try {
    found.push(...(await recordWhatPointsAtOurs(context)));
    const creation = await resolvePendingCreation(context, auditLogsAPI, pendingCreationTimeoutMs);
    if (creation !== undefined) found.push(creation);
  } catch (error) {
    if (!(error instanceof KonnectError) || context.signal.aborted) throw error;
    found.push(problemOf(error, "the forwarding's webhooks", context));
  }
  return found;
}

/**
 * Records webhooks of spec that point at the operator's destination although status does not name them, since another client attached
 * them. A webhook that cannot be read may be one of them, so it is recorded, and its problem is returned.
 */
async function recordWhatPointsAtOurs(context: ReconcileContext): Promise<readonly Problem[]> {
  const { destination, konnect } = context.status.recorded;
  // Other clients may use a destination that spec only refers to.
  const destinationID = destination?.managed === false ? undefined : destination?.id;
  const { region } = context.status.forwarding.spec.konnect;
  if (destinationID === undefined || konnect?.region !== region) return [];
  const problems: Problem[] = [];
  for (const { object, read, record } of unattachedOf(context, destinationID)) {
    const webhook = await orProblem(context, object, read);
    const isUnknown = webhook !== undefined && 'kind' in webhook;
    if (isUnknown) problems.push(webhook.problem);
    if (isUnknown || webhook?.destinationID === destinationID) record();
  }
  return problems;
}

/** A webhook that status does not name: how to read it, and how to record that it has to be detached. */
interface Unattached {
  readonly object: string;
  readonly read: () => Promise<Webhook | undefined>;
  readonly record: () => void;
}

/** Returns the webhooks of spec that the operator has not attached, as far as status says. */
function unattachedOf({ status, konnect, signal }: ReconcileContext, destinationID: string): readonly Unattached[] {
  const { client } = konnect;
  const { konnect: where, organization, portals = [] } = status.forwarding.spec;
  const { region } = where;
  const recorded = status.recorded.portals ?? [];
  const known = new Set(recorded.filter(mayBeAttached).map(({ id }) => id));
  const named = [...portals, ...recorded.filter(({ ref }) => ref !== undefined)];
  const ofPortals = named
    .filter(({ id }) => !known.has(id) && id !== nilUUID)
    .map(
      ({ id, enabled }): Unattached => ({
        object: `portal ${id}`,
        read: () => client.getPortalWebhook(region, id, signal),
        record() {
          status.recorded = withPortal(status.recorded, { id, destinationID, enabled, state: 'detaching' });
        },
      }),
    );
  if (organization === undefined || mayBeAttached(status.recorded.organization)) return ofPortals;
  const ofOrganization: Unattached = {
    object: "the organization's webhook",
    read: () => client.getOrganizationWebhook(region, signal),
    record() {
      const { enabled } = organization;
      status.recorded = { ...status.recorded, organization: { api: 'v3', destinationID, enabled, state: 'detaching' } };
    },
  };
  return [ofOrganization, ...ofPortals];
}
