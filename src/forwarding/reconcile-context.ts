/** One pass over one forwarding: what every step of it needs. */
import { type AuditLogForwarding, type CleanupStatus, finalizer } from '../api/v1alpha1.ts';
import type { StatusDraft } from '../status/status-writer.ts';
import type { Announcement, Cluster, Konnect } from './ports.ts';
import { reasons } from './problems.ts';

export interface Pass extends Subject {
  readonly cluster: Cluster;
  readonly draft: StatusDraft;
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
export async function beforeWrite(pass: Pass, message: string, { interrupts = false } = {}): Promise<void> {
  const { draft, signal } = pass;
  await hold(pass);
  const reason = draft.forwarding.metadata.deletionTimestamp === undefined ? reasons.applying : 'Deleting';
  await draft.remember(pass.wasApplied && !interrupts ? undefined : { reason, message }, signal);
}

/** From here on the forwarding does not go before what is ours in Konnect is undone. */
export async function hold({ draft, cluster, signal }: Pass): Promise<void> {
  const { deletionTimestamp, finalizers } = draft.forwarding.metadata;
  if (deletionTimestamp !== undefined || finalizers.includes(finalizer)) return;
  draft.forwarding = await cluster.addFinalizer(draft.forwarding, signal);
}

export function announce(
  { cluster, draft }: { cluster: Cluster; draft: { forwarding: AuditLogForwarding } },
  type: Announcement['type'],
  reason: string,
  action: string,
  note: string,
): void {
  cluster.announce(draft.forwarding, { type, reason, action, note });
}

export interface Subject {
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
