import type { OrganizationStatus, PortalStatus } from '../../api/v1alpha1.ts';
import { wasAttached } from '../../status/recorded-state.ts';
import type { DesiredState, OwnDestination } from '../desired/desired-state.ts';
import { differences } from '../observed/destination-diff.ts';
import type { SeenWebhook } from '../observed/observed-state.ts';
import type { Hold } from '../ownership/ownership.ts';
import { isAdoptable } from './adoption.ts';
import type { WebhookStep } from './steps.ts';

/** What webhooks are to point at, and by what it is known whether they do. */
export interface Target {
  readonly policy: DesiredState['adoptionPolicy'];
  /** Undefined as long as there is none. */
  readonly destinationID: string | undefined;
  /** The destination that was ours until now. */
  readonly formerID: string | undefined;
  readonly endpointDigest: string | undefined;
}

/**
 * A step that takes something gives way to whoever holds it; what another lets go of is taken by pointing it here. What points at a
 * destination of our own is ours, but one of somebody else's may be attached to by several.
 */
export function yieldToOwner(step: WebhookStep, hold: Hold, { reference }: DesiredState): WebhookStep {
  if (hold.kind === 'free' || step.kind === 'missing' || step.kind === 'unknown') return step;
  const stands = step.kind === 'keep' || (step.kind === 'attach' && ['enabled', 'settings'].includes(step.because));
  if (stands && (reference === undefined || hold.kind === 'yielded')) return step;
  if (hold.kind === 'held') return { kind: 'lost', to: hold.by };
  return { kind: 'attach', because: 'handed over', otherID: 'otherID' in step ? step.otherID : undefined };
}

/** What points at a destination that was never ours. */
export function takeOver(target: Target, seen: Extract<SeenWebhook, { kind: 'attached' }>): WebhookStep {
  const { destinationID: otherID, destinationExists, otherDigest } = seen;
  if (!destinationExists) return { kind: 'attach', because: 'destination gone' };
  return isAdoptable(target.policy, target.endpointDigest, otherDigest)
    ? { kind: 'attach', because: 'adopted', otherID }
    : { kind: 'refuse', otherID };
}

/** The organization's webhook with an endpoint of its own. */
export function planInline(
  own: OwnDestination,
  target: Target,
  enabled: boolean,
  remembered: OrganizationStatus | undefined,
  seen: SeenWebhook | undefined,
): WebhookStep {
  const was = wasAttached(remembered);
  if (seen?.kind === 'attached') {
    const { destinationID: otherID } = seen;
    if (otherID === target.destinationID || otherID === target.formerID) {
      return { kind: 'attach', because: 'destination gone' };
    }
    return was && seen.destinationExists
      ? { kind: 'attach', because: 'pointed elsewhere', otherID }
      : takeOver(target, seen);
  }
  if (seen?.kind !== 'inline') return planWebhook(target, enabled, undefined, seen);
  const isOurs = remembered?.endpointDigest !== undefined && seen.endpointDigest === remembered.endpointDigest;
  if (!isOurs) {
    if (was) return { kind: 'attach', because: 'pointed elsewhere' };
    return planWebhook(target, enabled, undefined, seen);
  }
  if (seen.enabled !== enabled) return { kind: 'attach', because: 'enabled' };
  const found = differences(own, remembered, { ...seen, id: '', name: undefined });
  return found.length > 0
    ? { kind: 'attach', because: 'settings' }
    : { kind: 'keep', updatedAt: remembered.updatedAt ?? seen.updatedAt };
}

export function planWebhook(
  target: Target,
  enabled: boolean,
  remembered: Pick<PortalStatus, 'destinationID' | 'state'> | undefined,
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
      if (wasAttached(remembered)) return { kind: 'attach', because: 'pointed elsewhere' };
      return isAdoptable(target.policy, target.endpointDigest, seen.endpointDigest)
        ? { kind: 'attach', because: 'adopted' }
        : { kind: 'refuse', otherID: undefined };
    case 'attached': {
      const { destinationID: otherID } = seen;
      if (otherID === target.destinationID) {
        return seen.enabled === enabled ? { kind: 'keep' } : { kind: 'attach', because: 'enabled' };
      }
      if (otherID === remembered?.destinationID || otherID === target.formerID) {
        return { kind: 'attach', because: 'destination gone' };
      }
      if (wasAttached(remembered)) return { kind: 'attach', because: 'pointed elsewhere', otherID };
      return takeOver(target, seen);
    }
  }
}

export function planOrganization(
  desired: DesiredState,
  target: Target,
  remembered: OrganizationStatus | undefined,
  seen: SeenWebhook | undefined,
): WebhookStep {
  const enabled = desired.organization?.enabled ?? false;
  if (desired.api === 'v3') {
    // What remains of an inline webhook that was switched off: nothing but our own endpoint.
    if (seen?.kind === 'inline' && !seen.enabled && seen.endpointDigest === target.endpointDigest) {
      return { kind: 'attach', because: 'unconfigured' };
    }
    return planWebhook(target, enabled, remembered?.api === 'v3' ? remembered : undefined, seen);
  }
  const { own } = desired;
  if (own === undefined) return { kind: 'keep' };
  return planInline(own, target, enabled, remembered?.api === 'v2' ? remembered : undefined, seen);
}
