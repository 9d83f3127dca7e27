/** One pass: what is wanted is compared with what stands in Konnect, and put right. */
import type { CleanupStatus } from '../api/v1alpha1.ts';
import type { Health, Report } from '../status/conditions.ts';
import type { Memory } from '../status/draft.ts';
import { applyDestination } from './apply-destination.ts';
import { applyWebhooks } from './apply-webhooks.ts';
import { cleanUp } from './cleanup.ts';
import type { Desired } from './desired.ts';
import { settleIntent } from './intent.ts';
import { isView, release } from './memory.ts';
import { observe, orProblem, readViews } from './observed.ts';
import type { Pass } from './pass.ts';
import { plan } from './plan.ts';
import { type Problem, reasons, waiting, worstFirst } from './problems.ts';

export interface SyncOptions {
  readonly organizationID: string;
  readonly maxListAgeMs: number;
  /** How long after an intent a destination may be missing in lists although its POST was carried out. */
  readonly intentPatienceMs: number;
}

/** Leaves what is now true in `pass.draft.memory`, unwritten. Rejects with KubeError, or with what `signal` was aborted for. */
export async function sync(pass: Pass, desired: Desired, options: SyncOptions): Promise<Report> {
  const { draft } = pass;
  draft.memory = release(draft.memory, { ...desired, organizationID: options.organizationID });

  // The two views of the organisation's webhook are one setting: the old one is switched off before the new one is looked at.
  const isOldView = (entry: CleanupStatus) =>
    entry.kind === 'organization' && entry.region === desired.region && entry.api !== desired.api;
  const hadOldView = (draft.memory.cleanup ?? []).some(isOldView);
  const oldView = await cleanUp(pass, isOldView);
  const attainable = oldView.length === 0 ? desired : { ...desired, organization: undefined };

  const observed = await observe(pass, attainable, draft.memory, options.maxListAgeMs);
  const clock = { nowMs: pass.now().getTime(), intentPatienceMs: options.intentPatienceMs };
  const steps = plan(attainable, draft.memory, observed, clock);
  const destinationProblem = await applyDestination(pass, desired, steps.destination);
  const webhooks = await applyWebhooks(pass, attainable, steps);
  draft.memory = withPortalsReady(draft.memory, webhooks.portalsReady, desired.portals.length);

  const switched = hadOldView && oldView.length === 0 ? await switchProblem(pass, desired) : undefined;
  const problems = [...webhooks.problems, ...(switched === undefined ? [] : [switched])];

  const intent = desired.needsDestination ? undefined : await settleIntent(pass, desired.api, options.intentPatienceMs);
  const left = await cleanUp(pass, (entry) => !isOldView(entry) && !isView(entry, desired));
  return {
    secrets: { kind: 'good', reason: 'Resolved', message: 'every Secret and key is there' },
    destination: destinationHealth(pass, desired, destinationProblem),
    webhooks: webhooksHealth(desired, problems, webhooks.waiting),
    cleanup: health(
      [...oldView, ...left, ...(intent === undefined ? [] : [intent])],
      'Clean',
      'nothing is left to undo',
    ),
    readyMessage: `${webhooksInWords(desired)} ${forward(pass, desired)}`,
  };
}

function health(problems: readonly Problem[], reason: string, message: string): Health {
  return problems.length === 0 ? { kind: 'good', reason, message } : { kind: 'bad', troubles: worstFirst(problems) };
}

function destinationHealth({ draft }: Pass, desired: Desired, problem: Problem | undefined): Health {
  if (problem !== undefined) return health([problem], '', '');
  if (!desired.needsDestination) {
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

/** Such as `2 portals (1 off) and the organisation's webhook`. */
function webhooksInWords({ portals, organization }: Desired): string {
  const count = portals.length;
  const off = portals.filter(({ enabled }) => !enabled).length;
  const all = count === 1 ? '1 portal' : `${String(count)} portals`;
  const some = off === 0 ? '' : off === count ? ' (off)' : ` (${String(off)} off)`;
  const organizationInWords = `the organisation's webhook${organization?.enabled === false ? ' (off)' : ''}`;
  const both = [count === 0 ? '' : all + some, organization === undefined ? '' : organizationInWords];
  return both.filter((part) => part !== '').join(' and ');
}

function forward({ forwarding }: Pass, { portals, organization, needsDestination, settings }: Desired): string {
  const verb = portals.length + (organization === undefined ? 0 : 1) === 1 ? 'forwards' : 'forward';
  const { name } = forwarding.spec.destination.secretRef;
  return `${verb} to ${needsDestination ? `"${settings.name}"` : `the endpoint in Secret ${name}`}`;
}

function withPortalsReady(memory: Memory, ready: number, wanted: number): Memory {
  const { portalsReady: _before, ...rest } = memory;
  return wanted === 0 ? rest : { ...rest, portalsReady: `${String(ready)}/${String(wanted)}` };
}

/** After a change of `auditLogsAPI` both views of the organisation's webhook are read: the new one has to show it, the old one not. */
async function switchProblem(pass: Pass, desired: Desired): Promise<Problem | undefined> {
  const { organization: remembered, destination } = pass.draft.memory;
  if (desired.organization === undefined || remembered?.state === 'refused' || remembered?.state === 'pending')
    return undefined;
  const seen = await orProblem(pass, "the organisation's webhook", () => readViews(pass, desired.region));
  if ('kind' in seen) return seen.problem;
  const inline =
    seen.inline?.endpointDigest === desired.endpointDigest && seen.inline.enabled === desired.organization.enabled;
  const attached = seen.attached !== undefined && seen.attached === destination?.id;
  if (desired.api === 'v3' ? attached : inline && seen.attached === undefined) return undefined;
  const message = `the organisation's webhook does not show the change to ${desired.api} yet; looking again`;
  return waiting(reasons.applying, message);
}
