/**
 * What has to be done in Konnect, from what is wanted, what status remembers and what was seen. Pure: the same three give the same
 * plan, and carrying a plan out makes the next one empty.
 */
import type { DestinationStatus, OrganizationStatus, PortalStatus, Status } from '../../api/v1alpha1.ts';
import type { Desired, OwnDestination } from '../desired/desired-state.ts';
import type { Observed, SeenDestination, SeenWebhook } from '../observed/observe.ts';
import type { Rivalry, Rivals } from '../ownership/ownership.ts';
import type { Problem } from '../problems.ts';

export type DestinationStep =
  /** Nothing to do; `updatedAt` is to be remembered where our own write did not tell it. */
  | { readonly kind: 'keep'; readonly updatedAt: string | undefined }
  | { readonly kind: 'none' }
  | { readonly kind: 'create' }
  /** Ours from now on: found by the intent on record, or adopted. */
  | {
      readonly kind: 'claim';
      readonly because: 'intent' | 'adopted';
      readonly id: string;
      readonly name: string;
      readonly duplicates: readonly string[];
      readonly next: DestinationStep;
    }
  | { readonly kind: 'update'; readonly differences: readonly Difference[] }
  /** Somebody else's, which spec names. */
  | { readonly kind: 'use'; readonly id: string }
  /** The destination that spec names is not there, or there are several. */
  | { readonly kind: 'unresolved'; readonly ids: readonly string[] }
  /** A creation may still come to light in Konnect's lists. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'refuse'; readonly name: string; readonly ids: readonly string[] }
  /** Another forwarding has it, or comes first. */
  | { readonly kind: 'lost'; readonly to: string }
  | { readonly kind: 'unknown'; readonly problem: Problem };

/** `authorization`: Konnect's time of the last change is not that of ours, so somebody may have changed what cannot be read. */
export type Difference = 'secret' | 'name' | 'endpoint' | 'logFormat' | 'skipSSLVerification' | 'authorization';

