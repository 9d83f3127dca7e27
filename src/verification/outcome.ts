/** Writes what a verification found. */
import { type AuditLogForwarding, maxRecordedJobs, type VerificationStatus } from '../api/v1alpha1.ts';
import type { Cluster } from '../forwarding/ports.ts';
import { recordEvent } from '../forwarding/reconcile-context.ts';
import { withVerified } from '../status/conditions.ts';
import { deliveryKeyOf, deliveryOf } from '../status/delivery.ts';
import { StatusWriter } from '../status/status-writer.ts';
import { gapOf, type MissingLines, verifiedOf, withMissingLines } from '../status/verification.ts';
import type { Verdict } from './verdict.ts';

export interface OutcomeOptions {
  readonly cluster: Pick<Cluster, 'writeStatus' | 'recordEvent'>;
  /** Returns a forwarding as last seen. */
  readonly find: (key: string) => AuditLogForwarding | undefined;
  /** Runs an action while no reconciliation of the key does. */
  readonly exclusively: <T>(key: string, action: () => Promise<T>) => Promise<T>;
  readonly now: () => Date;
  /** Called when missing lines have made a gap: a reconciliation shows it, and has it replayed if spec wants that. */
  readonly onGap: (key: string) => void;
}

/** One verification. */
export interface Run {
  readonly key: string;
  readonly forwarding: AuditLogForwarding;
  readonly wanted: NonNullable<AuditLogForwarding['spec']['verification']>;
  /** When it began. */
  readonly at: Date;
  readonly signal: AbortSignal;
}

/** What a verification changes in status. Without a verdict, the condition stays as it is. */
export interface Outcome {
  readonly verification: VerificationStatus;
  readonly verdict?: Verdict | undefined;
  /** The lines that make a gap, if no earlier one had them. */
  readonly missing?: MissingLines | undefined;
}

/** The forwarding is another one than when its verification began, or its spec is. */
export class OutdatedError extends Error {
  override readonly name = 'OutdatedError';
}

/**
 * Writes status, and records an event if the verdict is another one than before. Rejects with an OutdatedError if spec has changed meanwhile: what was
 * found says nothing about the new spec, and a search that has just begun must end.
 */
export async function writeOutcome(
  { cluster, exclusively, find, now, onGap }: OutcomeOptions,
  { key, forwarding: { metadata }, signal }: Run,
  { verification, verdict, missing }: Outcome,
): Promise<void> {
  await exclusively(key, async () => {
    const forwarding = find(key);
    const isSame = forwarding?.metadata.uid === metadata.uid && forwarding.metadata.generation === metadata.generation;
    if (!isSame) throw new OutdatedError();
    const status = new StatusWriter(forwarding, (one, next, until) => cluster.writeStatus(one, next, until), now);
    const context = status.context('none');
    const conditions = verdict === undefined ? context.previous : withVerified(verdict, context);
    const { jobs = [], ...rest } = verification;
    const webhook = deliveryOf(forwarding.status, deliveryKeyOf(undefined));
    const { gap, gapUntil } = gapOf(verification, missing, webhook);
    const found = {
      verification: { ...rest, gapUntil, ...(jobs.length === 0 ? {} : { jobs: jobs.slice(-maxRecordedJobs) }) },
      ...(gap === undefined ? {} : { delivery: withMissingLines(forwarding.status.delivery, gap) }),
    };
    await status.writeVerification(found, conditions, signal);
    if (gap !== undefined) onGap(key);
    const before = verifiedOf(forwarding.status);
    if (verdict === undefined || verdict.reason === 'NotSearchedYet' || verdict.reason === before?.reason) return;
    const type = verdict.status === 'True' ? 'Normal' : 'Warning';
    recordEvent({ cluster, status }, type, verdict.reason, 'Verify', verdict.message);
  });
}
