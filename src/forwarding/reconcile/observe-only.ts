/** Reconciles with `mode: Observe`: reads, compares and reports. It writes nothing to Konnect. */
import type { Report } from '../../status/conditions.ts';
import { moveUnwantedToCleanup } from '../../status/recorded-state.ts';
import type { DesiredState, WantedPortal } from '../desired/desired-state.ts';
import { nameInUse, webhookInUse } from '../plan/adoption.ts';
import { driftOf } from '../plan/drift.ts';
import type { DestinationStep, Plan, WebhookStep } from '../plan/steps.ts';
import { type Problem, reasons, stalled } from '../problems.ts';
import type { ReconcileContext } from '../reconcile-context.ts';
import {
  forwardingTo,
  health,
  nothingToUndo,
  secretsResolved,
  webhooksInWords,
  withPortalsReady,
} from './health-report.ts';
import { observeAndPlan, type PlanOptions } from './observe-and-plan.ts';

/** Returns the problem that a step is for `object`, if it is not drift. */
export function problemOfStep(object: string, step: DestinationStep | WebhookStep, field = ''): Problem[] {
  switch (step.kind) {
    case 'unknown':
      return [step.problem];
    case 'missing':
      return [
        stalled(
          reasons.portalNotFound,
          `${object} does not exist in this region, or the token may not see it: check ${field}, spec.konnect.region and the token's roles`,
        ),
      ];
    case 'unresolved':
      return [
        stalled(
          reasons.destinationNotFound,
          `spec.destinationRef matches no destination in Konnect, or several: correct it`,
        ),
      ];
    case 'lost':
      return [
        stalled(
          reasons.claimed,
          `${object} belongs to AuditLogForwarding ${step.to}: change spec of one of the two forwardings`,
        ),
      ];
    case 'refuse':
      return ['ids' in step ? nameInUse(step) : webhookInUse(step, object, field)];
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

/** Returns the problems with the webhooks. */
export function observedProblems({ portals, unresolved }: DesiredState, steps: Plan): Problem[] {
  const ofPortals = portals.flatMap(({ id, field, problem }) => {
    const step = steps.portals.get(id);
    const found = step === undefined ? [] : problemOfStep(`portal ${id}`, step, field);
    return problem === undefined ? found : [problem, ...(step?.kind === 'missing' ? [] : found)];
  });
  const { organization } = steps;
  const ofOrganization =
    organization === undefined ? [] : problemOfStep("the organization's webhook", organization, 'spec.organization');
  return [...ofPortals, ...unresolved, ...ofOrganization];
}

/** Records what differs in `status.drift`, and returns the report. */
export async function observeOnly(
  context: ReconcileContext,
  desired: DesiredState,
  options: PlanOptions,
): Promise<Report> {
  const { status } = context;
  const needsOwn = desired.own !== undefined && desired.usesDestination;
  const withCleanup = moveUnwantedToCleanup(status.recorded, {
    ...desired,
    needsOwn,
    organizationID: options.organizationID,
  });
  const steps = await observeAndPlan(context, desired, withCleanup, { ...options, mayWrite: false });
  const drift = driftOf(steps, withCleanup);
  const { drift: _before, ...recorded } = status.recorded;
  const isReady = ({ id, problem }: WantedPortal) => problem === undefined && steps.portals.get(id)?.kind === 'keep';
  const ready = desired.portals.filter(isReady).length;
  const konnect = recorded.konnect ?? { organizationID: options.organizationID, region: desired.region };
  status.recorded = withPortalsReady(
    { ...recorded, konnect, ...(drift.length === 0 ? {} : { drift }) },
    ready,
    desired,
  );
  const problems = observedProblems(desired, steps);
  const objects = drift.map(({ object, fields }) => `${object} (${fields.join(', ')})`).join('; ');
  return {
    secrets: secretsResolved,
    destination: health(problemOfStep('the destination', steps.destination), 'Observed', 'see status.drift'),
    webhooks: health(problems, 'Observed', 'see status.drift'),
    cleanup: nothingToUndo,
    readyMessage: `${webhooksInWords(desired)} ${forwardingTo(context, desired)}`,
    ...(drift.length === 0 ? {} : { drifted: `spec.mode is Observe, and Konnect differs from spec: ${objects}` }),
  };
}
