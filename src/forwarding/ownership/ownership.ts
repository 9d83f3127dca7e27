/** Who may write where several forwardings want the same webhook or the same name of a destination. Pure. */
import type { AuditLogForwarding, CleanupStatus, Status } from '../../api/v1alpha1.ts';
import { wasAttached } from '../../status/recorded-state.ts';
import type { SeenWebhook } from '../observed/observed-state.ts';
import { reasons } from '../problems.ts';
import type { Successor } from '../reconcile-context.ts';
import { nameOf } from './claims.ts';

/** `yielded`: the forwarding that holds it wants it no longer, and this one is next. Names are `namespace/name`. */
export type Hold =
  | { readonly kind: 'free' }
  | { readonly kind: 'held'; readonly by: string }
  | { readonly kind: 'yielded'; readonly by: string };

/** A portal's webhook by the portal's ID, or the organization's. */
export type WebhookKey = { readonly kind: 'portal'; readonly id: string } | { readonly kind: 'organization' };

export interface Ownership {
  webhook(which: WebhookKey, seen: SeenWebhook | undefined): Hold;
  /** `named`: IDs of destinations that bear the wanted name and are not ours. */
  destination(name: string, named: readonly string[]): Hold;
}

/** Nobody else. */
export const uncontested: Ownership = { webhook: () => ({ kind: 'free' }), destination: () => ({ kind: 'free' }) };

export interface OwnershipInput {
  readonly self: AuditLogForwarding;
  readonly organizationID: string;
  /** Every forwarding that is known, this one or not. */
  readonly all: readonly AuditLogForwarding[];
  /** The name that a forwarding's destination has in Konnect. */
  readonly destinationName: (forwarding: AuditLogForwarding) => string | undefined;
}

/**
 * A webhook is held by the forwarding whose destination it points at and whose status names it. Points it at none of theirs, by the one
 * that had it last, or else by the oldest that can take it. Only who has proved to belong to the organization counts.
 */
export function ownershipOf({ self, organizationID, all, destinationName }: OwnershipInput): Ownership {
  const { region } = self.spec.konnect;
  const others = all.filter(({ metadata }) => metadata.uid !== self.metadata.uid).toSorted(byAge);
  const members = others.filter((other) => isMember(other, organizationID));
  const stood = (one: AuditLogForwarding, which: WebhookKey) =>
    isMember(one, organizationID) &&
    one.status.konnect?.region === region &&
    wasAttached(attachmentOf(one.status, which));

  return {
    webhook(which, seen) {
      const wanting = (other: AuditLogForwarding) => wants(other, region, which) && canTake(other, which);
      const next = members.find(wanting);
      const selfIsNext = next === undefined || byAge(self, next) < 0;
      const sight = { organizationID, region, which, seen };
      const holder = others.find((other) => pointsAtOurs(other, sight));
      // Where both attach to the same destination of somebody else's, both may be taken to hold it.
      const selfHolds = holder !== undefined && pointsAtOurs(self, sight) && byAge(self, holder) < 0;
      if (holder !== undefined && !selfHolds) {
        const lasts = (isMember(holder, organizationID) && wants(holder, region, which)) || keepsForGood(holder);
        return { kind: lasts || !selfIsNext ? 'held' : 'yielded', by: nameOf(holder) };
      }
      if (stood(self, which)) return { kind: 'free' };
      const had = members.find((other) => stood(other, which) && (wanting(other) || keepsClaim(other, region, which)));
      const by = had ?? (selfIsNext ? undefined : next);
      return by === undefined ? { kind: 'free' } : { kind: 'held', by: nameOf(by) };
    },

    destination(name, named) {
      const holder = others.find(({ status }) => {
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
      const by = holder ?? sameName;
      return by === undefined ? { kind: 'free' } : { kind: 'held', by: nameOf(by) };
    },
  };
}

/** The forwarding that takes over what `self` lets go of, where one can take it now. `destinationID`: what the webhook points at. */
export function successorOf(
  { self, all }: Pick<OwnershipInput, 'self' | 'all'>,
  entry: CleanupStatus,
  destinationID: string | undefined,
): Successor | undefined {
  const which = keyOf(entry);
  if (which === undefined) return undefined;
  const { organizationID, region } = entry;
  const wanting = all
    .filter(({ metadata }) => metadata.uid !== self.metadata.uid)
    .filter((other) => isMember(other, organizationID) && wants(other, region, which))
    .toSorted(byAge);
  const pointsAt = (other: AuditLogForwarding) => attachmentOf(other.status, which)?.destinationID;
  const has = wanting.find((other) => destinationID !== undefined && pointsAt(other) === destinationID);
  if (has !== undefined) return { by: nameOf(has), hasIt: true };
  const next = wanting.find((other) => canTake(other, which));
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

/** Deleted under Retain, or observing: it will leave everything as it is. */
function keepsForGood({ metadata, spec }: AuditLogForwarding): boolean {
  return metadata.deletionTimestamp !== undefined && (spec.deletionPolicy === 'Retain' || spec.mode === 'Observe');
}

const blind: ReadonlySet<string | undefined> = new Set([reasons.portalNotFound, reasons.permissionDenied]);

/** Nothing keeps it from writing, as far as its status tells. */
function canWrite({ metadata, spec, status }: AuditLogForwarding): boolean {
  if (metadata.deletionTimestamp !== undefined || spec.suspend || spec.mode === 'Observe') return false;
  const mark = status.conditions?.find(({ type }) => type === 'Stalled');
  return mark === undefined || mark.reason === reasons.claimed;
}

/**
 * A pass over its present spec is still to come. What a pass that is over says nothing of it could not look at, for want of a Secret, say:
 * that is no claim.
 */
function isDue({ metadata, status }: AuditLogForwarding): boolean {
  return status.observedGeneration !== metadata.generation;
}

function canTake(other: AuditLogForwarding, which: WebhookKey): boolean {
  const attachment = attachmentOf(other.status, which);
  return canWrite(other) && (attachment === undefined ? isDue(other) : !blind.has(attachment.reason));
}

function canName(other: AuditLogForwarding, name: string): boolean {
  return canWrite(other) && (isDue(other) || other.status.destination?.name === name);
}

function isMember({ status }: AuditLogForwarding, organizationID: string): boolean {
  return status.konnect?.organizationID === organizationID;
}

/** Suspended, it writes nothing, and nobody else takes what it had. */
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

/** Whether the webhook points at what this forwarding's status names for it. */
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
  const stands = now !== undefined && (now.state === 'on' || now.state === 'off');
  return (stands && status.organization?.api === 'v2') || left.some(({ api }) => api === 'v2');
}

function sameKey(a: WebhookKey | undefined, b: WebhookKey): boolean {
  return a?.kind === b.kind && (a.kind !== 'portal' || b.kind !== 'portal' || a.id === b.id);
}
