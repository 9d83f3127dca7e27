/** One pass over one forwarding: what every step of it needs. */
import { type AuditLogForwarding, type CleanupStatus, finalizer } from '../api/v1alpha1.ts';
import type { StatusWriter } from '../status/status-writer.ts';
import type { Cluster, Konnect, KubernetesEvent } from './ports.ts';
import { reasons } from './problems.ts';

export interface ReconcileContext extends ReadContext {
  readonly cluster: Cluster;
  readonly status: StatusWriter;
  readonly now: () => Date;
  /** The time of day, for the forwarding's record, where its age is asked for later. */
  readonly stamp: () => string;
  /** For how long this process has known a time on the forwarding's record, in milliseconds. */
  readonly ageMs: (time: string) => number;
  /** This generation, with these Secrets, was in place before this pass: what differs now was changed by somebody else. */
  readonly wasApplied: boolean;
  /** Konnect with a token that is known to reach this organization, or undefined. */
  readonly konnectIn: (organizationID: string) => Konnect | undefined;
  /** The forwarding that has taken over what this entry names, or is about to, while there is patience for it. */
  readonly successor: (entry: CleanupStatus, destinationID?: string) => Successor | undefined;
  /** For how long Konnect has held this destination in use against our deleting it; counted from the first time this is asked. */
  readonly inUseForMs: (destinationID: string) => number;
}

/**
 * Has to be awaited before every write to Konnect: from here on the finalizer holds the forwarding, and status tells what is about to
 * happen, so that a crash at any later point still lets it be found and undone. Conditions stay as they are where others' changes are
 * put right, unless nothing is forwarded meanwhile (`interrupts`).
 */
export async function beforeWrite(
  context: ReconcileContext,
  message: string,
  { interrupts = false } = {},
): Promise<void> {
  const { status, signal } = context;
  await ensureFinalizer(context);
  const reason = status.forwarding.metadata.deletionTimestamp === undefined ? reasons.applying : 'Deleting';
  await status.checkpoint(context.wasApplied && !interrupts ? undefined : { reason, message }, signal);
}

/** From here on the forwarding does not go before what is ours in Konnect is undone. */
export async function ensureFinalizer({ status, cluster, signal }: ReconcileContext): Promise<void> {
  const { deletionTimestamp, finalizers } = status.forwarding.metadata;
  if (deletionTimestamp !== undefined || finalizers.includes(finalizer)) return;
  status.forwarding = await cluster.addFinalizer(status.forwarding, signal);
}

export function recordEvent(
  { cluster, status }: { cluster: Cluster; status: { forwarding: AuditLogForwarding } },
  type: KubernetesEvent['type'],
  reason: string,
  action: string,
  note: string,
): void {
  cluster.recordEvent(status.forwarding, { type, reason, action, note });
}

export interface ReadContext {
  readonly forwarding: AuditLogForwarding;
  readonly konnect: Konnect;
  /** Where the token stands, for messages. */
  readonly tokenSource: string;
  readonly signal: AbortSignal;
}

/** `hasIt`: the webhook points already at what its status names. */
export interface Successor {
  readonly by: string;
  readonly hasIt: boolean;
}
