/** Decides which forwarding owns a webhook or a name of a destination, if several forwardings want it. Pure. */
import type { AuditLogForwarding, CleanupStatus, Status } from '../../api/v1alpha1.ts';
import { wasAttached } from '../../status/recorded-state.ts';
import type { SeenWebhook } from '../observed/observed-state.ts';
import { reasons } from '../problems.ts';
import type { PointedWebhook, Successor } from '../reconcile-context.ts';
import { nameOf } from './claims.ts';

/**
 * `free`: this forwarding may take it. `held`: another forwarding owns it. `yielded`: another forwarding owns it but no longer wants it,
 * and this one is the next owner. `by` is `namespace/name`.
 */
export type Hold =
  | { readonly kind: 'free' }
  | { readonly kind: 'held'; readonly by: string }
  | { readonly kind: 'yielded'; readonly by: string };

/** The webhook of a portal, or of the organization. */
export type WebhookKey = { readonly kind: 'portal'; readonly id: string } | { readonly kind: 'organization' };

export interface Ownership {
  /** Returns who owns a webhook. `seen` is what it points at. */
  webhook(which: WebhookKey, seen: SeenWebhook | undefined): Hold;
  /** Returns who owns a name. `named` are the IDs of the other destinations that have this name. */
  destination(name: string, named: readonly string[]): Hold;
}

/** The ownership if there is only one forwarding. */
export const uncontested: Ownership = { webhook: () => ({ kind: 'free' }), destination: () => ({ kind: 'free' }) };

export interface OwnershipInput {
  readonly self: AuditLogForwarding;
  readonly organizationID: string;
  /** The forwardings to consider. This one may be among them. */
  readonly all: readonly AuditLogForwarding[];
  /** Returns the name of the destination that the operator creates for a forwarding. */
  readonly destinationName: (forwarding: AuditLogForwarding) => string | undefined;
}

/** Returns the ownership from the view of `self`. Only forwardings whose token belongs to the organization can become owners. */
export function ownershipOf({ self, organizationID, all, destinationName }: OwnershipInput): Ownership {
  const { region } = self.spec.konnect;
  const sorted = sortedWith(self, all);
  const others = sorted.filter((one) => one !== self);
  const members = others.filter((other) => isMember(other, organizationID));

  return {
    webhook: (which, seen) => holdOfWebhook({ organizationID, region, which, seen }, self, sorted),
    destination(name, named) {
      const owner = others.find((other) => ownsName(other, organizationID, name, named));
      const sameName = members.find(
        (other) => destinationName(other) === name && canName(other, name) && byAge(other, self) < 0,
      );
      const by = owner ?? sameName;
      return by === undefined ? { kind: 'free' } : { kind: 'held', by: nameOf(by) };
    },
  };
}

/** Returns the forwardings by age, with `self` as it is now. */
function sortedWith(self: AuditLogForwarding, all: readonly AuditLogForwarding[]): readonly AuditLogForwarding[] {
  return [...all.filter(({ metadata }) => metadata.uid !== self.metadata.uid), self].toSorted(byAge);
}

function holdOfWebhook(query: HoldQuery, self: AuditLogForwarding, all: readonly AuditLogForwarding[]): Hold {
  const holder = holderOf(query, all);
  const owner = ownerOf(query, holder, { self, isSelfCandidate: true }, all);
  if (owner === undefined || owner === self) {
    return holder === undefined || holder === self ? { kind: 'free' } : { kind: 'yielded', by: nameOf(holder) };
  }
  return { kind: 'held', by: nameOf(holder === undefined || holder === self ? owner : holder) };
}

/** Returns true if the forwarding has the destination with this name, or still has to delete one of those in `named`. */
function ownsName(
  { status: { destination, konnect, cleanup = [] } }: AuditLogForwarding,
  organizationID: string,
  name: string,
  named: readonly string[],
): boolean {
  const here = konnect?.organizationID === organizationID && destination?.managed !== false ? destination : undefined;
  if (here?.managed === true && here.id !== undefined && here.name === name) return true;
  const leaving = cleanup.filter((entry) => entry.organizationID === organizationID && entry.kind === 'destination');
  return [here?.id, ...leaving.map(({ destinationID }) => destinationID)].some(
    (id) => id !== undefined && named.includes(id),
  );
}

/**
 * Returns the other forwarding that owns a webhook which `self` no longer wants, or undefined if there is none. `seen` is what Konnect
 * shows of the webhook.
 */
