/** Plans what to do with a webhook. Pure. */
import type { OrganizationStatus, PortalStatus } from '../../api/v1alpha1.ts';
import { mayBeAttached, wasAttached } from '../../status/recorded-state.ts';
import type { DesiredState, OwnDestination } from '../desired/desired-state.ts';
import { differences, foreignChanges } from '../observed/destination-diff.ts';
import type { SeenWebhook } from '../observed/observed-state.ts';
import type { Hold } from '../ownership/ownership.ts';
import { type Adopter, type Found, refusalOf } from './adoption.ts';
import type { AttachReason, PlanContext, WebhookStep } from './steps.ts';

/** The destination that webhooks have to point at. */
export interface Target extends Adopter {
  /** Undefined if it does not exist yet. */
  readonly destinationID: string | undefined;
  /** The destination that status records as the operator's own. */
  readonly formerID: string | undefined;
  /** A destination that another client has just taken back. */
  readonly takenBackID: string | undefined;
}

/**
 * Returns the step that ownership allows: `lost` if another forwarding owns the webhook, and `attach` if it yielded the webhook to this
 * one. A webhook that points at a destination which the operator created needs no check. Several forwardings can refer to another one.
 */
export function yieldToOwner(step: WebhookStep, hold: Hold, { reference }: DesiredState): WebhookStep {
  if (hold.kind === 'free' || step.kind === 'missing' || step.kind === 'unknown') return step;
  const isAttached = step.kind === 'keep' || (step.kind === 'attach' && ['enabled', 'settings'].includes(step.because));
  if (isAttached && (reference === undefined || hold.kind === 'yielded')) return step;
  if (hold.kind === 'held') return { kind: 'lost', to: hold.by };
  return { kind: 'attach', because: 'handed over', otherID: 'otherID' in step ? step.otherID : undefined };
}

/**
 * Marks a step that overwrites a change of another client: Konnect shows something else than what the operator last applied.
 * `ownDigest`: the endpoint that an inline webhook has to have.
 */
export function classified(
  step: WebhookStep,
  record: PortalStatus | OrganizationStatus | undefined,
  seen: SeenWebhook | undefined,
  ownDigest?: string,
): WebhookStep {
  return step.kind === 'attach' && isForeign(step.because, record, seen, ownDigest)
    ? { ...step, isForeign: true }
    : step;
}

function isForeign(
  because: AttachReason,
  record: (Pick<PortalStatus, 'applied' | 'updating'> & Pick<OrganizationStatus, 'updatedAt'>) | undefined,
  seen: SeenWebhook | undefined,
  ownDigest: string | undefined,
): boolean {
  const { applied, updating, updatedAt } = record ?? {};
  if (updating === 'Correction') return true;
  if (applied === undefined) return false;
  // The operator's own change may have taken effect. It neither detaches a webhook nor points it at something unknown.
  const isOwnEndpoint = seen?.kind === 'inline' && seen.endpointDigest === ownDigest;
  if (updating === 'Change') return !isOwnEndpoint && (because === 'unconfigured' || because === 'pointed elsewhere');
  switch (seen?.kind) {
    case 'unconfigured':
      return true;
    case 'attached':
      return seen.destinationID !== applied.destinationID || seen.enabled !== applied.enabled;
    case 'inline': {
      const { endpointDigest, logFormat, skipSSLVerification } = applied;
      if (endpointDigest === undefined || seen.enabled !== applied.enabled) return true;
      const settings = { endpointDigest, logFormat, skipSSLVerification, updatedAt };
      return foreignChanges(settings, { ...seen, name: undefined }).length > 0;
    }
    case undefined:
    case 'unknown':
    case 'missing':
      return false;
  }
}

/** Returns the step for a webhook that points at a destination of another client. */
export function planAdoption(target: Target, seen: Extract<SeenWebhook, { kind: 'attached' }>): WebhookStep {
  const { destinationID: id, destinationExists, otherName, otherDigest } = seen;
  if (!destinationExists) return { kind: 'attach', because: 'destination gone' };
  return adoption(target, { id, name: otherName, endpointDigest: otherDigest });
}

