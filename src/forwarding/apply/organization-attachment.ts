/** The organization's webhook, in v3 or inline in v2, as an {@link Attachment}. */
import type { AppliedWebhook, CleanupStatus, OrganizationStatus } from '../../api/v1alpha1.ts';
import { isView, mayBeAttached, type RecordedState } from '../../status/recorded-state.ts';
import type { DesiredState } from '../desired/desired-state.ts';
import type { WebhookStep } from '../plan/steps.ts';
import { reasons, stalled } from '../problems.ts';
import type { ReconcileContext } from '../reconcile-context.ts';
import { type Attachment, type AttachmentUpdate, appliedOf, destinationOf } from './attachment.ts';

export function organizationAttachment(
  context: ReconcileContext,
  desired: DesiredState,
  enabled: boolean,
  step: WebhookStep,
): Attachment {
  const { api, region, own } = desired;
  const recorded = context.status.recorded.organization;
  return {
    key: 'organization',
    object: "the organization's webhook",
    field: 'spec.organization',
    step,
    needsDestination: api === 'v3',
    enabled,
    recorded,
    isRecorded:
      mayBeAttached(recorded) &&
      recorded?.api === api &&
      (api === 'v3' || recorded.endpointDigest === own?.endpointDigest),
    missingProblem: () =>
      stalled(
        reasons.requestRefused,
        `the organization's webhook does not exist in region ${region}, or the token may not see it: check spec.konnect.region and the roles of the token in ${context.tokenSource}`,
      ),
    record: (change) => record(context, desired, enabled, change),
    write: (destinationID) => write(context, desired, enabled, destinationID),
    exists: async () => true,
  };
}

async function write(
  { konnect: { client }, signal }: ReconcileContext,
  { api, region, own }: DesiredState,
  enabled: boolean,
  destinationID: string,
): Promise<string | undefined> {
  if (api === 'v3') {
    await client.updateOrganizationWebhook(region, { destinationID, enabled }, signal);
    return undefined;
  }
  if (own === undefined) return undefined;
  const { name: _name, ...inline } = own.settings;
  return (await client.updateInlineWebhook(region, { ...inline, enabled }, signal))?.updatedAt;
}

function record({ status }: ReconcileContext, desired: DesiredState, enabled: boolean, change: AttachmentUpdate): void {
  const { cleanup: _before, ...rest } = status.recorded;
  const before = rest.organization;
  const cleanup = cleanupAfter(status.recorded, desired, change);
  status.recorded = {
    ...rest,
    ...(cleanup.length === 0 ? {} : { cleanup }),
    organization: {
      api: desired.api,
      ...(desired.api === 'v3' ? destinationOf(change, rest, before) : inlineOf(change, before, desired)),
      enabled,
      state: change.state,
      ...(change.reason === undefined ? {} : { reason: change.reason }),
      ...appliedOf(change, before, appliedNow(rest, desired, enabled)),
    },
  };
}

/** Until a write is confirmed, status records both endpoints of an inline webhook: after a crash it may have either of them. */
function cleanupAfter(
  { cleanup = [], konnect }: RecordedState,
  desired: DesiredState,
  { isBeforeWrite = false, ours }: AttachmentUpdate,
): CleanupStatus[] {
  const { api, region, own } = desired;
  const endpointDigest = own?.endpointDigest;
  const organizationID = konnect?.organizationID ?? '';
  const isKept = (entry: CleanupStatus) => (isBeforeWrite ? entry.endpointDigest !== endpointDigest : ours === 'same');
  const kept = cleanup.filter((entry) => !isView(entry, { ...desired, organizationID }) || isKept(entry));
  const isPending = isBeforeWrite && api === 'v2' && ours === 'same';
  return isPending ? [...kept, { organizationID, region, api, kind: 'organization', endpointDigest }] : kept;
}

/** Returns what status records of an inline webhook alone. */
function inlineOf(
  { ours, wasWritten = false, updatedAt }: AttachmentUpdate,
  before: OrganizationStatus | undefined,
  { own }: DesiredState,
): Pick<OrganizationStatus, 'endpointDigest' | 'secretVersion' | 'updatedAt'> {
  if (ours === 'none') return {};
  const endpointDigest = ours === 'desired' ? own?.endpointDigest : before?.endpointDigest;
  const secretVersion = ours === 'desired' && wasWritten ? own?.secretVersion : before?.secretVersion;
  const lastUpdatedAt = wasWritten ? updatedAt : (updatedAt ?? before?.updatedAt);
  return {
    ...(endpointDigest === undefined ? {} : { endpointDigest }),
    ...(secretVersion === undefined ? {} : { secretVersion }),
    ...(lastUpdatedAt === undefined ? {} : { updatedAt: lastUpdatedAt }),
  };
}

function appliedNow({ destination }: RecordedState, { api, own }: DesiredState, enabled: boolean): AppliedWebhook {
  if (api === 'v3') return { ...(destination?.id === undefined ? {} : { destinationID: destination.id }), enabled };
  const { endpointDigest, settings: { logFormat, skipSSLVerification } = {} } = own ?? {};
  return { ...(endpointDigest === undefined ? {} : { endpointDigest }), enabled, logFormat, skipSSLVerification };
}