export type WebhookStep =
  | { readonly kind: 'keep'; readonly updatedAt?: string | undefined }
  | { readonly kind: 'attach'; readonly because: AttachReason; readonly otherID?: string | undefined }
  | { readonly kind: 'refuse'; readonly otherID: string | undefined }
  | { readonly kind: 'lost'; readonly to: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unknown'; readonly problem: Problem };

/** `enabled`, `settings` and `pointed elsewhere`: what was ours differs from what is wanted. */
export type AttachReason =
  | 'unconfigured'
  | 'destination gone'
  | 'adopted'
  | 'handed over'
  | 'enabled'
  | 'pointed elsewhere'
  | 'settings';

export interface Plan {
  readonly destination: DestinationStep;
  readonly organization: WebhookStep | undefined;
  /** By portal ID, in the order of spec. */
  readonly portals: ReadonlyMap<string, WebhookStep>;
}

export interface PlanContext {
  /** For how long a time on record has been known, in milliseconds. */
  readonly ageMs: (time: string) => number;
  /** How long after an intent a destination may be missing in lists although its POST was carried out. */
  readonly intentPatienceMs: number;
  readonly rivals: Rivals;
}

export function plan(desired: Desired, memory: Status, observed: Observed, context: PlanContext): Plan {
  const { rivals } = context;
  const candidate = planDestination(desired, memory.destination, observed, context);
  const target = targetOf(desired, candidate, memory, observed);
  const portals = new Map(
    desired.portals.map(({ id, enabled }) => {
      const remembered = memory.portals?.find((portal) => portal.id === id);
      const seen = observed.portals.get(id);
      const step = planWebhook(target, enabled, remembered, seen);
      return [id, contend(step, rivals.webhook({ kind: 'portal', id }, seen), desired)];
    }),
  );
  const organization =
    desired.organization === undefined
      ? undefined
      : contend(
          planOrganization(desired, target, memory.organization, observed.organization),
          rivals.webhook({ kind: 'organization' }, observed.organization),
          desired,
        );
  const attached = [...portals.values(), ...(desired.api === 'v3' ? [organization] : [])];
  const isUseful = attached.some((step) => step?.kind === 'attach' || step?.kind === 'keep');
  const destination: DestinationStep = isNew(candidate) && !isUseful ? { kind: 'none' } : candidate;
  return { destination, organization, portals };
}

/** True where nothing is left to be done. */
export function isEmpty({ destination, organization, portals }: Plan): boolean {
  const writes: ReadonlySet<DestinationStep['kind']> = new Set(['create', 'claim', 'update', 'wait', 'unknown']);
  return !writes.has(destination.kind) && [organization, ...portals.values()].every((step) => step?.kind !== 'attach');
}

/** Made or taken only once there is something to attach it to. */
function isNew(step: DestinationStep): boolean {
  return step.kind === 'create' || (step.kind === 'claim' && step.because === 'adopted');
}

/** What webhooks are to point at, and by what it is known whether they do. */
interface Target {
  readonly policy: Desired['adoptionPolicy'];
  /** Undefined as long as there is none. */
  readonly destinationID: string | undefined;
  /** The destination that was ours until now. */
  readonly formerID: string | undefined;
  readonly endpointDigest: string | undefined;
}

function targetOf(desired: Desired, step: DestinationStep, { destination }: Status, observed: Observed): Target {
  const seen = observed.destination;
  const [referenced] = seen.kind === 'referenced' ? seen.found : [];
  const standing = seen.kind === 'known' ? seen.ours?.id : seen.kind === 'referenced' ? undefined : destination?.id;
  return {
    policy: desired.adoptionPolicy,
    destinationID: step.kind === 'claim' || step.kind === 'use' ? step.id : standing,
    formerID: destination?.managed === false ? undefined : destination?.id,
    endpointDigest: desired.own?.endpointDigest ?? referenced?.endpointDigest,
  };
}

function planDestination(
  desired: Desired,
  remembered: DestinationStatus | undefined,
  observed: Observed,
  { ageMs, intentPatienceMs, rivals }: PlanContext,
): DestinationStep {
  const seen = observed.destination;
  if (!desired.usesDestination || seen.kind === 'unneeded') return { kind: 'none' };
  if (seen.kind === 'unknown') return seen;
  if (seen.kind === 'referenced') {
    const [found, ...more] = seen.found;
    if (found === undefined || more.length > 0) return { kind: 'unresolved', ids: seen.found.map(({ id }) => id) };
    return { kind: 'use', id: found.id };
  }
  const { own } = desired;
  if (own === undefined) return { kind: 'none' };
  const { creating } = remembered ?? {};
  const made = seen.intended.filter((one) => creating !== undefined && one.endpointDigest === creating.endpointDigest);
  const [found, ...others] = seen.ours === undefined ? made : [seen.ours, ...made];
  if (found !== undefined) {
    const duplicates = others.map(({ id }) => id);
    const named = seen.named.filter(({ id }) => id !== found.id && !duplicates.includes(id));
    const applied = { secretVersion: creating?.secretVersion, updatedAt: found.updatedAt };
    const next = planOurs(own, seen.ours === undefined ? applied : remembered, found, named);
    if (seen.ours !== undefined && duplicates.length === 0) return next;
    const name = creating?.name ?? own.settings.name;
    return { kind: 'claim', because: 'intent', id: found.id, name, duplicates, next };
  }
  if (creating !== undefined && ageMs(creating.since) < intentPatienceMs) return { kind: 'wait' };
  const ids = seen.named.map(({ id }) => id);
  const rivalry = rivals.destination(own.settings.name, ids);
  if (rivalry.kind === 'held') return { kind: 'lost', to: rivalry.by };
  const [theirs, ...more] = seen.named;
  if (theirs === undefined) return { kind: 'create' };
  if (more.length > 0 || !isAdoptable(desired.adoptionPolicy, own.endpointDigest, theirs.endpointDigest)) {
    return { kind: 'refuse', name: own.settings.name, ids };
  }
  const next = planOurs(own, undefined, theirs, []);
  return { kind: 'claim', because: 'adopted', id: theirs.id, name: own.settings.name, duplicates: [], next };
}

/** Whether what was never ours may be taken; both endpoints as digests. */
function isAdoptable(policy: Desired['adoptionPolicy'], ours: string | undefined, theirs: string | undefined): boolean {
  switch (policy) {
    case 'Always':
      return true;
    case 'Never':
      return false;
    case 'IfMatching':
      return theirs !== undefined && theirs === ours;
  }
}

function planOurs(
  own: OwnDestination,
  remembered: Pick<DestinationStatus, 'secretVersion' | 'updatedAt'> | undefined,
  ours: SeenDestination,
  named: readonly SeenDestination[],
): DestinationStep {
  const found = differences(own, remembered, ours);
  if (found.length === 0) return { kind: 'keep', updatedAt: remembered?.updatedAt ?? ours.updatedAt };
  if (found.includes('name') && named.length > 0) {
    return { kind: 'refuse', name: own.settings.name, ids: named.map(({ id }) => id) };
  }
  return { kind: 'update', differences: found };
}

/** What a destination of ours has to be changed in. What Konnect leaves out of its answer is taken to be right. */
export function differences(
  { settings, secretVersion, endpointDigest }: OwnDestination,
  remembered: Pick<DestinationStatus, 'secretVersion' | 'updatedAt'> | undefined,
  seen: SeenDestination,
): Difference[] {
  const found: Difference[] = [];
  if (remembered?.secretVersion !== secretVersion) found.push('secret');
  if (seen.name !== undefined && seen.name !== settings.name) found.push('name');
  if (seen.endpointDigest !== undefined && seen.endpointDigest !== endpointDigest) found.push('endpoint');
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

/**
 * A step that takes something gives way to whoever holds it; what another lets go of is taken by pointing it here. What points at a
 * destination of our own is ours, but one of somebody else's may be attached to by several.
 */
function contend(step: WebhookStep, rivalry: Rivalry, { reference }: Desired): WebhookStep {
  if (rivalry.kind === 'free' || step.kind === 'missing' || step.kind === 'unknown') return step;
  const stands = step.kind === 'keep' || (step.kind === 'attach' && ['enabled', 'settings'].includes(step.because));
  if (stands && (reference === undefined || rivalry.kind === 'yielded')) return step;
  if (rivalry.kind === 'held') return { kind: 'lost', to: rivalry.by };
  return { kind: 'attach', because: 'handed over', otherID: 'otherID' in step ? step.otherID : undefined };
}

function planWebhook(
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
      if (wasOurs(remembered)) return { kind: 'attach', because: 'pointed elsewhere' };
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
      if (wasOurs(remembered)) return { kind: 'attach', because: 'pointed elsewhere', otherID };
      return takeOver(target, seen);
    }
  }
}

