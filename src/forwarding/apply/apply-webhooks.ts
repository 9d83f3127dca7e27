/** Applies the plan to the webhooks. A problem with one webhook does not keep the operator from applying the others. */
import type { PortalStatus } from '../../api/v1alpha1.ts';
import { isKonnectError, KonnectError } from '../../konnect/errors.ts';
import { withoutCorrections } from '../../status/corrections.ts';
import { mayBeAttached, wasAttached } from '../../status/recorded-state.ts';
import type { DesiredState } from '../desired/desired-state.ts';
import { nameOther, webhookInUse } from '../plan/adoption.ts';
import type { Plan } from '../plan/steps.ts';
import { type Problem, problemOf, reasons, stalled, waiting } from '../problems.ts';
import { beforeWrite, type ReconcileContext } from '../reconcile-context.ts';
import type { Attachment } from './attachment.ts';
import { attachmentsOf } from './attachments.ts';
import { contestedProblem, recordCorrected } from './drift-correction.ts';
import { recordOutcomes, type WrittenWebhook } from './webhook-events.ts';

export interface WebhooksResult {
  readonly problems: readonly Problem[];
  readonly portalsReady: number;
  /** The number of webhooks that wait for a destination. */
  readonly waiting: number;
}

/** The webhooks that status names before the destination exists that they are to be attached to. */
export interface PlannedWebhooks {
  /** Their keys. */
  readonly keys: ReadonlySet<string>;
  /** Makes status forget them, since no request about them was sent. */
  readonly forget: () => void;
}

/** Records the webhooks that are to be attached to the destination that the plan creates, so that the checkpoint before the creation names them. */
export function recordPlanned(context: ReconcileContext, desired: DesiredState, plan: Plan): PlannedWebhooks {
  const { status } = context;
  const { destination, portals, organization } = status.recorded;
  // A destination that is created again has webhooks already, and may be a correction. A refused creation would write status in each attempt.
  const isFirst = plan.destination.kind === 'create' && destination === undefined;
  const planned = attachmentsOf(context, desired, plan).filter(
    ({ step, needsDestination, recorded }) => step.kind === 'attach' && needsDestination && !mayBeAttached(recorded),
  );
  if (!isFirst || planned.length === 0) return { keys: new Set(), forget: () => undefined };
  for (const one of planned) one.record({ state: 'pending', ours: 'same', updating: 'Change' });
  return {
    keys: new Set(planned.map(({ key }) => key)),
    forget() {
      const { portals: _portals, organization: _organization, ...rest } = status.recorded;
      status.recorded = {
        ...rest,
        ...(portals === undefined ? {} : { portals }),
        ...(organization === undefined ? {} : { organization }),
      };
    },
  };
}

/**
 * Points webhooks at the destination, as the plan says. If there is no destination yet, they wait for it. `planned`: the webhooks that status names
 * already, from before the creation of the destination.
 */
export async function applyWebhooks(
  context: ReconcileContext,
  desired: DesiredState,
  plan: Plan,
  destinationID: string | undefined,
  planned: ReadonlySet<string>,
): Promise<WebhooksResult> {
  const attachments = attachmentsOf(context, desired, plan);
  const isWaiting = (one: Attachment) =>
    one.step.kind === 'attach' && one.needsDestination && destinationID === undefined;

  const contested = new Map<Attachment, Problem>();
  for (const one of attachments) {
    const problem = isWaiting(one) ? undefined : contestedWebhook(context, one);
    if (problem !== undefined) contested.set(one, problem);
  }
  const toWrite = attachments.filter((one) => one.step.kind === 'attach' && !isWaiting(one) && !contested.has(one));
  await announce(context, toWrite, planned);
  const written: WrittenWebhook[] = [];
  const problems = await Promise.all(
    attachments.map(async (one) => {
      const problem = contested.get(one);
      if (problem !== undefined) return failed(one, problem);
      if (!isWaiting(one)) return applyWebhook(context, desired, one, destinationID ?? '', written);
      if (!mayBeAttached(one.recorded)) one.record({ state: 'pending', ours: 'same' });
      return undefined;
    }),
  ).finally(() => recordOutcomes(context, written));
  const fromPortals = desired.portals.map(({ problem }) => problem);
  const found = [...problems, ...fromPortals, ...desired.unresolved].filter((problem) => problem !== undefined);
  const portalsReady = countReady(context, desired, attachments, isWaiting);
  return { problems: found, portalsReady, waiting: attachments.filter(isWaiting).length };
}

