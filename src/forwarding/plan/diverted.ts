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

/** How another client keeps the logs of a webhook away. If it only switched the webhook off, Konnect's status is about the right endpoint. */
export type Diversion = 'off' | 'elsewhere';

/**
 * Returns the webhooks that spec wants to be on, and whose logs another client keeps away, by their key in `status.delivery`. What the
 * operator does itself, such as a move or a new Secret, diverts nothing.
 */
export function divertedBy(
  steps: Plan,
  desired: DesiredState,
  recorded: RecordedState,
): ReadonlyMap<string, Diversion> {
  const isDestinationDiverted = hasDivertedDestination(steps, recorded);
  const diversionOf = (
    step: WebhookStep | undefined,
    usesDestination: boolean,
    wasOurs: boolean,
  ): Diversion | undefined => {
    const isOurs = step?.kind === 'keep' || step?.kind === 'attach';
    if (isDestinationDiverted && usesDestination && wasOurs && isOurs) return 'elsewhere';
    if (step?.kind !== 'attach' || step.isForeign !== true || !diverting.has(step.because)) return undefined;
    return step.because === 'enabled' ? 'off' : 'elsewhere';
  };
  const diverted = new Map<string, Diversion>();
  const add = (portalID: string | undefined, diversion: Diversion | undefined) => {
    if (diversion !== undefined) diverted.set(deliveryKeyOf(portalID), diversion);
  };
  for (const { id } of desired.portals.filter(({ enabled }) => enabled)) {
    const record = recorded.portals?.find((one) => one.id === id);
    add(id, diversionOf(steps.portals.get(id), true, wasAttached(record)));
  }
  if (desired.organization?.enabled === true)
    add(undefined, diversionOf(steps.organization, desired.api === 'v3', wasAttached(recorded.organization)));
  return diverted;
}

/** Returns true if another client deleted the destination, or gave it another endpoint. */
function hasDivertedDestination({ destination: step }: Plan, { destination }: RecordedState): boolean {
  if (destination?.id === undefined || destination.managed === false) return false;
  if (step.kind === 'update') return step.foreign.includes('endpoint');
  return step.kind === 'create' || (step.kind === 'claim' && step.id !== destination.id);
}
