/** Reconciles with `mode: Observe`: reads, compares and reports. It writes nothing to Konnect. */
import type { Report } from '../../status/conditions.ts';
import { moveUnwantedToCleanup } from '../../status/recorded-state.ts';
import { type DesiredState, scopeOf, type WantedPortal } from '../desired/desired-state.ts';
import { nameInUse, webhookInUse } from '../plan/adoption.ts';
import { divertedBy } from '../plan/diverted.ts';
import { driftOf } from '../plan/drift.ts';
import { destinationNotFound, type Lookup, portalNotFound } from '../plan/not-found.ts';
import type { DestinationStep, Plan, WebhookStep } from '../plan/steps.ts';
import { type Problem, reasons, stalled } from '../problems.ts';
import type { ReconcileContext } from '../reconcile-context.ts';
import { recordDeliveries } from './delivery-report.ts';
import { openGaps } from './gap-recovery.ts';
import {
  forwardingTo,
  health,
  nothingToUndo,
  secretsResolved,
  webhooksInWords,
  withPortalsReady,
} from './health-report.ts';
import { observeAndPlan, type PlanOptions } from './observe-and-plan.ts';

/** Returns the problem that a step is for `object`, if it is not drift. `field` names it in spec. */
function problemOfStep(object: string, step: DestinationStep | WebhookStep | undefined, field = ''): Problem[] {
  switch (step?.kind) {
    case 'unknown':
      return [step.problem];
    case 'lost':
      return [
        stalled(
          reasons.claimed,
          `${object} belongs to AuditLogForwarding ${step.to}: change spec of one of the two forwardings`,
        ),
      ];
    case 'refuse':
      return ['ids' in step ? nameInUse(step) : webhookInUse(step, object, field)];
    case 'missing':
    case 'unresolved':
    case 'keep':
    case 'none':
    case 'create':
    case 'claim':
    case 'update':
    case 'use':
    case 'wait':
    case 'attach':
    case undefined:
      return [];
  }
}

function destinationProblems(desired: DesiredState, { destination }: Plan, lookup: Lookup): Problem[] {
  return destination.kind === 'unresolved'
    ? [destinationNotFound(desired, destination.ids, lookup)]
    : problemOfStep('the destination', destination);
}

function webhookProblems({ portals, unresolved, region }: DesiredState, steps: Plan, lookup: Lookup): Problem[] {
  const ofPortals = portals.flatMap((portal) => {
    const { id, field, problem } = portal;
    const step = steps.portals.get(id);
    if (step?.kind === 'missing') return [problem ?? portalNotFound(portal, region, lookup)];
    return [...(problem === undefined ? [] : [problem]), ...problemOfStep(`portal ${id}`, step, field)];
  });
  const ofOrganization = problemOfStep("the organization's webhook", steps.organization, 'spec.organization');
  return [...ofPortals, ...unresolved, ...ofOrganization];
}

/** Returns the number of portals that are as spec wants them. Undefined if Konnect does not show all of them. */
function countReady({ portals }: DesiredState, steps: Plan): number | undefined {
  const isReady = ({ id, problem }: WantedPortal) => problem === undefined && steps.portals.get(id)?.kind === 'keep';
  const isUnseen = [...steps.portals.values()].some(({ kind }) => kind === 'unknown');
  return isUnseen ? undefined : portals.filter(isReady).length;
}

/** Records what differs in `status.drift`, and returns the report. */
export async function observeOnly(
  context: ReconcileContext,
  desired: DesiredState,
  options: PlanOptions,
): Promise<Report> {
  const { status } = context;
  const withCleanup = moveUnwantedToCleanup(status.recorded, scopeOf(desired, options.organizationID));
  const steps = await observeAndPlan(context, desired, withCleanup, { ...options, mayWrite: false });
  const drift = driftOf(steps, withCleanup);
  const { drift: _before, ...recorded } = status.recorded;
  const konnect = recorded.konnect ?? { organizationID: options.organizationID, region: desired.region };
  status.recorded = withPortalsReady(
    { ...recorded, konnect, ...(drift.length === 0 ? {} : { drift }) },
    countReady(desired, steps),
    desired,
  );
  const diverted = divertedBy(steps, desired, withCleanup);
  await openGaps(context, steps, diverted);
  const deliveryOptions = { before: recorded, mayWrite: false, diverted, isDestinationRight: false };
  const delivery = await recordDeliveries(context, desired, steps, deliveryOptions);
  const lookup = { status: { recorded: withCleanup }, tokenSource: context.tokenSource };
  const objects = drift.map(({ object, fields }) => `${object} (${fields.join(', ')})`).join('; ');
  return {
    secrets: secretsResolved,
    destination: health(destinationProblems(desired, steps, lookup), 'Observed', 'see status.drift'),
    webhooks: health(webhookProblems(desired, steps, lookup), 'Observed', 'see status.drift'),
    cleanup: nothingToUndo,
    readyMessage: `${webhooksInWords(desired)} ${forwardingTo(context, desired)}`,
    delivery,
    ...(drift.length === 0 ? {} : { drifted: `spec.mode is Observe, and Konnect differs from spec: ${objects}` }),
  };
}