/** Writes status before the webhooks: what each is about to be, and whose change that is. */
async function announce(
  context: ReconcileContext,
  toWrite: readonly Attachment[],
  planned: ReadonlySet<string>,
): Promise<void> {
  for (const one of toWrite) recordPending(one);
  // After a crash, the next process finds the destination by the record of its creation, and with it these webhooks.
  if (toWrite.every(({ key }) => planned.has(key))) return;
  const objects = toWrite.map(({ object }) => object).slice(0, 3);
  await beforeWrite(context, `attaching ${objects.join(', ')}`);
}

/** Returns the number of portals that are as spec wants them, or were so when Konnect last showed them. */
function countReady(
  { status }: ReconcileContext,
  desired: DesiredState,
  attachments: readonly Attachment[],
  isWaiting: (one: Attachment) => boolean,
): number {
  const keysOf = (some: readonly Attachment[]) => new Set(some.map(({ key }) => key));
  const waitingKeys = keysOf(attachments.filter(isWaiting));
  const unseenKeys = keysOf(attachments.filter(({ step }) => step.kind === 'unknown'));
  const isReady = ({ id, enabled }: DesiredState['portals'][number]) => {
    const key = `portal/${id}`;
    if (waitingKeys.has(key)) return false;
    const entry = status.recorded.portals?.find((portal) => portal.id === id);
    return entry?.state === (enabled ? 'on' : 'off') && (entry.reason === undefined || unseenKeys.has(key));
  };
  return desired.portals.filter(isReady).length;
}

/** Records what a write is about to set. A webhook that was attached before keeps its state. */
function recordPending(one: Attachment): void {
  const { step, recorded, enabled } = one;
  if (step.kind !== 'attach') return;
  // Status may not be written after the request. The change must not look like one by another client then.
  const updating = step.isForeign === true ? 'Correction' : (recorded?.updating ?? 'Change');
  if (one.isRecorded) {
    const { state = 'pending', reason, destinationID, applied } = recorded ?? {};
    // A read has shown that an unanswered write took effect, which pointed the webhook at another destination.
    const isSeen = destinationID !== undefined && destinationID === step.otherID;
    const last = isSeen && applied !== undefined ? { ...applied, destinationID } : undefined;
    one.record({ state, ...(reason === undefined ? {} : { reason }), ours: 'same', updating, applied: last });
    return;
  }
  const wasConfirmed = recorded !== undefined && wasAttached(recorded);
  const isOurs = ['enabled', 'switched off', 'inactive', 'settings'].includes(step.because);
  const before = enabled ? 'on' : 'off';
  one.record({
    state: wasConfirmed ? recorded.state : isOurs ? before : 'pending',
    ours: isOurs ? 'same' : 'desired',
    isBeforeWrite: true,
    updating,
  });
}

/** Returns a problem if other clients have changed the webhook too often. Clears the count if the webhook matches again. */
function contestedWebhook(context: ReconcileContext, one: Attachment): Problem | undefined {
  const { key, object, step, recorded } = one;
  // The object matches again without a correction: the conflict has ended.
  if (step.kind === 'keep' && recorded?.reason === reasons.contested)
    context.status.recorded = withoutCorrections(context.status.recorded, key);
  if (step.kind !== 'attach' || step.isForeign !== true) return undefined;
  return contestedProblem(context, key, object, effectOf(one, step));
}

/** Returns what the change of another client does to the logs of the webhook. */
function effectOf(
  { enabled }: Attachment,
  { because, otherID }: Extract<Attachment['step'], { kind: 'attach' }>,
): string {
  switch (because) {
    case 'enabled':
      return enabled ? 'it is switched off and sends no logs' : 'it is switched on and sends logs';
    case 'settings':
      return 'it sends its logs with other settings';
    case 'pointed elsewhere':
    case 'adopted':
    case 'handed over':
      return `it points at ${nameOther(otherID)}, and its logs do not go where this forwarding sends them`;
    case 'unconfigured':
    case 'destination gone':
    case 'switched off':
    case 'inactive':
      return 'it sends no logs';
  }
}

