/** One interface for the webhooks of portals and of the organization, in v3 and in v2. */

import type { AppliedWebhook, OrganizationStatus, PortalStatus } from '../../api/v1alpha1.ts';
import type { RecordedState } from '../../status/recorded-state.ts';
import { isView, mayBeAttached, withPortal } from '../../status/recorded-state.ts';
import type { DesiredState } from '../desired/desired-state.ts';
import type { Plan, WebhookStep } from '../plan/steps.ts';
import { type Problem, reasons, stalled } from '../problems.ts';
import type { ReconcileContext } from '../reconcile-context.ts';

/** A webhook that a forwarding attaches. */
export interface Attachment {
  /** Its name in `status.corrections` and `status.drift`. */
  readonly key: string;
  /** Its name in messages. */
  readonly object: string;
  /** The field of spec that names it. */
  readonly field: string;
  readonly step: WebhookStep;
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
}

const organizationField = 'spec.organization';

/** Returns false for the organization's webhook in v2, which has its own endpoint. */
export function needsDestination({ api }: DesiredState, { field }: Attachment): boolean {
  return field !== organizationField || api === 'v3';
}

/** Returns the webhooks in the order of spec, the organization's last. */
export function attachmentsOf(context: ReconcileContext, desired: DesiredState, plan: Plan): Attachment[] {
  const { status } = context;
  const portals = desired.portals.map(({ id, enabled, field, ref, problem }): Attachment => {
    const recorded = status.recorded.portals?.find((portal) => portal.id === id);
    return {
      key: `portal/${id}`,
      object: `portal ${id}`,
      field,
      step: plan.portals.get(id) ?? { kind: 'missing' },
      enabled,
      recorded,
      isRecorded: mayBeAttached(recorded),
      missingProblem: () =>
        problem ??
        stalled(
          reasons.portalNotFound,
          `portal ${id} does not exist in region ${desired.region}, or the token may not see it: check ${ref === undefined ? `${field}.id` : field}, spec.konnect.region and the roles of the token in ${context.tokenSource}`,
        ),
      record(change) {
        const before = status.recorded.portals?.find((portal) => portal.id === id);
        const destinationID = destinationOf(change, status.recorded, before);
        const reasonOfPortal = problem?.severity === 'unavailable' ? undefined : problem?.reason;
        const reason = change.reason ?? reasonOfPortal;
        status.recorded = withPortal(status.recorded, {
          id,
          ...(ref === undefined ? {} : { ref }),
          ...destinationID,
          enabled,
          state: change.state,
          ...(reason === undefined ? {} : { reason }),
          ...appliedOf(change, before, { ...destinationID, enabled }),
        });
      },
      async write(destinationID) {
        await context.konnect.client.updatePortalWebhook(
          desired.region,
          id,
          { destinationID, enabled },
          context.signal,
        );
        return undefined;
      },
      exists: async () => (await context.konnect.client.getPortal(desired.region, id, context.signal)) !== undefined,
    };
  });
  const { organization } = desired;
  if (organization === undefined || plan.organization === undefined) return portals;
  return [...portals, organizationAttachment(context, desired, plan.organization, organization.enabled)];
}

