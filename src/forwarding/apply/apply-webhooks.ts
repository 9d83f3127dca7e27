/** Carries out what the plan says of the webhooks: each for itself, so that one bad portal never holds up another. */
import type { PortalStatus } from '../../api/v1alpha1.ts';
import { isKonnectError, KonnectError } from '../../konnect/errors.ts';
import { withoutCorrections } from '../../status/corrections.ts';
import { mayBeAttached, wasAttached } from '../../status/recorded-state.ts';
import type { DesiredState } from '../desired/desired-state.ts';
import { type AttachReason, type Plan, type WebhookStep } from '../plan/steps.ts';
import { type Problem, problemOf, reasons, stalled, waiting } from '../problems.ts';
import { beforeWrite, type ReconcileContext, recordEvent } from '../reconcile-context.ts';
import { type Attachment, attachmentsOf, needsDestination } from './attachments.ts';
import { countCorrection } from './drift-correction.ts';

export interface WebhooksResult {
  readonly problems: readonly Problem[];
  readonly portalsReady: number;
  /** Attachments that wait for a destination. */
  readonly waiting: number;
}

/** Attaches what the plan says to the destination, by its ID; where there is none yet, attachments wait for it. */
export async function applyWebhooks(
  context: ReconcileContext,
  desired: DesiredState,
  plan: Plan,
  destinationID: string | undefined,
): Promise<WebhooksResult> {
  const attachments = attachmentsOf(context, desired, plan);
  const waits = (one: Attachment) =>
    one.step.kind === 'attach' && needsDestination(desired, one) && destinationID === undefined;

  const contested = new Map<Attachment, Problem>();
  for (const one of attachments) {
    const problem = waits(one) ? undefined : countCorrections(context, one);
    if (problem !== undefined) contested.set(one, problem);
  }
  const toWrite = attachments.filter((one) => one.step.kind === 'attach' && !waits(one) && !contested.has(one));
  for (const one of toWrite) recordPending(one);
  const objects = toWrite.map(({ object }) => object).slice(0, 3);
  if (toWrite.length > 0) await beforeWrite(context, `attaching ${objects.join(', ')}`);

  const problems = await Promise.all(
    attachments.map(async (one) => {
      const problem = contested.get(one);
      if (problem !== undefined) return failed(one, problem);
      if (!waits(one)) return applyWebhook(context, desired, one, destinationID ?? '');
      if (!mayBeAttached(one.remembered)) one.remember({ state: 'pending', ours: 'same' });
      return undefined;
    }),
  );
  const fromPortals = desired.portals.map(({ problem }) => problem);
  const found = [...problems, ...fromPortals, ...desired.unresolved].filter((problem) => problem !== undefined);
  const late = new Set(attachments.filter(waits).map(({ key }) => key));
  const ready = desired.portals.filter(({ id, enabled }) => {
    if (late.has(`portal/${id}`)) return false;
    const entry = context.status.recorded.portals?.find((portal) => portal.id === id);
    return entry?.state === (enabled ? 'on' : 'off') && entry.reason === undefined;
  });
  return { problems: found, portalsReady: ready.length, waiting: late.size };
}

/** A webhook enters status before its first write. What was attached before keeps the state that a read has proved. */
function recordPending(one: Attachment): void {
  if (one.step.kind !== 'attach' || one.entered) return;
  const proved = one.remembered !== undefined && wasAttached(one.remembered);
  const seenAsOurs = one.step.because === 'enabled' || one.step.because === 'settings';
  const before = one.enabled ? 'on' : 'off';
  one.remember({
    state: proved ? one.remembered.state : seenAsOurs ? before : 'pending',
    ours: seenAsOurs ? 'same' : 'desired',
    entering: true,
  });
}

/** Counts what others changed of a webhook that stood, or clears the count of one that is right again. */
function countCorrections(
  context: ReconcileContext,
  { key, object, step, remembered }: Attachment,
): Problem | undefined {
  if (step.kind === 'keep') {
    // Right although it was left alone: the war is over.
    if (remembered?.reason === reasons.contested)
      context.status.recorded = withoutCorrections(context.status.recorded, key);
    return undefined;
  }
  if (!isCorrection(context, step, remembered)) return undefined;
  return countCorrection(context, key, object, step.kind === 'attach' ? step.otherID : undefined);
}

const byOthers: ReadonlySet<AttachReason> = new Set(['unconfigured', 'enabled', 'settings', 'pointed elsewhere']);

/** True where the webhook was in place and somebody else changed it: not where it follows a destination that is made anew. */
function isCorrection(context: ReconcileContext, step: WebhookStep, remembered: Attachment['remembered']): boolean {
  return context.wasApplied && wasAttached(remembered) && step.kind === 'attach' && byOthers.has(step.because);
}

