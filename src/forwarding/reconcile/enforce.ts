/** One pass: what is wanted is compared with what stands in Konnect, and put right. */
import type { CleanupStatus, Status } from '../../api/v1alpha1.ts';
import type { Report } from '../../status/conditions.ts';
import { withoutAnyCorrections } from '../../status/corrections.ts';
import { holdsAnything, isView, release } from '../../status/recorded-state.ts';
import { applyDestination } from '../apply/apply-destination.ts';
import { applyWebhooks } from '../apply/apply-webhooks.ts';
import { cleanUp } from '../apply/cleanup.ts';
import { settleIntent } from '../apply/pending-creation.ts';
import type { Desired } from '../desired/desired-state.ts';
import { observe } from '../observed/observe.ts';
import { readViews } from '../observed/observe-webhooks.ts';
import type { Rivals } from '../ownership/ownership.ts';
import { plan } from '../plan/plan.ts';
import { type Plan } from '../plan/steps.ts';
import { orProblem, type Problem, reasons, waiting } from '../problems.ts';
import { hold, type Pass } from '../reconcile-context.ts';
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

export interface SyncOptions {
  readonly organizationID: string;
  readonly maxListAgeMs: number;
  /** How long after an intent a destination may be missing in lists although its POST was carried out. */
  readonly intentPatienceMs: number;
  readonly rivals: Rivals;
}

/** Leaves what is now true in `pass.draft.memory`, unwritten. Rejects with KubeError, or with what `signal` was aborted for. */
export async function sync(pass: Pass, desired: Desired, options: SyncOptions): Promise<Report> {
  const { draft } = pass;
  const needsOwn = desired.own !== undefined && desired.usesDestination;
  const { drift: _observed, ...remembered } = draft.memory;
  draft.memory = release(remembered, { ...desired, needsOwn, organizationID: options.organizationID });
  if (!pass.wasApplied) draft.memory = withoutAnyCorrections(draft.memory);

  // The two views of the organization's webhook are one setting: the old one is switched off before the new one is looked at.
  const { organizationID } = options;
  const isHere = (entry: CleanupStatus) => entry.region === desired.region && entry.organizationID === organizationID;
  const isOldView = (entry: CleanupStatus) =>
    entry.kind === 'organization' && isHere(entry) && entry.api !== desired.api;
  const hadOldView = (draft.memory.cleanup ?? []).some(isOldView);
  const oldView = await cleanUp(pass, isOldView);
  const attainable = oldView.length === 0 ? desired : { ...desired, organization: undefined };

  const steps = await look(pass, attainable, draft.memory, options);
  const destinationProblem = await applyDestination(pass, desired, steps.destination);
  // Where it was to be made, and was not, status names what is gone.
  const isGone = steps.destination.kind === 'create' && destinationProblem !== undefined;
  const destinationID = isGone ? undefined : draft.memory.destination?.id;
  const webhooks = await applyWebhooks(pass, attainable, steps, destinationID);
  draft.memory = withPortalsReady(draft.memory, webhooks.portalsReady, desired);

  const switched = hadOldView && oldView.length === 0 ? await switchProblem(pass, desired) : undefined;
  const problems = [...webhooks.problems, ...(switched === undefined ? [] : [switched])];

  const intent = needsOwn ? undefined : await settleIntent(pass, desired.api, options.intentPatienceMs);
  // What stands in another region or organization goes on until its replacement is in place: no moment without forwarding.
  const isReplaced = webhooks.problems.length === 0 && destinationProblem === undefined;
  const left = await cleanUp(
    pass,
    (entry) => !isOldView(entry) && !isView(entry, { ...desired, organizationID }) && (isReplaced || isHere(entry)),
  );
  // What was found to be as wanted is ours without a write.
  if (holdsAnything(draft.memory)) await hold(pass);
  const undone = [...oldView, ...left, ...(intent === undefined ? [] : [intent])];
  return {
    secrets: secretsResolved,
    destination: destinationHealth(pass, desired, destinationProblem),
    webhooks: webhooksHealth(desired, problems, webhooks.waiting),
    cleanup: undone.length === 0 ? nothingToUndo : health(undone, '', ''),
    readyMessage: `${webhooksInWords(desired)} ${forward(pass, desired)}`,
  };
}

export async function look(pass: Pass, desired: Desired, memory: Status, options: SyncOptions): Promise<Plan> {
  const observed = await observe(pass, desired, memory, options.maxListAgeMs);
  return plan(desired, memory, observed, { ...options, ageMs: pass.ageMs });
}

/** After a change of `auditLogsAPI` both views of the organization's webhook are read: the new one has to show it, the old one not. */
async function switchProblem(pass: Pass, desired: Desired): Promise<Problem | undefined> {
  const { organization: remembered, destination } = pass.draft.memory;
  if (desired.organization === undefined || remembered?.state === 'refused' || remembered?.state === 'pending')
    return undefined;
  const seen = await orProblem(pass, "the organization's webhook", () => readViews(pass, desired.region));
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
