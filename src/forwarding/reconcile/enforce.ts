/** Reconciles with `mode: Enforce`: observes, plans and applies. */

import type { CleanupStatus } from '../../api/v1alpha1.ts';
import { withAdoptions } from '../../status/adoptions.ts';
import type { Report } from '../../status/conditions.ts';
import { withoutAnyCorrections } from '../../status/corrections.ts';
import { withSwitchOns } from '../../status/delivery.ts';
import { isView, moveUnwantedToCleanup, ownsAnything } from '../../status/recorded-state.ts';
import { applyDestination } from '../apply/apply-destination.ts';
import { applyWebhooks, recordPlanned, type WebhooksResult } from '../apply/apply-webhooks.ts';
import { cleanUp } from '../apply/cleanup.ts';
import { resolvePendingCreation } from '../apply/pending-creation.ts';
import { type DesiredState, needsOwn, scopeOf } from '../desired/desired-state.ts';
import { readViews } from '../observed/observe-webhooks.ts';
import { adoptionChanges } from '../plan/adoption.ts';
import { divertedBy } from '../plan/diverted.ts';
import { switchedOnBy } from '../plan/plan-switch-on.ts';
import { orProblem, type Problem, reasons, waiting } from '../problems.ts';
import { ensureFinalizer, type ReconcileContext } from '../reconcile-context.ts';
import { recordDeliveries } from './delivery-report.ts';
import { openGaps } from './gap-recovery.ts';
import {
  destinationHealth,
  forwardingTo,
  health,
  nothingToUndo,
  secretsResolved,
  unseenInWords,
  webhooksHealth,
  webhooksInWords,
  withPortalsReady,
} from './health-report.ts';
import { type DeliveryPlan, observeAndPlan, type PlanOptions } from './observe-and-plan.ts';

/** Applies what spec wants and returns the report. Changes `context.status.recorded` without writing the outcome. Rejects with KubeError. */
export async function enforce(context: ReconcileContext, desired: DesiredState, options: PlanOptions): Promise<Report> {
  const { status } = context;
  const before = status.recorded;
  leaveUnwanted(context, desired, options.organizationID);
  const { isHere, isOldView, isNewView } = cleanupOf(desired, options.organizationID);
  const { oldView, reachable, hasLeftInline } = await leaveOldView(context, desired, isOldView);
  const planOptions = { ...options, hasLeftInline, mayWrite: true };
  const steps = await observeAndPlan(context, reachable, status.recorded, planOptions);
  const diverted = divertedBy(steps, reachable, status.recorded);
  await openGaps(context, steps, diverted);
  const { webhooks, destinationProblem } = await applyPlan(context, desired, reachable, steps);
  const isDestinationRight = destinationProblem === undefined;
  const deliveryOptions = { before, mayWrite: true, diverted, isDestinationRight };
  const delivery = await recordDeliveries(context, desired, steps, deliveryOptions);
  const switched = hasLeftInline ? await switchProblem(context, desired) : undefined;
  const creation = await leaveCreation(context, desired, options);
  // The webhooks of another region or organization stay until their replacement is in place, so that forwarding never stops.
  const isReplaced = webhooks.problems.length === 0 && isDestinationRight;
  const isDue = (entry: CleanupStatus) => !isOldView(entry) && !isNewView(entry) && (isReplaced || isHere(entry));
  const left = await cleanUp(context, isDue);
  // A webhook that already matched needed no write, and therefore got no finalizer yet.
  if (ownsAnything(status.recorded)) await ensureFinalizer(context);
  const unfinished = [...oldView, ...left, ...(creation ?? [])];
  return {
    secrets: secretsResolved,
    destination: destinationHealth(context, desired, destinationProblem),
    webhooks: webhooksHealth(desired, [...webhooks.problems, ...(switched ?? [])], webhooks.waiting),
    cleanup: unfinished.length === 0 ? nothingToUndo : health(unfinished, '', ''),
    readyMessage: `${webhooksInWords(desired)} ${forwardingTo(context, desired)}${unseenInWords(status.recorded)}`,
    delivery,
  };
}

/** Moves what spec no longer wants into `cleanup`, and forgets the corrections of another spec. */
function leaveUnwanted({ status, wasApplied }: ReconcileContext, desired: DesiredState, organizationID: string): void {
  const { drift: _observed, ...recorded } = status.recorded;
  status.recorded = moveUnwantedToCleanup(recorded, scopeOf(desired, organizationID));
  if (!wasApplied) status.recorded = withoutAnyCorrections(status.recorded);
}

/**
 * Removes the old view of the organization's webhook before the operator reads the new one, since both are one setting. Returns the problems,
 * and what spec wants without what cannot be read yet.
 */
