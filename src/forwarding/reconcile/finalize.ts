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
import { tokenSource } from '../desired/credentials.ts';
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
  const { spec } = status.forwarding;
  const { region, auditLogsAPI } = spec.konnect;
  const found: Problem[] = [];
  try {
    if (options.isReachable) {
      found.push(...(await recordWhatPointsAtOurs(context)));
      const creation = await resolvePendingCreation(context, auditLogsAPI, options.pendingCreationTimeoutMs);
      if (creation !== undefined) found.push(creation);
    }
  } catch (error) {
    if (!(error instanceof KonnectError) || context.signal.aborted) throw error;
    found.push(problemOf(error, "the forwarding's webhooks", context));
  }
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

/**
 * Records webhooks of spec that point at the operator's destination although status does not name them, since another client attached
 * them. A webhook that cannot be read may be one of them, so it is recorded, and its problem is returned.
 */
async function recordWhatPointsAtOurs(context: ReconcileContext): Promise<readonly Problem[]> {
  const { status, konnect, signal } = context;
  const { destination } = status.recorded;
  // Other clients may use a destination that spec only refers to.
  const destinationID = destination?.managed === false ? undefined : destination?.id;
  const { konnect: where, organization, portals = [] } = status.forwarding.spec;
  if (destinationID === undefined || status.recorded.konnect?.region !== where.region) return [];
  const problems: Problem[] = [];

  async function mayPointAtIt(object: string, read: () => Promise<Webhook | undefined>): Promise<boolean> {
    const webhook = await orProblem(context, object, read);
    if (webhook === undefined || !('kind' in webhook)) return webhook?.destinationID === destinationID;
    problems.push(webhook.problem);
    return true;
  }

  if (organization !== undefined && !mayBeAttached(status.recorded.organization)) {
    const read = () => konnect.client.getOrganizationWebhook(where.region, signal);
    if (await mayPointAtIt("the organization's webhook", read)) {
      const { enabled } = organization;
      status.recorded = { ...status.recorded, organization: { api: 'v3', destinationID, enabled, state: 'detaching' } };
    }
  }
  const known = new Set((status.recorded.portals ?? []).filter(mayBeAttached).map(({ id }) => id));
  const referred = (status.recorded.portals ?? []).filter(({ ref }) => ref !== undefined);
  for (const { id, enabled } of [...portals, ...referred]) {
    if (known.has(id) || id === nilUUID) continue;
    if (await mayPointAtIt(`portal ${id}`, () => konnect.client.getPortalWebhook(where.region, id, signal))) {
      status.recorded = withPortal(status.recorded, { id, destinationID, enabled, state: 'detaching' });
    }
  }
  return problems;
}