async function applyWebhook(
  context: ReconcileContext,
  desired: DesiredState,
  one: Attachment,
  destinationID: string,
): Promise<Problem | undefined> {
  const standing = one.enabled ? 'on' : 'off';
  switch (one.step.kind) {
    case 'keep':
      one.remember({ state: standing, ours: 'desired', updatedAt: one.step.updatedAt });
      return undefined;
    case 'unknown':
      return failed(one, one.step.problem);
    case 'missing':
      return failed(one, one.missing());
    case 'lost': {
      const problem = stalled(
        reasons.claimed,
        `${one.object} belongs to AuditLogForwarding ${one.step.to}, which came first: remove ${one.field} here, or its twin there; nothing was changed`,
      );
      one.remember({ state: 'refused', reason: problem.reason, ours: 'nobody' });
      return problem;
    }
    case 'refuse': {
      const problem = inUse(one, one.step.otherID);
      one.remember({ state: 'refused', reason: problem.reason, ours: 'nobody' });
      return problem;
    }
    case 'attach':
      try {
        const updatedAt = await one.write(destinationID);
        one.remember({ state: standing, ours: 'desired', updatedAt, wasWritten: true });
        recordOutcome(
          context,
          one,
          needsDestination(desired, one) ? `destination ${destinationID}` : 'the endpoint in its Secret',
        );
        return undefined;
      } catch (error) {
        if (!(error instanceof KonnectError) || context.signal.aborted) throw error;
        return failed(one, await diagnoseFailure(context, desired, one, destinationID, error));
      }
  }
}

/** What is remembered of a webhook whose call failed: whether it is ours is not known any better than before. */
function failed(one: Attachment, problem: Problem): Problem {
  const settled = one.remembered?.state === 'on' || one.remembered?.state === 'off';
  if (problem.severity === 'unavailable' && settled) return problem;
  one.remember({ state: stateAfter(one, problem), reason: problem.reason, ours: 'same' });
  return problem;
}

/** Never `pending` for what was proved to be ours: that would take it for one that perhaps never came to be. */
function stateAfter({ step, remembered }: Attachment, { severity }: Problem): PortalStatus['state'] {
  if (remembered !== undefined && wasAttached(remembered)) return severity === 'stalled' ? 'refused' : remembered.state;
  const mayStand = step.kind === 'attach' || mayBeAttached(remembered);
  return severity === 'stalled' && !mayStand ? 'refused' : 'pending';
}

/** A 404 (or a 400 that names the destination) is asked back, since Konnect answers alike for a missing destination and a missing portal. */
async function diagnoseFailure(
  context: ReconcileContext,
  desired: DesiredState,
  one: Attachment,
  destinationID: string,
  error: KonnectError,
): Promise<Problem> {
  const askBack = error.kind === 'NotFound' || error.refusedFields.includes('audit_log_destination_id');
  try {
    if (askBack && needsDestination(desired, one)) {
      const destination = await context.konnect.client.getDestination(desired.api, destinationID, context.signal);
      if (destination === undefined) {
        // The shared list may show it until it is read again, and the next pass would take it to be there.
        await context.konnect.destinations(desired.api, { maxAgeMs: 0 }, context.signal);
        return waiting(reasons.creating, `destination ${destinationID} is gone from Konnect; it is made anew`);
      }
    }
    if (askBack && !(await one.stillThere())) return one.missing();
  } catch (asked) {
    if (!isKonnectError(asked)) throw asked;
    return problemOf(asked, one.object, context.tokenSource);
  }
  return problemOf(error, one.object, context.tokenSource);
}

function inUse(one: Attachment, otherID: string | undefined): Problem {
  const whose = otherID === undefined ? 'an endpoint' : `destination ${otherID}`;
  return stalled(
    reasons.webhookInUse,
    `${one.object} already forwards to ${whose} that this forwarding did not set: detach it in Konnect, remove ${one.field}, or take it over with spec.adoptionPolicy: Always; nothing was changed`,
  );
}

function recordOutcome(
  context: ReconcileContext,
  { step, object, remembered, enabled }: Attachment,
  target: string,
): void {
  if (step.kind !== 'attach') return;
  const { because, otherID } = step;
  const other = otherID === undefined ? 'another endpoint' : `destination ${otherID}`;
  if (because === 'adopted' || because === 'handed over') {
    const note = `${object} forwarded to ${other}, which is left as it is, and forwards to ${target} now`;
    recordEvent(context, 'Normal', because === 'adopted' ? 'WebhookAdopted' : 'WebhookTakenOver', 'Attach', note);
    return;
  }
  if (!isCorrection(context, step, remembered)) {
    const note = `${object} ${enabled ? 'forwards to' : 'is switched off, and attached to'} ${target}`;
    recordEvent(context, 'Normal', 'WebhookAttached', 'Attach', note);
    return;
  }
  const what = {
    unconfigured: 'detached',
    enabled: 'switched on or off',
    settings: 'changed',
    'pointed elsewhere': `pointed at ${other}`,
    'destination gone': 'changed',
  }[because];
  const note = `${object} was ${what} in Konnect by somebody else; put right`;
  recordEvent(context, 'Warning', 'WebhookCorrected', 'Correct', note);
}