async function leaveOldView(
  context: ReconcileContext,
  desired: DesiredState,
  isOldView: IsEntry,
): Promise<{ oldView: readonly Problem[]; reachable: DesiredState; hasLeftInline: boolean }> {
  const hadOldView = (context.status.recorded.cleanup ?? []).some(isOldView);
  const oldView = await cleanUp(context, isOldView);
  const isLeft = oldView.length === 0;
  if (hadOldView && isLeft) recordSwitch(context, desired);
  const reachable = isLeft ? desired : { ...desired, organization: undefined };
  return { oldView, reachable, hasLeftInline: hadOldView && isLeft };
}

/** Records that the operator is about to attach the organization's webhook in the other API version, so that no other forwarding takes it. */
function recordSwitch({ status }: ReconcileContext, { api, organization }: DesiredState): void {
  if (organization === undefined || status.recorded.organization !== undefined) return;
  const { enabled } = organization;
  status.recorded = { ...status.recorded, organization: { api, enabled, state: 'pending', updating: 'Change' } };
}

type IsEntry = (entry: CleanupStatus) => boolean;

/** Tells apart the entries of `cleanup`: those in this region and organization, and of these the views of the organization's webhook. */
function cleanupOf(
  desired: DesiredState,
  organizationID: string,
): { isHere: IsEntry; isOldView: IsEntry; isNewView: IsEntry } {
  const isHere: IsEntry = (entry) => entry.region === desired.region && entry.organizationID === organizationID;
  return {
    isHere,
    isOldView: (entry) => entry.kind === 'organization' && isHere(entry) && entry.api !== desired.api,
    isNewView: (entry) => isView(entry, scopeOf(desired, organizationID)),
  };
}

/** Applies the steps, the destination first. `reachable` is what spec wants without what cannot be read yet. */
async function applyPlan(
  context: ReconcileContext,
  desired: DesiredState,
  reachable: DesiredState,
  steps: DeliveryPlan,
): Promise<{ webhooks: WebhooksResult; destinationProblem: Problem | undefined }> {
  const { status, now } = context;
  status.recorded = withSwitchOns(status.recorded, switchedOnBy(steps), now());
  status.recorded = withAdoptions(status.recorded, adoptionChanges(steps, desired), now());
  const planned = recordPlanned(context, reachable, steps);
  const destinationProblem = await applyDestination(context, desired, steps.destination);
  if (destinationProblem !== undefined) planned.forget();
  // If a creation failed, the destination in status no longer exists.
  const isGone = steps.destination.kind === 'create' && destinationProblem !== undefined;
  const destinationID = isGone ? undefined : status.recorded.destination?.id;
  const webhooks = await applyWebhooks(context, reachable, steps, destinationID, planned.keys);
  status.recorded = withPortalsReady(status.recorded, webhooks.portalsReady, desired);
  return { webhooks, destinationProblem };
}

/** Ends a pending creation of a destination that spec no longer wants. */
async function leaveCreation(
  context: ReconcileContext,
  desired: DesiredState,
  { pendingCreationTimeoutMs }: PlanOptions,
): Promise<readonly Problem[] | undefined> {
  if (needsOwn(desired)) return undefined;
  const problem = await resolvePendingCreation(context, desired.api, pendingCreationTimeoutMs);
  return problem === undefined ? undefined : [problem];
}

/**
 * Returns a problem if the organization's webhook is not in place yet after a change of `auditLogsAPI`: the new view has to show it, and
 * the old view of v3 must be empty.
 */
async function switchProblem(
  context: ReconcileContext,
  desired: DesiredState,
): Promise<readonly Problem[] | undefined> {
  const { organization: recorded, destination } = context.status.recorded;
  if (desired.organization === undefined || recorded?.state === 'refused' || recorded?.state === 'pending')
    return undefined;
  const seen = await orProblem(context, "the organization's webhook", () => readViews(context, desired.region));
  if ('kind' in seen) return [seen.problem];
  const inline =
    seen.inline !== undefined &&
    seen.inline.endpointDigest === desired.own?.endpointDigest &&
    seen.inline.enabled === desired.organization.enabled;
  const attached =
    seen.attached?.destinationID !== undefined &&
    seen.attached.destinationID === destination?.id &&
    seen.attached.enabled === desired.organization.enabled;
  if (desired.api === 'v3' ? attached : inline && seen.attached?.destinationID === undefined) return undefined;
  const message = `Konnect does not show the organization's webhook in ${desired.api} yet; the operator checks again`;
  return [waiting(reasons.applying, message)];
}
