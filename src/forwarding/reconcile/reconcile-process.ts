/** What all reconciliations of one process share, and the context of one of them. */
import type { AuditLogForwarding, CleanupStatus } from '../../api/v1alpha1.ts';
import type { Priority } from '../../runtime/priority.ts';
import { objectKeyOf, type RecordedState } from '../../status/recorded-state.ts';
import type { StatusWriter } from '../../status/status-writer.ts';
import { tokenSource } from '../desired/token.ts';
import type { SharedLists } from '../observed/observe.ts';
import { claimsOf } from '../ownership/claims.ts';
import type { KeyedLock } from '../ownership/keyed-lock.ts';
import { successorOf } from '../ownership/ownership.ts';
import type { Cluster, Konnect } from '../ports.ts';
import type { PointedWebhook, ReconcileContext, ReplayRequest, Successor } from '../reconcile-context.ts';
import { intervalMs } from './conclude.ts';
import type { ProcessMemory } from './process-memory.ts';

export interface ReconcilerOptions {
  readonly cluster: Cluster;
  /** Returns Konnect with one token, for a forwarding in `region`. Requests of new and changed forwardings go before those of resyncs. */
  readonly konnectFor: (token: string, priority: Priority, region: string) => Konnect;
  /** Returns the forwarding from the cache, at least as new as the operator's last write of it. */
  readonly find: (key: string) => AuditLogForwarding | undefined;
  /** Returns the other forwardings in the cache that have one of these claims. */
  readonly contenders: (key: string, claims: readonly string[]) => readonly AuditLogForwarding[];
  /**
   * Returns true if a forwarding that the cache no longer shows still exists, with labels that another operator watches. Undefined if this operator watches all
   * forwardings. Rejects with KubeError.
   */
  readonly isElsewhere?: ((forwarding: AuditLogForwarding, signal: AbortSignal) => Promise<boolean>) | undefined;
  /** Enqueues another forwarding for a resync. */
  readonly enqueue: (key: string) => void;
  readonly clusterName: string;
  /** How long a created destination may be missing in Konnect's lists, counted from before the POST. */
  readonly pendingCreationTimeoutMs: number;
  /** The time of day, for times in status. */
  readonly now: () => Date;
  /** Milliseconds that never go back, for waits. Default: those of `now`. */
  readonly nowMs?: () => number;
  /** Returns when the key was last enqueued before this reconciliation, on the clock of `nowMs`. Default: now. */
  readonly enqueuedAtMs?: (key: string) => number | undefined;
  /** Returns a number from 0 to below 1. */
  readonly random: () => number;
}

/** Everything that lasts longer than one reconciliation. */
export interface ReconcileProcess {
  readonly options: ReconcilerOptions;
  readonly memory: ProcessMemory;
  readonly locks: KeyedLock;
}

const handoverTimeoutMs = 2 * 60_000;
/** After this wait in the queue, others wait as well. */
const crowdedMs = 1_000;
/** How old a list may be that decides what the operator changes. */
const maxDecidingAgeMs = 30_000;

/** How one reconciliation uses Konnect. */
export interface KonnectUse {
  readonly token: string;
  readonly wasApplied: boolean;
  /** Default: true. */
  readonly areLooksDue?: boolean;
  /** Default: false. */
  readonly isRequested?: boolean;
  readonly replayRequest?: ReplayRequest | undefined;
  readonly priority: Priority;
}

/** Returns the context of a reconciliation of `key`. */
export function createContext(
  process: ReconcileProcess,
  key: string,
  status: StatusWriter,
  use: KonnectUse,
  signal: AbortSignal,
): ReconcileContext {
  const { cluster, konnectFor, now } = process.options;
  const { forwarding } = status;
  const konnectWith = (token: string) => konnectFor(token, use.priority, forwarding.spec.konnect.region);
  return {
    forwarding,
    status,
    cluster,
    now,
    signal,
    wasApplied: use.wasApplied,
    areLooksDue: use.areLooksDue ?? true,
    recordLooks: (looks) => process.memory.looks.record(key, looks, status.recorded),
    isRequested: use.isRequested ?? false,
    replayRequest: use.replayRequest,
    konnect: konnectWith(use.token),
    tokenSource: tokenSource(forwarding),
    successor: (entry, seen) => successor(process, key, status.forwarding, entry, seen),
    ...tokensOf(process, key, use.token, konnectWith),
    ...waitsOf(process, key),
  };
}