function organizationAttachment(
  context: ReconcileContext,
  desired: DesiredState,
  step: WebhookStep,
  enabled: boolean,
): Attachment {
  const { status, konnect, signal } = context;
  const { api, region, own } = desired;
  const { endpointDigest, secretVersion } = own ?? {};
  const recorded = status.recorded.organization;
  const appliedNow = ({ destination }: RecordedState): AppliedWebhook => {
    if (api === 'v3') return { ...(destination?.id === undefined ? {} : { destinationID: destination.id }), enabled };
    const { logFormat, skipSSLVerification } = own?.settings ?? {};
    return { ...(endpointDigest === undefined ? {} : { endpointDigest }), enabled, logFormat, skipSSLVerification };
  };
  return {
    key: 'organization',
    object: "the organization's webhook",
    field: organizationField,
    step,
    enabled,
    recorded,
    isRecorded:
      mayBeAttached(recorded) && recorded?.api === api && (api === 'v3' || recorded.endpointDigest === endpointDigest),
    missingProblem: () =>
      stalled(
        reasons.requestRefused,
        `the organization's webhook does not exist in region ${region}, or the token may not see it: check spec.konnect.region and the roles of the token in ${context.tokenSource}`,
      ),
    record(change) {
      const inline = api === 'v2' && change.ours === 'desired';
      const applied = inline && change.wasWritten === true ? secretVersion : recorded?.secretVersion;
      const updatedAt = change.wasWritten === true ? change.updatedAt : (change.updatedAt ?? recorded?.updatedAt);
      const { cleanup = [], ...rest } = status.recorded;
      const { organizationID = '' } = rest.konnect ?? {};
      const view = { ...desired, organizationID };
      // Until the write is confirmed, status records both endpoints: after a crash the webhook may have either of them.
      const next = { organizationID, region, api, kind: 'organization', endpointDigest } as const;
      const kept = cleanup.filter((entry) =>
        change.isBeforeWrite === true
          ? !isView(entry, view) || entry.endpointDigest !== endpointDigest
          : !isView(entry, view) || change.ours === 'same',
      );
      const left = change.isBeforeWrite === true && api === 'v2' && change.ours === 'same' ? [...kept, next] : kept;
      status.recorded = {
        ...rest,
        ...(left.length === 0 ? {} : { cleanup: left }),
        organization: {
          api,
          ...(api === 'v3' ? destinationOf(change, rest, rest.organization) : {}),
          enabled,
          state: change.state,
          ...(change.reason === undefined ? {} : { reason: change.reason }),
          ...(inline ? { endpointDigest } : change.ours === 'same' && api === 'v2' ? digestOf(rest.organization) : {}),
          ...(api === 'v2' && applied !== undefined && change.ours !== 'none' ? { secretVersion: applied } : {}),
          ...(api === 'v2' && updatedAt !== undefined && change.ours !== 'none' ? { updatedAt } : {}),
          ...appliedOf(change, rest.organization, appliedNow(rest)),
        },
      };
    },
    async write(destinationID) {
      if (api === 'v3') {
        await konnect.client.updateOrganizationWebhook(region, { destinationID, enabled }, signal);
        return undefined;
      }
      if (own === undefined) return undefined;
      const { name: _name, ...inline } = own.settings;
      return (await konnect.client.updateInlineWebhook(region, { ...inline, enabled }, signal))?.updatedAt;
    },
    exists: async () => true,
  };
}

/** Returns what stays recorded of the operator's last change, and of one that may be under way. */
function appliedOf(
  { ours, isBeforeWrite, updating }: AttachmentUpdate,
  before: PortalStatus | OrganizationStatus | undefined,
  desired: AppliedWebhook,
): { applied?: AppliedWebhook; updating?: PortalStatus['updating'] } {
  if (ours === 'none') return {};
  if (ours === 'desired' && isBeforeWrite !== true) return { applied: desired };
  const lasting = updating ?? before?.updating;
  return {
    ...(before?.applied === undefined ? {} : { applied: before.applied }),
    ...(lasting === undefined ? {} : { updating: lasting }),
  };
}

function destinationOf(
  { ours }: AttachmentUpdate,
  state: RecordedState,
  recorded: { readonly destinationID?: string | undefined } | undefined,
): { destinationID?: string } {
  const id = ours === 'desired' ? state.destination?.id : ours === 'same' ? recorded?.destinationID : undefined;
  return id === undefined ? {} : { destinationID: id };
}

function digestOf(recorded: OrganizationStatus | undefined): { endpointDigest?: string } {
  return recorded?.endpointDigest === undefined ? {} : { endpointDigest: recorded.endpointDigest };
}