/** What points at a destination that was never ours. */
function takeOver(target: Target, seen: Extract<SeenWebhook, { kind: 'attached' }>): WebhookStep {
  const { destinationID: otherID, destinationExists, otherDigest } = seen;
  if (!destinationExists) return { kind: 'attach', because: 'destination gone' };
  return isAdoptable(target.policy, target.endpointDigest, otherDigest)
    ? { kind: 'attach', because: 'adopted', otherID }
    : { kind: 'refuse', otherID };
}

/**
 * Attached by us once, and seen so, whatever keeps us from it since: `pending` may never have come to pass. By its destination, or by
 * the endpoint of an inline webhook.
 */
export function wasOurs(
  remembered: (Pick<PortalStatus, 'destinationID' | 'state'> & Pick<OrganizationStatus, 'endpointDigest'>) | undefined,
): boolean {
  const trace = remembered?.destinationID ?? remembered?.endpointDigest;
  return trace !== undefined && remembered?.state !== 'pending';
}

function planOrganization(
  desired: Desired,
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

/** The organization's webhook with an endpoint of its own. */
function planInline(
  own: OwnDestination,
  target: Target,
  enabled: boolean,
  remembered: OrganizationStatus | undefined,
  seen: SeenWebhook | undefined,
): WebhookStep {
  const was = wasOurs(remembered);
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