/** Returns what the context knows of the tokens of other organizations. `token` is the one in the Secret. */
function tokensOf(
  { memory }: ReconcileProcess,
  key: string,
  token: string,
  konnectWith: (token: string) => Konnect,
): Pick<ReconcileContext, 'konnectIn' | 'isCurrentToken' | 'forgetToken'> {
  return {
    konnectIn: (organizationID) => {
      const known = memory.goodToken(key, organizationID);
      return known === undefined ? undefined : konnectWith(known);
    },
    isCurrentToken: (organizationID) => memory.goodToken(key, organizationID) === token,
    forgetToken: (organizationID) => memory.forgetToken(key, organizationID),
  };
}

/** Returns what the context measures: for how long something lasts. */
function waitsOf(
  { memory }: ReconcileProcess,
  key: string,
): Pick<ReconcileContext, 'ageMs' | 'expire' | 'renew' | 'inUseForMs'> {
  return {
    ageMs: (time) => memory.timestampAgeMs(key, time),
    expire: (time) => memory.expireTimestamp(key, time),
    renew: (time) => memory.renewTimestamp(key, time),
    inUseForMs: (destinationID) => memory.inUseForMs(key, destinationID),
  };
}

/**
 * Returns which lists this reconciliation shares with others. A requested one reads everything itself. After a wait in the queue, the others that
 * waited as well can use one list for their decisions: it is newer than the reason for each of these reconciliations.
 */
export function sharedLists(
  {
    now,
    nowMs: clock = () => now().getTime(),
    enqueuedAtMs,
  }: Pick<ReconcilerOptions, 'now' | 'nowMs' | 'enqueuedAtMs'>,
  key: string,
  { isRequested, forwarding }: Pick<ReconcileContext, 'isRequested' | 'forwarding'>,
): SharedLists {
  if (isRequested) return { confirmSinceMs: undefined, decideSinceMs: undefined };
  const nowMs = clock();
  const sinceMs = enqueuedAtMs?.(key) ?? nowMs;
  const hasWaited = nowMs - sinceMs > crowdedMs;
  return {
    confirmSinceMs: nowMs - intervalMs(forwarding) / 2,
    decideSinceMs: hasWaited ? Math.max(sinceMs, nowMs - maxDecidingAgeMs) : undefined,
  };
}

/** Returns the other forwardings that may have one of these claims, with those that Kubernetes has deleted too early. */
export function contendersOf(
  { options, memory }: ReconcileProcess,
  key: string,
  claims: readonly string[],
): readonly AuditLogForwarding[] {
  return [...options.contenders(key, claims), ...memory.deleted.values()];
}

function successor(
  process: ReconcileProcess,
  key: string,
  self: AuditLogForwarding,
  entry: CleanupStatus,
  seen: PointedWebhook,
): Successor | undefined {
  const { memory } = process;
  const next = successorOf({ self, all: contendersOf(process, key, claimsOf(self, undefined)) }, entry, seen);
  const object = webhookOf(entry);
  if (next === undefined || next.hasIt) {
    memory.endHandover(key, object);
    return next;
  }
  return memory.handoverForMs(key, object) < handoverTimeoutMs ? next : undefined;
}

/** Forgets the waits of a finished reconciliation that no longer last. */
export function endWaits(memory: ProcessMemory, key: string, { cleanup = [] }: RecordedState): void {
  const webhooks = new Set(cleanup.map(webhookOf));
  const destinations = new Set(
    cleanup.flatMap(({ kind, destinationID }) => (kind === 'destination' ? (destinationID ?? []) : [])),
  );
  memory.endWaits(key, { webhooks, destinations });
}

function webhookOf(entry: CleanupStatus): string {
  return `${entry.region}/${objectKeyOf(entry)}`;
}