async function applyWebhook(
  context: ReconcileContext,
  desired: DesiredState,
  one: Attachment,
  destinationID: string,
  written: WrittenWebhook[],
): Promise<Problem | undefined> {
  const state = one.enabled ? 'on' : 'off';
  switch (one.step.kind) {
    case 'keep':
      one.record({ state, ours: 'desired', updatedAt: one.step.updatedAt });
      // The answer to the write was lost, and a read shows that it took effect.
      if (one.recorded?.updating === 'Correction') recordCorrected(context, one.key, `changed ${one.object}`);
      return undefined;
    case 'unknown':
      return failed(one, one.step.problem);
    case 'missing':
      return failed(one, one.missingProblem());
    case 'lost':
      return refused(one, claimedBy(one, one.step.to));
    case 'refuse':
      return refused(one, webhookInUse(one.step, one.object, one.field));
    case 'attach':
      return attach(context, desired, one, destinationID, written);
  }
}

async function attach(
  context: ReconcileContext,
  desired: DesiredState,
  one: Attachment,
  destinationID: string,
  written: WrittenWebhook[],
): Promise<Problem | undefined> {
  try {
    const updatedAt = await one.write(destinationID);
    one.record({ state: one.enabled ? 'on' : 'off', ours: 'desired', updatedAt, wasWritten: true });
  } catch (error) {
    if (!(error instanceof KonnectError) || context.signal.aborted) throw error;
    return failed(one, await diagnoseFailure(context, desired, one, destinationID, error));
  }
  written.push({ one, target: one.needsDestination ? `destination ${destinationID}` : 'the endpoint in its Secret' });
  return undefined;
}

function claimedBy({ object, field }: Attachment, owner: string): Problem {
  return stalled(
    reasons.claimed,
    `${object} belongs to AuditLogForwarding ${owner}: remove ${field} here, or the same webhook from that forwarding; the operator changed nothing`,
  );
}

/** Records a webhook that the operator leaves alone. */
function refused(one: Attachment, problem: Problem): Problem {
  one.record({ state: 'refused', reason: problem.reason, ours: 'none' });
  return problem;
}

/** Records a webhook whose call failed. What the operator knows about its owner stays as it was. */
function failed(one: Attachment, problem: Problem): Problem {
  const isConfirmed = one.recorded?.state === 'on' || one.recorded?.state === 'off';
  if (problem.severity === 'unavailable' && isConfirmed) return problem;
  one.record({ state: stateAfter(one, problem), reason: problem.reason, ours: 'same' });
  return problem;
}

/**
 * Returns the state after a failed call. It is never `pending` for a confirmed webhook, since that means it may never have been attached.
 * A failed read says nothing about what Konnect has, so the state stays as it was last seen.
 */
function stateAfter({ step, recorded }: Attachment, { severity }: Problem): PortalStatus['state'] {
  if (recorded !== undefined && wasAttached(recorded))
    return severity === 'stalled' && step.kind !== 'unknown' ? 'refused' : recorded.state;
  const mayBeSet = step.kind === 'attach' || mayBeAttached(recorded);
  return severity === 'stalled' && !mayBeSet ? 'refused' : 'pending';
}

/**
 * Returns the problem of a failed write. Konnect answers the same 404 (or 400 for the destination's field) for a missing destination and
 * for a missing portal, so the operator reads both.
 */
async function diagnoseFailure(
  context: ReconcileContext,
  desired: DesiredState,
  one: Attachment,
  destinationID: string,
  error: KonnectError,
): Promise<Problem> {
  const isAmbiguous = error.kind === 'NotFound' || error.refusedFields.includes('audit_log_destination_id');
  try {
    if (isAmbiguous && one.needsDestination) {
      const destination = await context.konnect.client.getDestination(desired.api, destinationID, context.signal);
      if (destination === undefined) {
        return waiting(
          reasons.creating,
          `destination ${destinationID} no longer exists in Konnect; the operator creates it again`,
        );
      }
    }
    if (isAmbiguous && !(await one.exists())) return one.missingProblem();
  } catch (readError) {
    if (!isKonnectError(readError)) throw readError;
    return problemOf(readError, one.object, context);
  }
  return problemOf(error, one.object, context);
}
