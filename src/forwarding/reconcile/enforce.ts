/** One pass: what is wanted is compared with what stands in Konnect, and put right. */
import type { CleanupStatus, Status } from '../../api/v1alpha1.ts';
import type { Health, Report } from '../../status/conditions.ts';
import { withoutAnyCorrections } from '../../status/corrections.ts';
import { holdsAnything, isView, release } from '../../status/recorded-state.ts';
import type { Memory } from '../../status/status-writer.ts';
import { applyDestination } from '../apply/apply-destination.ts';
import { applyWebhooks } from '../apply/apply-webhooks.ts';
import { cleanUp } from '../apply/cleanup.ts';
import { settleIntent } from '../apply/pending-creation.ts';
import type { WantedPortal } from '../desired/desired-portals.ts';
import type { Desired } from '../desired/desired-state.ts';
import { observe, orProblem, readViews } from '../observed/observe.ts';
import type { Rivals } from '../ownership/ownership.ts';
import { driftOf } from '../plan/drift.ts';
import { type DestinationStep, type Plan, plan, type WebhookStep } from '../plan/plan.ts';
import { type Problem, reasons, stalled, waiting, worstFirst } from '../problems.ts';
import { hold, type Pass } from '../reconcile-context.ts';

export interface SyncOptions {
  readonly organizationID: string;
  readonly maxListAgeMs: number;
  /** How long after an intent a destination may be missing in lists although its POST was carried out. */
  readonly intentPatienceMs: number;
  readonly rivals: Rivals;
}

export const secretsResolved: Health = { kind: 'good', reason: 'Resolved', message: 'every Secret and key is there' };

/** Shows nowhere: there is no condition of its own for it. */
export const nothingToUndo: Health = { kind: 'good', reason: '', message: '' };

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

async function look(pass: Pass, desired: Desired, memory: Status, options: SyncOptions): Promise<Plan> {
  const observed = await observe(pass, desired, memory, options.maxListAgeMs);
  return plan(desired, memory, observed, { ...options, ageMs: pass.ageMs });
}

/** Looks, writes nothing to Konnect, and leaves what differs in `status.drift`. */
export async function watchOnly(pass: Pass, desired: Desired, options: SyncOptions): Promise<Report> {
  const { draft } = pass;
  const needsOwn = desired.own !== undefined && desired.usesDestination;
  const released = release(draft.memory, { ...desired, needsOwn, organizationID: options.organizationID });
  const steps = await look(pass, desired, released, options);
  const drift = driftOf(steps, released);
  const { drift: _before, ...memory } = draft.memory;
  const isReady = ({ id, trouble }: WantedPortal) => trouble === undefined && steps.portals.get(id)?.kind === 'keep';
  const ready = desired.portals.filter(isReady).length;
  const konnect = memory.konnect ?? { organizationID: options.organizationID, region: desired.region };
  draft.memory = withPortalsReady({ ...memory, konnect, ...(drift.length === 0 ? {} : { drift }) }, ready, desired);
  const problems = observedProblems(desired, steps);
  const objects = drift.map(({ object, fields }) => `${object} (${fields.join(', ')})`).join('; ');
  return {
    secrets: secretsResolved,
    destination: health(problemOfStep('the destination', steps.destination), 'Observed', 'see status.drift'),
    webhooks: health(problems, 'Observed', 'see status.drift'),
    cleanup: nothingToUndo,
    readyMessage: `${webhooksInWords(desired)} ${forward(pass, desired)}`,
    ...(drift.length === 0 ? {} : { drifted: `mode is Observe, and Konnect differs: ${objects}` }),
  };
}

function observedProblems({ portals, unresolved }: Desired, steps: Plan): Problem[] {
  const ofPortals = portals.flatMap(({ id, field, trouble }) => {
    const step = steps.portals.get(id);
    const found = step === undefined ? [] : problemOfStep(`portal ${id}`, step, field);
    return trouble === undefined ? found : [trouble, ...(step?.kind === 'missing' ? [] : found)];
  });
  const { organization } = steps;
  const ofOrganization = organization === undefined ? [] : problemOfStep("the organization's webhook", organization);
  return [...ofPortals, ...unresolved, ...ofOrganization];
}