function adoption(target: Target, found: Found): WebhookStep {
  const why = refusalOf(target, found);
  const otherID = found.id;
  return why === undefined ? { kind: 'attach', because: 'adopted', otherID } : { kind: 'refuse', otherID, why };
}

/** Returns the step for the organization's webhook in v2, which has its own endpoint. */
export function planInline(
  own: OwnDestination,
  target: Target,
  enabled: boolean,
  record: OrganizationStatus | undefined,
  seen: SeenWebhook | undefined,
): WebhookStep {
  const wasOurs = wasAttached(record);
  if (seen?.kind === 'attached') {
    const { destinationID: otherID } = seen;
    if (otherID === target.destinationID || otherID === target.formerID) {
      return { kind: 'attach', because: 'destination gone' };
    }
    return wasOurs && seen.destinationExists
      ? { kind: 'attach', because: 'pointed elsewhere', otherID }
      : planAdoption(target, seen);
  }
  if (seen?.kind !== 'inline') return planWebhook(target, enabled, undefined, seen);
  const isOurs = record?.endpointDigest !== undefined && seen.endpointDigest === record.endpointDigest;
  if (!isOurs) {
    if (wasOurs) return { kind: 'attach', because: 'pointed elsewhere' };
    return planWebhook(target, enabled, undefined, seen);
  }
  if (seen.enabled !== enabled) return { kind: 'attach', because: 'enabled' };
  const found = differences(own, record, { ...seen, name: undefined });
  return found.length > 0
    ? { kind: 'attach', because: 'settings' }
    : { kind: 'keep', updatedAt: record.updatedAt ?? seen.updatedAt };
}

/** Returns the step for a webhook that has to point at a destination. */
export function planWebhook(
  target: Target,
  enabled: boolean,
  record: Pick<PortalStatus, 'destinationID' | 'applied' | 'state'> | undefined,
  seen: SeenWebhook | undefined,
): WebhookStep {
  if (seen === undefined) return { kind: 'keep' };
  switch (seen.kind) {
    case 'unknown':
    case 'missing':
      return seen;
    case 'unconfigured':
      return { kind: 'attach', because: 'unconfigured' };
    case 'inline':
      if (wasAttached(record)) return { kind: 'attach', because: 'pointed elsewhere' };
      return adoption(target, { endpointDigest: seen.endpointDigest });
    case 'attached': {
      const { destinationID: otherID } = seen;
      if (otherID === target.destinationID) {
        return seen.enabled === enabled ? { kind: 'keep' } : { kind: 'attach', because: 'enabled' };
      }
      if (otherID === target.takenBackID) return { kind: 'refuse', otherID, why: 'taken back' };
      if ([record?.destinationID, record?.applied?.destinationID, target.formerID].includes(otherID)) {
        return { kind: 'attach', because: 'destination gone', otherID };
      }
      if (wasAttached(record)) return { kind: 'attach', because: 'pointed elsewhere', otherID };
      return planAdoption(target, seen);
    }
  }
}

/** Returns the step for the organization's webhook, in the API version that spec wants. */
export function planOrganization(
  desired: DesiredState,
  target: Target,
  record: OrganizationStatus | undefined,
  seen: SeenWebhook | undefined,
  { hasLeftInline = false }: Pick<PlanContext, 'hasLeftInline'>,
): WebhookStep {
  const enabled = desired.organization?.enabled ?? false;
  if (desired.api === 'v3') {
    const ours = record?.api === 'v3' ? record : undefined;
    // v2 keeps showing the endpoint of an inline webhook that the operator has switched off.
    const isOwn = hasLeftInline || mayBeAttached(ours) || target.endpointHoldsSecret;
    if (isOwn && seen?.kind === 'inline' && !seen.enabled && seen.endpointDigest === target.endpointDigest) {
      return { kind: 'attach', because: 'unconfigured' };
    }
    return planWebhook(target, enabled, ours, seen);
  }
  const { own } = desired;
  if (own === undefined) return { kind: 'keep' };
  return planInline(own, target, enabled, record?.api === 'v2' ? record : undefined, seen);
}
