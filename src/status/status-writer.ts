/** Writes status. Nothing else writes it. */
import { isDeepStrictEqual } from 'node:util';
import type { AuditLogForwarding, Condition, Status } from '../api/v1alpha1.ts';
import { type ConditionContext, progressing } from './conditions.ts';
import { type RecordedState, recordedStateOf } from './recorded-state.ts';

/** Replaces the whole status. Rejects if the object has changed since it was read. */
export type WriteStatus = (
  forwarding: AuditLogForwarding,
  status: Status,
  signal: AbortSignal,
) => Promise<AuditLogForwarding>;

/**
 * The status of one forwarding during a reconciliation. Every step may change `recorded`. `checkpoint` writes it, and has to be awaited
 * before the call to Konnect that it is about. `write` writes the outcome. Neither writes if nothing changed.
 */
export class StatusWriter {
  recorded: RecordedState;
  forwarding: AuditLogForwarding;
  readonly #write: WriteStatus;
  readonly #now: () => Date;
  /** True after a write: the API server has accepted that nothing is newer than what was read. */
  #isCurrent = false;

  constructor(forwarding: AuditLogForwarding, write: WriteStatus, now: () => Date) {
    this.forwarding = forwarding;
    const { verification, ...recorded } = recordedStateOf(forwarding.status);
    const isVerified = forwarding.spec.verification !== undefined && verification !== undefined;
    this.recorded = isVerified ? { ...recorded, verification } : recorded;
    this.#write = write;
    this.#now = now;
  }

  /** Returns what the conditions depend on beside the report. */
  context(grace: ConditionContext['grace']): ConditionContext {
    const { status, metadata, spec } = this.forwarding;
    const previous = (status.conditions ?? []).filter(
      ({ type }) => type !== 'Verified' || spec.verification !== undefined,
    );
    return { generation: metadata.generation, previous, now: this.#now(), grace };
  }

  /**
   * Writes the recorded state if it changed, with conditions for `progress`, or with the conditions as they are. If nothing changed, the first
   * checkpoint of a reconciliation writes status as it is. This changes nothing, and is refused if the forwarding was read from an outdated cache.
   */
  async checkpoint(progress: { reason: string; message: string } | undefined, signal: AbortSignal): Promise<void> {
    if (isSame(this.recorded, recordedStateOf(this.forwarding.status))) {
      if (!this.#isCurrent) await this.#put(this.forwarding.status, signal);
      return;
    }
    const context = this.context('none');
    await this.write(
      progress === undefined ? [...context.previous] : progressing(progress.reason, progress.message, context),
      signal,
    );
  }

  /** Writes the recorded state and the conditions if either changed. */
  async write(conditions: Condition[], signal: AbortSignal): Promise<void> {
    const { generation: observedGeneration } = this.forwarding.metadata;
    await this.#putIfChanged({ ...this.recorded, observedGeneration, conditions }, signal);
  }

  /** Writes what a verification found. What status says about the reconciliation stays as it is. */
  async writeVerification(
    found: Pick<Status, 'verification' | 'delivery'>,
    conditions: readonly Condition[],
    signal: AbortSignal,
  ): Promise<void> {
    await this.#putIfChanged({ ...this.forwarding.status, ...found, conditions: [...conditions] }, signal);
  }

  async #putIfChanged(status: Status, signal: AbortSignal): Promise<void> {
    if (!isSame(status, this.forwarding.status)) await this.#put(status, signal);
  }

  async #put(status: Status, signal: AbortSignal): Promise<void> {
    this.forwarding = await this.#write(this.forwarding, status, signal);
    this.#isCurrent = true;
  }
}

/** Returns whether two values are the same in JSON, which has neither an order of fields nor a field that is undefined. */
function isSame(one: object, other: object): boolean {
  const [a, b] = [JSON.stringify(one), JSON.stringify(other)];
  return a === b || isDeepStrictEqual(JSON.parse(a), JSON.parse(b));
}
