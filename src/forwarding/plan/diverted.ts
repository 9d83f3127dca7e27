/** Says which webhooks another client has switched off or pointed elsewhere. Pure. */
import { deliveryKeyOf } from '../../status/delivery.ts';
import { type RecordedState, wasAttached } from '../../status/recorded-state.ts';
import type { DesiredState } from '../desired/desired-state.ts';
import type { AttachReason, Plan, WebhookStep } from './steps.ts';

/** Their logs do not arrive at the endpoint that spec wants. With other settings they still do. */
const diverting: ReadonlySet<AttachReason> = new Set([
  'enabled',
  'unconfigured',
  'pointed elsewhere',
  'destination gone',
]);

/**
 * Returns the keys in `status.delivery` of the webhooks that spec wants to be on, and whose logs another client keeps away. What the
 * operator does itself, such as a move or a new Secret, diverts nothing.
 */
export function divertedBy(steps: Plan, desired: DesiredState, recorded: RecordedState): ReadonlySet<string> {
  const isDestinationDiverted = hasDivertedDestination(steps, recorded);
  const isDiverted = (step: WebhookStep | undefined, usesDestination: boolean, wasOurs: boolean) => {
    if (step?.kind === 'attach' && step.isForeign === true && diverting.has(step.because)) return true;
    const isOurs = step?.kind === 'keep' || step?.kind === 'attach';
    return isDestinationDiverted && usesDestination && wasOurs && isOurs;
  };
  const portals = desired.portals.filter(({ id, enabled }) => {
    const record = recorded.portals?.find((one) => one.id === id);
    return enabled && isDiverted(steps.portals.get(id), true, wasAttached(record));
  });
  const isOrganization =
    desired.organization?.enabled === true &&
    isDiverted(steps.organization, desired.api === 'v3', wasAttached(recorded.organization));
  return new Set([
    ...portals.map(({ id }) => deliveryKeyOf(id)),
    ...(isOrganization ? [deliveryKeyOf(undefined)] : []),
  ]);
}

/** Returns true if another client deleted the destination, or gave it another endpoint. */
function hasDivertedDestination({ destination: step }: Plan, { destination }: RecordedState): boolean {
  if (destination?.id === undefined || destination.managed === false) return false;
  if (step.kind === 'update') return step.foreign.includes('endpoint');
  return step.kind === 'create' || (step.kind === 'claim' && step.id !== destination.id);
}
