/** The webhooks that a forwarding attaches: a portal's and the organization's, in v3 and in v2, seen alike by what carries the plan out. */

import type { OrganizationStatus, PortalStatus } from '../../api/v1alpha1.ts';
import type { RecordedState } from '../../status/recorded-state.ts';
import { isView, mayBeAttached, withPortal } from '../../status/recorded-state.ts';
import type { DesiredState } from '../desired/desired-state.ts';
import type { Plan, WebhookStep } from '../plan/steps.ts';
import { type Problem, reasons, stalled } from '../problems.ts';
import type { ReconcileContext } from '../reconcile-context.ts';

/** What differs between a portal's webhook and the organization's, in v3 and in v2. */
export interface Attachment {
  /** As `status.corrections` and `status.drift` call it. */
  readonly key: string;
  readonly object: string;
  readonly field: string;
  readonly step: WebhookStep;
  readonly enabled: boolean;
  readonly remembered: PortalStatus | OrganizationStatus | undefined;
  /** What is remembered, and the destination that is, name already all that may stand there. */
  readonly entered: boolean;
  readonly missing: () => Problem;
  /** Remembers what is to stand, or stands, there. */
  readonly remember: (change: AttachmentUpdate) => void;
  /** Answers Konnect's time of the change, where it tells it. */
  readonly write: (destinationID: string) => Promise<string | undefined>;
  readonly stillThere: () => Promise<boolean>;
}

export interface AttachmentUpdate {
  readonly state: PortalStatus['state'];
  readonly reason?: string;
  /** `desired`: ours, as wanted now. `same`: as remembered. `nobody`: a read has shown that it is not ours. */
  readonly ours: 'desired' | 'same' | 'nobody';
  /** Applied with the Secret of this pass. */
  readonly updatedAt?: string | undefined;
  readonly wasWritten?: boolean;
  /** The write is still to come. */
  readonly entering?: boolean;
}

const organizationField = 'spec.organization';

/** Not where v2 sends the endpoint with the webhook itself. */
export function needsDestination({ api }: DesiredState, { field }: Attachment): boolean {
  return field !== organizationField || api === 'v3';
}

/** In the order of spec, the organization's last. */
export function attachmentsOf(context: ReconcileContext, desired: DesiredState, plan: Plan): Attachment[] {
  const { status } = context;
  const portals = desired.portals.map(({ id, enabled, field, ref, problem }): Attachment => {
    const remembered = status.recorded.portals?.find((portal) => portal.id === id);
    return {
      key: `portal/${id}`,
      object: `portal ${id}`,
      field,
      step: plan.portals.get(id) ?? { kind: 'missing' },
      enabled,
      remembered,
      entered: mayBeAttached(remembered),
      missing: () =>
        problem ??
        stalled(
          reasons.portalNotFound,
          `portal ${id} does not exist in region ${desired.region}, or the token may not see it: check ${ref === undefined ? `${field}.id` : field}, spec.konnect.region and the roles of the token in ${context.tokenSource}`,
        ),
      remember(change) {
        const current = status.recorded.portals?.find((portal) => portal.id === id);
        const destinationID = destinationOf(change, status.recorded, current);
        const doubt = problem?.severity === 'unavailable' ? undefined : problem?.reason;
        const reason = change.reason ?? doubt;
        status.recorded = withPortal(status.recorded, {
          id,
          ...(ref === undefined ? {} : { ref }),
          ...destinationID,
          enabled,
          state: change.state,
          ...(reason === undefined ? {} : { reason }),
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
      stillThere: async () =>
        (await context.konnect.client.getPortal(desired.region, id, context.signal)) !== undefined,
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
  const remembered = status.recorded.organization;
  return {
    key: 'organization',
    object: "the organization's webhook",
    field: organizationField,
    step,
    enabled,
    remembered,
    entered:
      mayBeAttached(remembered) &&
      remembered?.api === api &&
      (api === 'v3' || remembered.endpointDigest === endpointDigest),
    missing: () =>
      stalled(
        reasons.requestRefused,
        `the organization's webhook does not exist in region ${region}, or the token may not see it: check spec.konnect.region and the roles of the token in ${context.tokenSource}`,
      ),
    remember(change) {
      const inline = api === 'v2' && change.ours === 'desired';
      const applied = inline && change.wasWritten === true ? secretVersion : remembered?.secretVersion;
      const updatedAt = change.wasWritten === true ? change.updatedAt : (change.updatedAt ?? remembered?.updatedAt);
      const { cleanup = [], ...recorded } = status.recorded;
      const { organizationID = '' } = recorded.konnect ?? {};
      const view = { ...desired, organizationID };
      // A crash may come before or after the webhook has another endpoint: until then both are remembered.
      const next = { organizationID, region, api, kind: 'organization', endpointDigest } as const;
      const kept = cleanup.filter((entry) =>
        change.entering === true
          ? !isView(entry, view) || entry.endpointDigest !== endpointDigest
          : !isView(entry, view) || change.ours === 'same',
      );
      const left = change.entering === true && api === 'v2' && change.ours === 'same' ? [...kept, next] : kept;
      status.recorded = {
        ...recorded,
        ...(left.length === 0 ? {} : { cleanup: left }),
        organization: {
          api,
          ...(api === 'v3' ? destinationOf(change, recorded, recorded.organization) : {}),
          enabled,
          state: change.state,
          ...(change.reason === undefined ? {} : { reason: change.reason }),
          ...(inline
            ? { endpointDigest }
            : change.ours === 'same' && api === 'v2'
              ? digestOf(recorded.organization)
              : {}),
          ...(api === 'v2' && applied !== undefined && change.ours !== 'nobody' ? { secretVersion: applied } : {}),
          ...(api === 'v2' && updatedAt !== undefined && change.ours !== 'nobody' ? { updatedAt } : {}),
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
    stillThere: async () => true,
  };
}

function destinationOf(
  { ours }: AttachmentUpdate,
  recorded: RecordedState,
  remembered: { readonly destinationID?: string | undefined } | undefined,
): { destinationID?: string } {
  const id = ours === 'desired' ? recorded.destination?.id : ours === 'same' ? remembered?.destinationID : undefined;
  return id === undefined ? {} : { destinationID: id };
}

function digestOf(remembered: OrganizationStatus | undefined): { endpointDigest?: string } {
  return remembered?.endpointDigest === undefined ? {} : { endpointDigest: remembered.endpointDigest };
}
