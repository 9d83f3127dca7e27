/** Decides which forwarding owns a webhook or a name of a destination, if several forwardings want it. Pure. */
import type { AuditLogForwarding, CleanupStatus, Status } from '../../api/v1alpha1.ts';
import { wasAttached } from '../../status/recorded-state.ts';
import type { SeenWebhook } from '../observed/observed-state.ts';
import { reasons } from '../problems.ts';
import type { Successor } from '../reconcile-context.ts';
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

/**
 * Returns the ownership from the view of `self`. The owner of a webhook is the forwarding whose status names it and the destination that
 * it points at. If it points at none of their destinations, its owner is the forwarding that owned it last, else the oldest one that can
 * take it. Only forwardings whose token belongs to the organization can become owners.
 */
export function ownershipOf({ self, organizationID, all, destinationName }: OwnershipInput): Ownership {
  const { region } = self.spec.konnect;
  const others = all.filter(({ metadata }) => metadata.uid !== self.metadata.uid).toSorted(byAge);
  const members = others.filter((other) => isMember(other, organizationID));
  const wasAttachedBy = (one: AuditLogForwarding, which: WebhookKey) =>
    isMember(one, organizationID) &&
    one.status.konnect?.region === region &&
    wasAttached(attachmentOf(one.status, which));

  return {
    webhook(which, seen) {
      const isCandidate = (other: AuditLogForwarding) => wants(other, region, which) && canTake(other, which);
      const oldest = members.find(isCandidate);
      const selfIsNext = oldest === undefined || byAge(self, oldest) < 0;
      const query = { organizationID, region, which, seen };
      const owner = others.find((other) => pointsAtOurs(other, query));
      // If spec of both refers to the same destination, the webhook points at the destination of both. The older one owns it.
      const selfOwns = owner !== undefined && pointsAtOurs(self, query) && byAge(self, owner) < 0;
      if (owner !== undefined && !selfOwns) {
        const isKept = (isMember(owner, organizationID) && wants(owner, region, which)) || leavesEverything(owner);
        return { kind: isKept || !selfIsNext ? 'held' : 'yielded', by: nameOf(owner) };
      }
      if (wasAttachedBy(self, which)) return { kind: 'free' };
      const previous = members.find(
        (other) => wasAttachedBy(other, which) && (isCandidate(other) || keepsClaim(other, region, which)),
      );
      const by = previous ?? (selfIsNext ? undefined : oldest);
      return by === undefined ? { kind: 'free' } : { kind: 'held', by: nameOf(by) };
    },

    destination(name, named) {
      const owner = others.find(({ status }) => {
        const { destination, konnect, cleanup = [] } = status;
        const here = konnect?.organizationID === organizationID ? destination : undefined;
        const leaving = cleanup.filter(
          (entry) => entry.organizationID === organizationID && entry.kind === 'destination',
        );
        if (here?.managed === true && here.id !== undefined && here.name === name) return true;
        return [here?.managed === false ? undefined : here?.id, ...leaving.map((entry) => entry.destinationID)].some(
          (id) => id !== undefined && named.includes(id),
        );
      });
      const sameName = members.find(
        (other) => destinationName(other) === name && canName(other, name) && byAge(other, self) < 0,
      );
      const by = owner ?? sameName;
      return by === undefined ? { kind: 'free' } : { kind: 'held', by: nameOf(by) };
    },
  };
}

/**
 * Returns the forwarding that takes over a webhook which `self` no longer wants, or undefined if none can take it now. `destinationID` is
 * what the webhook points at.
 */
export function successorOf(
  { self, all }: Pick<OwnershipInput, 'self' | 'all'>,
  entry: CleanupStatus,
  destinationID: string | undefined,
): Successor | undefined {
  const which = keyOf(entry);
  if (which === undefined) return undefined;
  const { organizationID, region } = entry;
  const candidates = all
    .filter(({ metadata }) => metadata.uid !== self.metadata.uid)
    .filter((other) => isMember(other, organizationID) && wants(other, region, which))
    .toSorted(byAge);
  const pointsAt = (other: AuditLogForwarding) => attachmentOf(other.status, which)?.destinationID;
  const current = candidates.find((other) => destinationID !== undefined && pointsAt(other) === destinationID);
  if (current !== undefined) return { by: nameOf(current), hasIt: true };
  const next = candidates.find((other) => canTake(other, which));
  return next === undefined ? undefined : { by: nameOf(next), hasIt: false };
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

const unreadableReasons: ReadonlySet<string | undefined> = new Set([reasons.portalNotFound, reasons.permissionDenied]);

/** Returns true if nothing in spec or status keeps the forwarding from writing to Konnect. */
function canWrite({ metadata, spec, status }: AuditLogForwarding): boolean {
  if (metadata.deletionTimestamp !== undefined || spec.suspend || spec.mode === 'Observe') return false;
  const stalled = status.conditions?.find(({ type }) => type === 'Stalled');
  return stalled === undefined || stalled.reason === reasons.claimed;
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
  return canWrite(other) && (attachment === undefined ? isDue(other) : !unreadableReasons.has(attachment.reason));
}

function canName(other: AuditLogForwarding, name: string): boolean {
  return canWrite(other) && (isDue(other) || other.status.destination?.name === name);
}

function isMember({ status }: AuditLogForwarding, organizationID: string): boolean {
  return status.konnect?.organizationID === organizationID;
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
  readonly seen: SeenWebhook | undefined;
}

/** Returns true if the webhook points at a destination that the status of this forwarding names for it. */
function pointsAtOurs({ status }: AuditLogForwarding, { organizationID, region, which, seen }: HoldQuery): boolean {
  const here = status.konnect?.organizationID === organizationID && status.konnect.region === region;
  const now = here ? attachmentOf(status, which) : undefined;
  const left = (status.cleanup ?? []).filter(
    (entry) => entry.organizationID === organizationID && entry.region === region && sameKey(keyOf(entry), which),
  );
  if (seen?.kind === 'attached') {
    return [now, ...left].some((one) => one?.destinationID === seen.destinationID);
  }
  if (seen?.kind !== 'inline') return false;
  const isAttached = now !== undefined && (now.state === 'on' || now.state === 'off');
  return (isAttached && status.organization?.api === 'v2') || left.some(({ api }) => api === 'v2');
}

function sameKey(a: WebhookKey | undefined, b: WebhookKey): boolean {
  return a?.kind === b.kind && (a.kind !== 'portal' || b.kind !== 'portal' || a.id === b.id);
}
