/** What a webhook of a portal and the organization's webhook, in v3 and in v2, have in common for those who write them. */
import type { AppliedWebhook, OrganizationStatus, PortalStatus } from '../../api/v1alpha1.ts';
import type { RecordedState } from '../../status/recorded-state.ts';
import type { WebhookStep } from '../plan/steps.ts';
import type { Problem } from '../problems.ts';

/** A webhook that a forwarding attaches. */
export interface Attachment {
  /** Its name in `status.corrections` and `status.drift`. */
  readonly key: string;
  /** Its name in messages. */
  readonly object: string;
  /** The field of spec that names it. */
  readonly field: string;
  readonly step: WebhookStep;
  /** False for the organization's webhook in v2, which has its own endpoint. */
  readonly needsDestination: boolean;
  readonly enabled: boolean;
  /** What status recorded before this reconciliation. */
  readonly recorded: PortalStatus | OrganizationStatus | undefined;
  /** True if status already names everything that a write may set. */
  readonly isRecorded: boolean;
  readonly missingProblem: () => Problem;
  /** Records what the webhook is, or is about to be. */
  readonly record: (change: AttachmentUpdate) => void;
  /** Sets the webhook in Konnect. Returns Konnect's time of the change, if the answer has it. */
  readonly write: (destinationID: string) => Promise<string | undefined>;
  /** Returns false if the portal does not exist. */
  readonly exists: () => Promise<boolean>;
}

export interface AttachmentUpdate {
  readonly state: PortalStatus['state'];
  readonly reason?: string;
  /** Who owns it. `desired`: the operator, with what spec wants. `same`: as recorded. `none`: a read has shown that the operator does not. */
  readonly ours: 'desired' | 'same' | 'none';
  /** Konnect's time of the operator's last change. */
  readonly updatedAt?: string | undefined;
  /** The write has succeeded, with the Secret of this reconciliation. */
  readonly wasWritten?: boolean;
  /** The write is still to come. */
  readonly isBeforeWrite?: boolean;
  /** A write that may be under way, or whose answer was lost. As recorded unless given. */
  readonly updating?: PortalStatus['updating'];
  /** What a read has shown of the operator's last change. As recorded unless given. */
  readonly applied?: AppliedWebhook | undefined;
}

/** Returns what stays recorded of the operator's last change, and of one that may be under way. */
export function appliedOf(
  { ours, isBeforeWrite, updating, applied }: AttachmentUpdate,
  before: PortalStatus | OrganizationStatus | undefined,
  desired: AppliedWebhook,
): { applied?: AppliedWebhook; updating?: PortalStatus['updating'] } {
  if (ours === 'none') return {};
  if (ours === 'desired' && isBeforeWrite !== true) return { applied: desired };
  const lasting = updating ?? before?.updating;
  const last = applied ?? before?.applied;
  return {
    ...(last === undefined ? {} : { applied: last }),
    ...(lasting === undefined ? {} : { updating: lasting }),
  };
}

/**
 * Returns the destination that the webhook is recorded with after the change. Before a write this is the one that the write sets, if `applied`
 * names the one before. So a later read tells which of both the webhook points at.
 */
export function destinationOf(
  { ours, updating }: AttachmentUpdate,
  state: RecordedState,
  recorded: Pick<PortalStatus, 'destinationID' | 'applied'> | undefined,
): { destinationID?: string } {
  if (ours === 'none') return {};
  const isNext = ours === 'desired' || (updating !== undefined && recorded?.applied !== undefined);
  const id = isNext ? state.destination?.id : recorded?.destinationID;
  return id === undefined ? {} : { destinationID: id };
}