export function successorOf(
  { self, all }: Pick<OwnershipInput, 'self' | 'all'>,
  entry: CleanupStatus,
  seen: PointedWebhook,
): Successor | undefined {
  const which = keyOf(entry);
  if (which === undefined) return undefined;
  const { organizationID, region } = entry;
  // The other view of a webhook that this forwarding keeps, after a change of `auditLogsAPI`.
  if (isMember(self, organizationID) && wants(self, region, which)) return undefined;
  const sorted = sortedWith(self, all);
  const query = { organizationID, region, which, seen };
  const owner = ownerOf(query, holderOf(query, sorted), { self, isSelfCandidate: false }, sorted);
  if (owner === undefined || owner === self || !wants(owner, region, which)) return undefined;
  return { by: nameOf(owner), hasIt: pointsAtOurs(owner, query) };
}

interface Candidate {
  readonly self: AuditLogForwarding;
  /** False if `self` no longer wants the webhook. */
  readonly isSelfCandidate: boolean;
}

/**
 * Returns the forwarding of `all`, sorted by age, whose status names the webhook and what it points at. Of several, one that has it comes before one that only leaves
 * it, and then the oldest: two can have the same endpoint in v2, or refer to one destination.
 */
function holderOf(query: HoldQuery, all: readonly AuditLogForwarding[]): AuditLogForwarding | undefined {
  const holders = all.filter((one) => pointsAtOurs(one, query));
  return holders.find((one) => hasNow(one, query)) ?? holders[0];
}

/**
 * Returns the owner of a webhook, for the forwarding that takes it and for the one that leaves it alike. The forwarding that it points at
 * (`holder`) owns it while it wants it. Else its owner is the forwarding that owned it last, else the oldest one that can take it. Undefined: nobody
 * can take it.
 */
function ownerOf(
  query: HoldQuery,
  holder: AuditLogForwarding | undefined,
  { self, isSelfCandidate }: Candidate,
  all: readonly AuditLogForwarding[],
): AuditLogForwarding | undefined {
  const { organizationID, region, which } = query;
  const isSelf = (one: AuditLogForwarding) => one === self;
  const canOwn = (one: AuditLogForwarding) =>
    isSelf(one) ? isSelfCandidate : isMember(one, organizationID) && wants(one, region, which) && canTake(one, which);
  const isKept = (one: AuditLogForwarding) =>
    leavesEverything(one) ||
    (isSelf(one) ? isSelfCandidate : isMember(one, organizationID) && wants(one, region, which));
  const wasOwner = (one: AuditLogForwarding) =>
    isMember(one, organizationID) &&
    one.status.konnect?.region === region &&
    (isSwitching(one, query) ||
      (wasAttached(attachmentOf(one.status, which)) &&
        (canOwn(one) || (!isSelf(one) && keepsClaim(one, region, which)))));

  if (holder !== undefined && isKept(holder)) return holder;
  const previous = holder === undefined ? (wasOwner(self) ? self : all.find(wasOwner)) : undefined;
  return previous ?? all.find((one) => one !== holder && canOwn(one));
}

function keyOf(entry: CleanupStatus): WebhookKey | undefined {
  if (entry.kind === 'organization') return { kind: 'organization' };
  return entry.kind === 'portal' && entry.id !== undefined ? { kind: 'portal', id: entry.id } : undefined;
}

function byAge(a: AuditLogForwarding, b: AuditLogForwarding): number {
  const [aKey, bKey] = [a, b].map((one) => `${one.metadata.creationTimestamp} ${nameOf(one)}`);
  return aKey === bKey ? 0 : (aKey ?? '') < (bKey ?? '') ? -1 : 1;
}

function wants({ metadata, spec, status }: AuditLogForwarding, region: string, which: WebhookKey): boolean {
  if (metadata.deletionTimestamp !== undefined || spec.konnect.region !== region) return false;
  if (which.kind === 'organization') return spec.organization !== undefined;
  const found = status.konnect?.region === region ? (status.portals ?? []) : [];
  const ref = found.find(({ id }) => id === which.id)?.ref;
  return (
    (spec.portals ?? []).some(({ id }) => id === which.id) ||
    (ref !== undefined && (spec.portalRefs ?? []).some(({ name }) => name === ref))
  );
}

/** Returns true if the forwarding is being deleted and leaves everything in Konnect as it is. */
function leavesEverything({ metadata, spec }: AuditLogForwarding): boolean {
  return metadata.deletionTimestamp !== undefined && (spec.deletionPolicy === 'Retain' || spec.mode === 'Observe');
}

/** Reasons of a webhook that the forwarding cannot or may not write. */
const blockingReasons: ReadonlySet<string | undefined> = new Set([
  reasons.portalNotFound,
  reasons.permissionDenied,
  reasons.contested,
]);

