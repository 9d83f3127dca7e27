/** Reads the annotation with which a user requests a replay. */
import { replayAnnotation, replayAnnotationOf, type Spec } from '../../api/v1alpha1.ts';
import { retentionMs } from '../../status/gaps.ts';
import { type ReplayRequest, recordEvent } from '../reconcile-context.ts';
import type { Conclusion } from './conclude.ts';

const time = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)`;
const pattern = new RegExp(`^(${time})/(${time})(?:/(organization|[0-9a-f-]{36}))?$`);

/** Returns the replay that a user has requested and that is not answered yet. Answers a request that the operator does not follow. */
export function replayRequestOf(to: Pick<Conclusion, 'cluster' | 'status'>, now: Date): ReplayRequest | undefined {
  const { status } = to;
  const { metadata, spec } = status.forwarding;
  const value = replayAnnotationOf(metadata.annotations);
  if (value === undefined || value === status.recorded.lastHandledReplay) return undefined;
  const request = parsed(value, spec, now);
  if ('value' in request) return request;
  status.recorded = { ...status.recorded, lastHandledReplay: value };
  recordEvent(to, 'Warning', 'ReplayRejected', 'Replay', request.wrong);
  return undefined;
}

/** Returns the request of the annotation, or why the operator does not follow it. */
function parsed(
  value: string,
  { mode, suspend }: Pick<Spec, 'mode' | 'suspend'>,
  now: Date,
): ReplayRequest | { readonly wrong: string } {
  const [, from = '', to = '', key] = pattern.exec(value) ?? [];
  const [fromMs, toMs] = [Date.parse(from), Date.parse(to)];
  if (Number.isNaN(fromMs) || Number.isNaN(toMs)) {
    return wrong(
      `the annotation ${replayAnnotation} is not FROM/TO or FROM/TO/WEBHOOK: write times such as 2026-11-27T08:00:00Z, and organization or the ID of a portal as the webhook`,
    );
  }
  if (toMs <= fromMs) return wrong('the period ends before it begins: write the earlier time first');
  if (toMs > now.getTime()) return wrong('the period ends in the future: write an end that has passed');
  if (toMs <= now.getTime() - retentionMs) {
    return wrong('the period ended more than 7 days ago, and Konnect keeps audit logs for 7 days');
  }
  if (suspend) return wrong('spec.suspend is true: set it to false, then set the annotation to a new value');
  if (mode === 'Observe') return wrong('spec.mode is Observe: set Enforce, then set the annotation to a new value');
  return { value, from, to, key };
}

function wrong(why: string): { readonly wrong: string } {
  return { wrong: `the operator requests no replay: ${why}` };
}