/** What keeps an observed object from being what is wanted, beside drift. */
function problemOfStep(object: string, step: DestinationStep | WebhookStep, field = ''): Problem[] {
  switch (step.kind) {
    case 'unknown':
      return [step.problem];
    case 'missing':
      return [
        stalled(
          reasons.portalNotFound,
          `${object} does not exist in this region, or the token may not see it: check ${field}`,
        ),
      ];
    case 'unresolved':
      return [
        stalled(
          reasons.destinationNotFound,
          `${object} that spec.destinationRef names is not there, or there are several`,
        ),
      ];
    case 'lost':
      return [stalled(reasons.claimed, `${object} belongs to AuditLogForwarding ${step.to}, which came first`)];
    case 'refuse':
      return [
        'ids' in step
          ? stalled(
              reasons.nameInUse,
              `${object}'s name belongs in Konnect to ${step.ids.slice(0, 5).join(', ')}, which this forwarding did not create`,
            )
          : stalled(
              reasons.webhookInUse,
              `${object} forwards to ${step.otherID ?? 'an endpoint'} that this forwarding did not set`,
            ),
      ];
    case 'keep':
    case 'none':
    case 'create':
    case 'claim':
    case 'update':
    case 'use':
    case 'wait':
    case 'attach':
      return [];
  }
}

function health(problems: readonly Problem[], reason: string, message: string): Health {
  return problems.length === 0 ? { kind: 'good', reason, message } : { kind: 'bad', troubles: worstFirst(problems) };
}

function destinationHealth({ draft }: Pass, desired: Desired, problem: Problem | undefined): Health {
  if (problem !== undefined) return health([problem], '', '');
  if (!desired.usesDestination) {
    return { kind: 'good', reason: 'NotNeeded', message: 'v2 sends the endpoint with the webhook itself' };
  }
  const { destination } = draft.memory;
  if (destination?.id === undefined) {
    return { kind: 'unchecked', message: 'is created once there is a webhook to attach it to' };
  }
  return { kind: 'good', reason: 'InPlace', message: `destination ${destination.id} is as wanted` };
}

function webhooksHealth(desired: Desired, problems: readonly Problem[], waitingForDestination: number): Health {
  if (problems.length > 0) return health(problems, '', '');
  if (waitingForDestination > 0)
    return { kind: 'unchecked', message: 'wait for the destination, see DestinationReady' };
  return { kind: 'good', reason: 'Attached', message: `${webhooksInWords(desired)} attached` };
}

/** Such as `2 portals (1 off) and the organization's webhook`. */
function webhooksInWords({ portals, organization }: Desired): string {
  const count = portals.length;
  const off = portals.filter(({ enabled }) => !enabled).length;
  const all = count === 1 ? '1 portal' : `${String(count)} portals`;
  const some = off === 0 ? '' : off === count ? ' (off)' : ` (${String(off)} off)`;
  const organizationInWords = `the organization's webhook${organization?.enabled === false ? ' (off)' : ''}`;
  const both = [count === 0 ? '' : all + some, organization === undefined ? '' : organizationInWords];
  return both.filter((part) => part !== '').join(' and ');
}

function forward({ forwarding }: Pass, { portals, organization, usesDestination, own, reference }: Desired): string {
  const verb = portals.length + (organization === undefined ? 0 : 1) === 1 ? 'forwards' : 'forward';
  if (reference !== undefined) return `${verb} to destination ${reference.id ?? `"${reference.name ?? ''}"`}`;
  if (usesDestination) return `${verb} to "${own?.settings.name ?? ''}"`;
  return `${verb} to the endpoint in Secret ${forwarding.spec.destination?.secretRef.name ?? ''}`;
}

function withPortalsReady(memory: Memory, ready: number, { portals, unresolved }: Desired): Memory {
  const { portalsReady: _before, ...rest } = memory;
  const wanted = portals.length + unresolved.length;
  return wanted === 0 ? rest : { ...rest, portalsReady: `${String(ready)}/${String(wanted)}` };
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