/** Reasons of `Stalled` that are about one webhook, and keep no other one from being written. */
const webhookReasons: ReadonlySet<string | undefined> = new Set([
  reasons.claimed,
  reasons.contested,
  reasons.portalNotFound,
  reasons.portalRefConflict,
  reasons.portalRefMismatch,
  reasons.portalRefNotFound,
  reasons.webhookInUse,
]);

/** Returns true if nothing in spec or status keeps the forwarding from writing to Konnect. A problem of another webhook does not. */
function canWrite({ metadata, spec, status }: AuditLogForwarding): boolean {
  if (metadata.deletionTimestamp !== undefined || spec.suspend || spec.mode === 'Observe') return false;
  const conditions = status.conditions ?? [];
  const stalled = conditions.find(({ type }) => type === 'Stalled');
  if (stalled === undefined) return true;
  // A Secret or a destination whose problem is not the stalled one, such as a pending creation, may be ready soon.
  const isStalled = (part: string) =>
    conditions.some(({ type, status: is, reason }) => type === part && is === 'False' && reason === stalled.reason);
  return webhookReasons.has(stalled.reason) && !isStalled('SecretsResolved') && !isStalled('DestinationReady');
}

/**
 * Returns true if the current spec has not been reconciled yet. A webhook that a finished reconciliation could not read, for example
 * because a Secret was missing, is not claimed.
 */
function isDue({ metadata, status }: AuditLogForwarding): boolean {
  return status.observedGeneration !== metadata.generation;
}

function canTake(other: AuditLogForwarding, which: WebhookKey): boolean {
  const attachment = attachmentOf(other.status, which);
  return canWrite(other) && (attachment === undefined ? isDue(other) : !blockingReasons.has(attachment.reason));
}

function canName(other: AuditLogForwarding, name: string): boolean {
  return canWrite(other) && (isDue(other) || other.status.destination?.name === name);
}

function isMember({ status }: AuditLogForwarding, organizationID: string): boolean {
  return status.konnect?.organizationID === organizationID;
}

/**
 * Returns true if the forwarding is changing the API version of the organization's webhook: it leaves one view, or its write of the other
 * one has no answer yet.
 */
function isSwitching(one: AuditLogForwarding, query: HoldQuery): boolean {
  const { state, updating } = one.status.organization ?? {};
  const isLeaving = leftOf(one, query).length > 0;
  const isUnanswered = state === 'pending' && updating !== undefined;
  const isOrganization = query.which.kind === 'organization';
  return isOrganization && (isLeaving || isUnanswered) && canWrite(one) && wants(one, query.region, query.which);
}

/** Returns true if the forwarding is suspended and wants the webhook. It writes nothing then, but keeps what it owns. */
function keepsClaim(other: AuditLogForwarding, region: string, which: WebhookKey): boolean {
  return other.spec.suspend && wants(other, region, which);
}

function attachmentOf({ organization, portals }: Status, which: WebhookKey) {
  return which.kind === 'organization' ? organization : portals?.find(({ id }) => id === which.id);
}

interface HoldQuery {
  readonly organizationID: string;
  readonly region: string;
  readonly which: WebhookKey;
  readonly seen: SeenWebhook | PointedWebhook | undefined;
}

/** Returns the entries of `cleanup` that are about the webhook. */
function leftOf(
  { status: { cleanup = [] } }: AuditLogForwarding,
  { organizationID, region, which }: HoldQuery,
): readonly CleanupStatus[] {
  return cleanup.filter(
    (entry) => entry.organizationID === organizationID && entry.region === region && sameKey(keyOf(entry), which),
  );
}

/** Returns true if the webhook points at a destination that the status of this forwarding names for it. */
function pointsAtOurs(one: AuditLogForwarding, query: HoldQuery): boolean {
  const left = leftOf(one, query);
  const { seen } = query;
  if (hasNow(one, query)) return true;
  if (seen?.kind === 'attached') return left.some(({ destinationID }) => destinationID === seen.destinationID);
  return seen?.kind === 'inline' && left.some(({ api }) => api === 'v2');
}

/** Returns true likewise, if the forwarding does not only leave the webhook. */
function hasNow({ status }: AuditLogForwarding, { organizationID, region, which, seen }: HoldQuery): boolean {
  const here = status.konnect?.organizationID === organizationID && status.konnect.region === region;
  const now = here ? attachmentOf(status, which) : undefined;
  if (seen?.kind === 'attached')
    return [now, now?.applied].some((record) => record?.destinationID === seen.destinationID);
  const isAttached = now?.state === 'on' || now?.state === 'off';
  return seen?.kind === 'inline' && isAttached && status.organization?.api === 'v2';
}

function sameKey(a: WebhookKey | undefined, b: WebhookKey): boolean {
  return a?.kind === b.kind && (a.kind !== 'portal' || b.kind !== 'portal' || a.id === b.id);
}
