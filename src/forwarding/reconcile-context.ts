/** What every step of a reconciliation needs, and what it has to do before a write to Konnect. */
import { type AuditLogForwarding, type CleanupStatus, finalizer } from '../api/v1alpha1.ts';
import type { DeliveryLook } from '../status/delivery.ts';
import type { Period } from '../status/gaps.ts';
import { ownsAnything } from '../status/recorded-state.ts';
import type { StatusWriter } from '../status/status-writer.ts';
import type { Cluster, Konnect, KubernetesEvent } from './ports.ts';
import { reasons } from './problems.ts';

/** A replay that a user wants. Without a key, it is for every webhook that is on. */
export interface ReplayRequest extends Period {
  /** The value of the annotation. */
  readonly value: string;
  /** The webhook, as in `status.delivery`. */
  readonly key: string | undefined;
}

export interface ReconcileContext extends ReadContext {
  readonly cluster: Cluster;
  readonly status: StatusWriter;
  /** Returns for how many milliseconds this process has known a time that is recorded in status. */
  readonly ageMs: (time: string) => number;
  /** Makes {@link ageMs} of a time infinite in this process, since what it stands for has ended. */
  readonly expire: (time: string) => void;
  /** Makes {@link ageMs} of a time begin again in this process, since what it stands for begins again. */
  readonly renew: (time: string) => void;
  /** True if an earlier reconciliation applied this generation with these Secrets. What differs now was changed by another client. */
  readonly wasApplied: boolean;
  /** False if it is too soon to look again at webhooks that delivered at the last look. */
  readonly areLooksDue: boolean;
  /** Records the looks of this reconciliation at the deliveries, for {@link areLooksDue} of the next one. */
  readonly recordLooks: (looks: ReadonlyMap<string, DeliveryLook>) => void;
  /** True if a user has requested this reconciliation. */
  readonly isRequested: boolean;
  /** The replay that a user has requested and that the operator has not answered yet. */
  readonly replayRequest: ReplayRequest | undefined;
  /** Returns Konnect with a known token of this organization, or undefined. */
  readonly konnectIn: (organizationID: string) => Konnect | undefined;
  /** Returns true if the token that {@link konnectIn} uses for the organization is the one in the Secret. */
  readonly isCurrentToken: (organizationID: string) => boolean;
  /** Forgets the token of an organization, since Konnect refuses it. */
  readonly forgetToken: (organizationID: string) => void;
  /** Returns the forwarding that has taken over this webhook, or that can and still has time to, else undefined. */
  readonly successor: (entry: CleanupStatus, seen: PointedWebhook) => Successor | undefined;
  /** Returns for how many milliseconds Konnect has refused to delete this destination, since the first call. */
  readonly inUseForMs: (destinationID: string) => number;
}

/**
 * Adds the finalizer and writes to status what is about to happen. It has to be awaited before every write to Konnect, so that after a
 * crash the next process finds and removes what was written. Corrections leave the conditions as they are, except for one that
 * interrupts the forwarding (`interrupts`). So does another attempt of what has failed, or conditions would alternate.
 */
export async function beforeWrite(
  context: ReconcileContext,
  message: string,
  { interrupts = false } = {},
): Promise<void> {
  const { status, signal } = context;
  await ensureFinalizer(context);
  const reason = status.forwarding.metadata.deletionTimestamp === undefined ? reasons.applying : 'Deleting';
  const isKept = (context.wasApplied && !interrupts) || hasFailed(status.forwarding);
  await status.checkpoint(isKept ? undefined : { reason, message }, signal);
}

/** Returns true if status says why an earlier attempt has not applied the present generation. */
function hasFailed({ metadata, status }: AuditLogForwarding): boolean {
  const ready = status.conditions?.find(({ type }) => type === 'Ready');
  const isPresent = ready?.status === 'False' && ready.observedGeneration === metadata.generation;
  return isPresent && ready.reason !== reasons.applying && ready.reason !== 'Deleting';
}

type FinalizerContext = Pick<ReconcileContext, 'status' | 'cluster' | 'signal'>;

/** Adds the finalizer, so that the forwarding stays until everything that belongs to it is removed from Konnect. */
export async function ensureFinalizer({ status, cluster, signal }: FinalizerContext): Promise<void> {
  const { deletionTimestamp, finalizers } = status.forwarding.metadata;
  if (deletionTimestamp !== undefined || finalizers.includes(finalizer)) return;
  status.forwarding = await cluster.addFinalizer(status.forwarding, signal);
}

/** Returns true if another client has removed the finalizer while Konnect may hold something of the forwarding. */
export function lacksFinalizer({ metadata, status }: AuditLogForwarding): boolean {
  return metadata.deletionTimestamp === undefined && !metadata.finalizers.includes(finalizer) && ownsAnything(status);
}

/** Adds the finalizer again if another client has removed it, and records an event. */
export async function restoreFinalizer(context: FinalizerContext): Promise<void> {
  if (!lacksFinalizer(context.status.forwarding)) return;
  await ensureFinalizer(context);
  const note = `another client removed the finalizer ${finalizer}; the operator added it again, because this forwarding still has objects in Konnect`;
  recordEvent(context, 'Warning', 'FinalizerRestored', 'Restore', note);
}

/** Records an event of the forwarding. It never fails and never waits. */
export function recordEvent(
  { cluster, status }: { cluster: Pick<Cluster, 'recordEvent'>; status: { forwarding: AuditLogForwarding } },
  type: KubernetesEvent['type'],
  reason: string,
  action: string,
  note: string,
): void {
  cluster.recordEvent(status.forwarding, { type, reason, action, note });
}

/** What reading Konnect needs. */
export interface ReadContext {
  readonly forwarding: AuditLogForwarding;
  readonly konnect: Konnect;
  /** Where the Konnect token is, for messages. */
  readonly tokenSource: string;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

/** What Konnect shows of a webhook, as far as ownership depends on it. */
export type PointedWebhook =
  | { readonly kind: 'attached'; readonly destinationID: string }
  | { readonly kind: 'inline' };

/** The next owner of a webhook. `hasIt`: the webhook already points at the destination that its status names. */
export interface Successor {
  readonly by: string;
  readonly hasIt: boolean;
}
