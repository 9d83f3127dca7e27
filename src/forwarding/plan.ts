/**
 * What has to be done in Konnect, from what is wanted, what status remembers and what was seen. Pure: the same three give the same
 * plan, and carrying a plan out makes the next one empty.
 */
import type { DestinationStatus, OrganizationStatus, PortalStatus, Status } from '../api/v1alpha1.ts';
import type { Desired } from './desired.ts';
import type { Observed, SeenDestination, SeenWebhook } from './observed.ts';
import type { Problem } from './problems.ts';

export type DestinationStep =
  /** Nothing to do; `updatedAt` is to be remembered where our own write did not tell it. */
  | { readonly kind: 'keep'; readonly updatedAt: string | undefined }
  | { readonly kind: 'none' }
  | { readonly kind: 'create' }
  /** Found by the intent on record: ours. */
  | {
      readonly kind: 'claim';
      readonly id: string;
      readonly duplicates: readonly string[];
      readonly next: DestinationStep;
    }
  | { readonly kind: 'update'; readonly differences: readonly Difference[] }
  /** A creation may still come to light in Konnect's lists. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'refuse'; readonly name: string; readonly ids: readonly string[] }
  | { readonly kind: 'unknown'; readonly problem: Problem };

/** `authorization`: Konnect's time of the last change is not that of ours, so somebody may have changed what cannot be read. */
export type Difference = 'secret' | 'name' | 'endpoint' | 'logFormat' | 'skipSSLVerification' | 'authorization';

export type WebhookStep =
  | { readonly kind: 'keep'; readonly updatedAt?: string | undefined }
  | { readonly kind: 'attach'; readonly because: AttachReason; readonly otherID?: string | undefined }
  | { readonly kind: 'refuse'; readonly otherID: string | undefined }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unknown'; readonly problem: Problem };

/** `enabled` to `settings`: what was ours differs from what is wanted. */
export type AttachReason = 'unconfigured' | 'destination gone' | 'enabled' | 'pointed elsewhere' | 'settings';

export interface Plan {
  readonly destination: DestinationStep;
  readonly organization: WebhookStep | undefined;
  /** By portal ID, in the order of spec. */
  readonly portals: ReadonlyMap<string, WebhookStep>;
}

export interface PlanClock {
  readonly nowMs: number;
  /** How long after an intent a destination may be missing in lists although its POST was carried out. */
  readonly intentPatienceMs: number;
}

export function plan(desired: Desired, memory: Status, observed: Observed, clock: PlanClock): Plan {
  const destinationID = observed.destination.kind === 'known' ? observed.destination.ours?.id : memory.destination?.id;
  const portals = new Map(
    desired.portals.map((portal) => {
      const remembered = memory.portals?.find(({ id }) => id === portal.id);
      return [portal.id, planWebhook(portal.enabled, remembered, observed.portals.get(portal.id), destinationID)];
    }),
  );
  const organization =
    desired.organization === undefined
      ? undefined
      : planOrganization(desired, memory.organization, observed.organization, destinationID);
  const attachable = [...portals.values(), ...(desired.api === 'v3' ? [organization] : [])].some(
    (step) => step?.kind === 'attach',
  );
  return {
    destination: planDestination(desired, memory.destination, observed, attachable, clock),
    organization,
    portals,
  };
}

/** True where nothing is left to be done. */
export function isEmpty({ destination, organization, portals }: Plan): boolean {
  const settled = destination.kind === 'keep' || destination.kind === 'none' || destination.kind === 'refuse';
  return settled && [organization, ...portals.values()].every((step) => step?.kind !== 'attach');
}

function planDestination(
  desired: Desired,
  remembered: DestinationStatus | undefined,
  observed: Observed,
  attachable: boolean,
  { nowMs, intentPatienceMs }: PlanClock,
): DestinationStep {
  const seen = observed.destination;
  if (!desired.needsDestination || seen.kind === 'unneeded') return { kind: 'none' };
  if (seen.kind === 'unknown') return seen;
  if (seen.ours !== undefined) return planOurs(desired, remembered, seen.ours, seen.named);
  if (remembered?.creating !== undefined) {
    const { creating } = remembered;
    const [found, ...duplicates] = seen.intended.filter((one) => one.endpointDigest === creating.endpointDigest);
    if (found !== undefined) {
      const ours = { ...remembered, secretVersion: creating.secretVersion, updatedAt: found.updatedAt };
      const next = planOurs(
        desired,
        ours,
        found,
        seen.named.filter(({ id }) => id !== found.id && !duplicates.some((one) => one.id === id)),
      );
      return { kind: 'claim', id: found.id, duplicates: duplicates.map(({ id }) => id), next };
    }
    if (nowMs < Date.parse(creating.since) + intentPatienceMs) return { kind: 'wait' };
  }
  if (seen.named.length > 0)
    return { kind: 'refuse', name: desired.settings.name, ids: seen.named.map(({ id }) => id) };
  return attachable ? { kind: 'create' } : { kind: 'none' };
}

