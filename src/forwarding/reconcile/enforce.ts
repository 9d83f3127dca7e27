/** One pass: what is wanted is compared with what stands in Konnect, and put right. */

import type { CleanupStatus } from '../../api/v1alpha1.ts';
import type { Report } from '../../status/conditions.ts';
import { withoutAnyCorrections } from '../../status/corrections.ts';
import type { RecordedState } from '../../status/recorded-state.ts';
import { isView, moveUnwantedToCleanup, ownsAnything } from '../../status/recorded-state.ts';
import { applyDestination } from '../apply/apply-destination.ts';
import { applyWebhooks } from '../apply/apply-webhooks.ts';
import { cleanUp } from '../apply/cleanup.ts';
import { resolvePendingCreation } from '../apply/pending-creation.ts';
import type { DesiredState } from '../desired/desired-state.ts';
import { observe } from '../observed/observe.ts';
import { readViews } from '../observed/observe-webhooks.ts';
import type { Ownership } from '../ownership/ownership.ts';
import { plan } from '../plan/plan.ts';
import { type Plan } from '../plan/steps.ts';
import { orProblem, type Problem, reasons, waiting } from '../problems.ts';
import { ensureFinalizer, type ReconcileContext } from '../reconcile-context.ts';
import {
  destinationHealth,
  forward,
  health,
  nothingToUndo,
  secretsResolved,
  webhooksHealth,
  webhooksInWords,
  withPortalsReady,
} from './health-report.ts';

export interface EnforceOptions {
  readonly organizationID: string;
  readonly maxListAgeMs: number;
  /** How long after an intent a destination may be missing in lists although its POST was carried out. */
  readonly pendingCreationTimeoutMs: number;
  readonly ownership: Ownership;
}

/** Leaves what is now true in `pass.draft.memory`, unwritten. Rejects with KubeError, or with what `signal` was aborted for. */
export async function enforce(
  context: ReconcileContext,
  desired: DesiredState,
  options: EnforceOptions,
): Promise<Report> {
  const { status } = context;
  const needsOwn = desired.own !== undefined && desired.usesDestination;
  const { drift: _observed, ...remembered } = status.recorded;
  status.recorded = moveUnwantedToCleanup(remembered, { ...desired, needsOwn, organizationID: options.organizationID });
  if (!context.wasApplied) status.recorded = withoutAnyCorrections(status.recorded);

  // The two views of the organization's webhook are one setting: the old one is switched off before the new one is looked at.
  const { organizationID } = options;
  const isHere = (entry: CleanupStatus) => entry.region === desired.region && entry.organizationID === organizationID;
  const isOldView = (entry: CleanupStatus) =>
    entry.kind === 'organization' && isHere(entry) && entry.api !== desired.api;
  const hadOldView = (status.recorded.cleanup ?? []).some(isOldView);
  const oldView = await cleanUp(context, isOldView);
  const attainable = oldView.length === 0 ? desired : { ...desired, organization: undefined };

  const steps = await observeAndPlan(context, attainable, status.recorded, options);
  const destinationProblem = await applyDestination(context, desired, steps.destination);
  // Where it was to be made, and was not, status names what is gone.
  const isGone = steps.destination.kind === 'create' && destinationProblem !== undefined;
  const destinationID = isGone ? undefined : status.recorded.destination?.id;
  const webhooks = await applyWebhooks(context, attainable, steps, destinationID);
  status.recorded = withPortalsReady(status.recorded, webhooks.portalsReady, desired);

  const switched = hadOldView && oldView.length === 0 ? await switchProblem(context, desired) : undefined;
  const problems = [...webhooks.problems, ...(switched === undefined ? [] : [switched])];

  const intent = needsOwn
    ? undefined
    : await resolvePendingCreation(context, desired.api, options.pendingCreationTimeoutMs);
  // What stands in another region or organization goes on until its replacement is in place: no moment without forwarding.
  const isReplaced = webhooks.problems.length === 0 && destinationProblem === undefined;
  const left = await cleanUp(
    context,
    (entry) => !isOldView(entry) && !isView(entry, { ...desired, organizationID }) && (isReplaced || isHere(entry)),
  );
  // What was found to be as wanted is ours without a write.
  if (ownsAnything(status.recorded)) await ensureFinalizer(context);
  const undone = [...oldView, ...left, ...(intent === undefined ? [] : [intent])];
  return {
    secrets: secretsResolved,
    destination: destinationHealth(context, desired, destinationProblem),
    webhooks: webhooksHealth(desired, problems, webhooks.waiting),
    cleanup: undone.length === 0 ? nothingToUndo : health(undone, '', ''),
    readyMessage: `${webhooksInWords(desired)} ${forward(context, desired)}`,
  };
}

export async function observeAndPlan(
  context: ReconcileContext,
  desired: DesiredState,
  recorded: RecordedState,
  options: EnforceOptions,
): Promise<Plan> {
  const observed = await observe(context, desired, recorded, options.maxListAgeMs);
  return plan(desired, recorded, observed, { ...options, ageMs: context.ageMs });
}

/** After a change of `auditLogsAPI` both views of the organization's webhook are read: the new one has to show it, the old one not. */
async function switchProblem(context: ReconcileContext, desired: DesiredState): Promise<Problem | undefined> {
  const { organization: remembered, destination } = context.status.recorded;
  if (desired.organization === undefined || remembered?.state === 'refused' || remembered?.state === 'pending')
    return undefined;
  const seen = await orProblem(context, "the organization's webhook", () => readViews(context, desired.region));
  if ('kind' in seen) return seen.problem;
  const inline =
    seen.inline !== undefined &&
    seen.inline.endpointDigest === desired.own?.endpointDigest &&
    seen.inline.enabled === desired.organization.enabled;
  const attached = seen.attached !== undefined && seen.attached === destination?.id;
  if (desired.api === 'v3' ? attached : inline && seen.attached === undefined) return undefined;
  const message = `the organization's webhook does not show the change to ${desired.api} yet; looking again`;
  return waiting(reasons.applying, message);
}
