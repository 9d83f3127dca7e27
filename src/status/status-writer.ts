/** The one writer of status. */
import { isDeepStrictEqual } from 'node:util';
import type { AuditLogForwarding, Condition, Status } from '../api/v1alpha1.ts';
import { type ConditionContext, progressing } from './conditions.ts';
import { type RecordedState, recordedStateOf } from './recorded-state.ts';

/** Replaces the whole status; rejects where the object has changed since it was read. */
export type WriteStatus = (
  forwarding: AuditLogForwarding,
  status: Status,
  signal: AbortSignal,
) => Promise<AuditLogForwarding>;

/**
 * The status of one forwarding while a pass works on it. `memory` is changed freely and reaches Kubernetes by `remember`, which has to
 * be awaited before the call to Konnect that the memory is about, or by `conclude`, at the end. Neither writes where nothing changed.
 */
export class StatusWriter {
  recorded: RecordedState;
  forwarding: AuditLogForwarding;
  readonly #write: WriteStatus;
  readonly #now: () => Date;

  constructor(forwarding: AuditLogForwarding, write: WriteStatus, now: () => Date) {
    this.forwarding = forwarding;
    this.recorded = recordedStateOf(forwarding.status);
    this.#write = write;
    this.#now = now;
  }

  /** What conditions are worked out from. */
  context(grace: ConditionContext['grace']): ConditionContext {
    const { status, metadata } = this.forwarding;
    return { generation: metadata.generation, previous: status.conditions ?? [], now: this.#now(), grace };
  }

  /** Writes the memory where it changed, with conditions that say what is going on, or as they are. */
  async checkpoint(news: { reason: string; message: string } | undefined, signal: AbortSignal): Promise<void> {
    if (isDeepStrictEqual(plain(this.recorded), plain(recordedStateOf(this.forwarding.status)))) return;
    const context = this.context('none');
    await this.write(
      news === undefined ? [...context.previous] : progressing(news.reason, news.message, context),
      signal,
    );
  }

  /** Writes memory and conditions where either changed. */
  async write(conditions: Condition[], signal: AbortSignal): Promise<void> {
    const status = { ...this.recorded, observedGeneration: this.forwarding.metadata.generation, conditions };
    if (isDeepStrictEqual(plain(status), plain(this.forwarding.status))) return;
    this.forwarding = await this.#write(this.forwarding, status, signal);
  }
}

/** As JSON carries it, so that a field left out equals one that is undefined. */
function plain(value: object): unknown {
  return JSON.parse(JSON.stringify(value));
}