function planOurs(
  desired: Desired,
  remembered: DestinationStatus | undefined,
  ours: SeenDestination,
  named: readonly SeenDestination[],
): DestinationStep {
  const found = differences(desired, remembered, ours);
  if (found.length === 0) return { kind: 'keep', updatedAt: remembered?.updatedAt ?? ours.updatedAt };
  if (found.includes('name') && named.length > 0) {
    return { kind: 'refuse', name: desired.settings.name, ids: named.map(({ id }) => id) };
  }
  return { kind: 'update', differences: found };
}

/** What a destination of ours has to be changed in. What Konnect leaves out of its answer is taken to be right. */
export function differences(
  desired: Desired,
  remembered: Pick<DestinationStatus, 'secretVersion' | 'updatedAt'> | undefined,
  seen: SeenDestination,
): Difference[] {
  const { settings } = desired;
  const found: Difference[] = [];
  if (remembered?.secretVersion !== desired.secretVersion) found.push('secret');
  if (seen.name !== undefined && seen.name !== settings.name) found.push('name');
  if (seen.endpointDigest !== undefined && seen.endpointDigest !== desired.endpointDigest) found.push('endpoint');
  if (seen.logFormat !== undefined && seen.logFormat !== settings.logFormat) found.push('logFormat');
  if (seen.skipSSLVerification !== undefined && seen.skipSSLVerification !== settings.skipSSLVerification) {
    found.push('skipSSLVerification');
  }
  if (found.length === 0 && !sameTime(remembered?.updatedAt, seen.updatedAt)) found.push('authorization');
  return found;
}

/** To the millisecond; an unknown time equals every other. */
function sameTime(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined || a === b) return true;
  const [aMs, bMs] = [Date.parse(a), Date.parse(b)];
  return Number.isNaN(aMs) || Number.isNaN(bMs) ? false : aMs === bMs;
}

function planWebhook(
  enabled: boolean,
  remembered: Pick<PortalStatus, 'destinationID' | 'state'> | undefined,
  seen: SeenWebhook | undefined,
  destinationID: string | undefined,
): WebhookStep {
  if (seen === undefined) return { kind: 'keep' };
  switch (seen.kind) {
    case 'unknown':
    case 'missing':
      return seen;
    case 'unconfigured':
      return { kind: 'attach', because: 'unconfigured' };
    case 'inline':
      return wasOurs(remembered)
        ? { kind: 'attach', because: 'pointed elsewhere' }
        : { kind: 'refuse', otherID: undefined };
    case 'attached': {
      if (seen.destinationID === destinationID) {
        return seen.enabled === enabled ? { kind: 'keep' } : { kind: 'attach', because: 'enabled' };
      }
      if (seen.destinationID === remembered?.destinationID) return { kind: 'attach', because: 'destination gone' };
      if (wasOurs(remembered)) return { kind: 'attach', because: 'pointed elsewhere', otherID: seen.destinationID };
      return seen.destinationExists
        ? { kind: 'refuse', otherID: seen.destinationID }
        : { kind: 'attach', because: 'destination gone' };
    }
  }
}

/** Attached by us once, and seen so: `pending` may never have come to pass. */
export function wasOurs(remembered: Pick<PortalStatus, 'destinationID' | 'state'> | undefined): boolean {
  return remembered?.destinationID !== undefined && (remembered.state === 'on' || remembered.state === 'off');
}

function planOrganization(
  desired: Desired,
  remembered: OrganizationStatus | undefined,
  seen: SeenWebhook | undefined,
  destinationID: string | undefined,
): WebhookStep {
  const enabled = desired.organization?.enabled ?? false;
  if (desired.api === 'v3') {
    // What remains of an inline webhook that was switched off: nothing but our own endpoint.
    if (seen?.kind === 'inline' && !seen.enabled && seen.endpointDigest === desired.endpointDigest) {
      return { kind: 'attach', because: 'unconfigured' };
    }
    const attachment = remembered?.api === 'v3' ? remembered : undefined;
    return planWebhook(enabled, attachment, seen, destinationID);
  }
  const inline = remembered?.api === 'v2' ? remembered : undefined;
  if (seen?.kind === 'inline') {
    const ours = inline?.endpointDigest !== undefined && seen.endpointDigest === inline.endpointDigest;
    const was = inline?.endpointDigest !== undefined && (inline.state === 'on' || inline.state === 'off');
    if (ours) {
      if (seen.enabled !== enabled) return { kind: 'attach', because: 'enabled' };
      const { updatedAt } = seen;
      return differences(desired, inline, { ...seen, id: '', name: undefined }).length > 0
        ? { kind: 'attach', because: 'settings' }
        : { kind: 'keep', updatedAt: inline.updatedAt ?? updatedAt };
    }
    return was ? { kind: 'attach', because: 'pointed elsewhere' } : { kind: 'refuse', otherID: undefined };
  }
  if (seen?.kind === 'attached') {
    if (seen.destinationID === destinationID || !seen.destinationExists)
      return { kind: 'attach', because: 'destination gone' };
    const was = inline?.endpointDigest !== undefined && (inline.state === 'on' || inline.state === 'off');
    return was
      ? { kind: 'attach', because: 'pointed elsewhere', otherID: seen.destinationID }
      : { kind: 'refuse', otherID: seen.destinationID };
  }
  return planWebhook(enabled, undefined, seen, destinationID);
}
