/** Turns the outcome of each step into the health of a part, with its message. */
import type { Health, Report } from '../../status/conditions.ts';
import { type Problem as StatusProblem, worstFirst } from '../../status/problem.ts';
import type { RecordedState } from '../../status/recorded-state.ts';
import { objectOf } from '../apply/cleanup.ts';
import type { DesiredState } from '../desired/desired-state.ts';
import { type Problem } from '../problems.ts';
import type { ReconcileContext } from '../reconcile-context.ts';

export const secretsResolved: Health = { kind: 'good', reason: 'Resolved', message: 'every Secret and key exists' };
/** The health of `cleanup` if it is empty. It has no condition of its own. */
export const nothingToUndo: Health = { kind: 'good', reason: '', message: '' };

/** Returns the health of a part: good without problems, with this reason and message. */
export function health(problems: readonly Problem[], reason: string, message: string): Health {
  return problems.length === 0 ? { kind: 'good', reason, message } : { kind: 'bad', problems: worstFirst(problems) };
}

/** Returns the health of the destination. */
export function destinationHealth(
  { status }: ReconcileContext,
  desired: DesiredState,
  problem: Problem | undefined,
): Health {
  if (problem !== undefined) return health([problem], '', '');
  if (!desired.usesDestination) {
    return {
      kind: 'good',
      reason: 'NotNeeded',
      message: "in v2 the organization's webhook needs no destination: it has the endpoint itself",
    };
  }
  const { destination } = status.recorded;
  if (destination?.id === undefined) {
    return { kind: 'unchecked', message: 'the operator creates the destination when it can attach a webhook to it' };
  }
  return { kind: 'good', reason: 'InPlace', message: `destination ${destination.id} is in place` };
}

/** Returns a text like `2 portals (1 off) and the organization's webhook`. */
export function webhooksInWords({ portals, organization }: DesiredState): string {
  const count = portals.length;
  const off = portals.filter(({ enabled }) => !enabled).length;
  const all = count === 1 ? '1 portal' : `${String(count)} portals`;
  const some = off === 0 ? '' : off === count ? ' (off)' : ` (${String(off)} off)`;
  const organizationInWords = `the organization's webhook${organization?.enabled === false ? ' (off)' : ''}`;
  const both = [count === 0 ? '' : all + some, organization === undefined ? '' : organizationInWords];
  return both.filter((part) => part !== '').join(' and ');
}

/** Returns the health of the webhooks. */
export function webhooksHealth(
  desired: DesiredState,
  problems: readonly Problem[],
  waitingForDestination: number,
): Health {
  if (problems.length > 0) return health(problems, '', '');
  if (waitingForDestination > 0)
    return { kind: 'unchecked', message: 'the webhooks wait for the destination: see DestinationReady' };
  return { kind: 'good', reason: 'Attached', message: `${webhooksInWords(desired)} attached` };
}

/** Returns the rest of the message of `Ready`: where the webhooks send to. */
export function forwardingTo(
  { forwarding }: ReconcileContext,
  { portals, organization, usesDestination, own, reference }: DesiredState,
): string {
  const verb = portals.length + (organization === undefined ? 0 : 1) === 1 ? 'forwards' : 'forward';
  if (reference !== undefined) return `${verb} to destination ${reference.id ?? `"${reference.name ?? ''}"`}`;
  if (usesDestination) return `${verb} to "${own?.settings.name ?? ''}"`;
  return `${verb} to the endpoint in Secret ${forwarding.spec.destination?.secretRef.name ?? ''}`;
}

/** Returns the end of the message of `Ready`: which webhooks may still forward although spec no longer wants them. */
export function unseenInWords({ cleanup = [] }: RecordedState): string {
  const [first, ...others] = cleanup.filter(({ reason }) => reason !== undefined);
  if (first === undefined) return '';
  const more = others.length === 0 ? '' : ` and ${String(others.length)} more`;
  return `; the webhook of ${objectOf(first)}${more} may still forward: Konnect answers HTTP 404 because the portal was deleted, or because the token may not see it`;
}

/** Returns the recorded state with `portalsReady`, such as `1/2`. It stays as it is if `ready` is undefined, since Konnect does not show all portals. */
export function withPortalsReady(
  recorded: RecordedState,
  ready: number | undefined,
  { portals, unresolved }: DesiredState,
): RecordedState {
  if (ready === undefined) return recorded;
  const { portalsReady: _before, ...rest } = recorded;
  const wanted = portals.length + unresolved.length;
  return wanted === 0 ? rest : { ...rest, portalsReady: `${String(ready)}/${String(wanted)}` };
}

/** Returns the report if problems with the Secrets or the token keep the operator from checking anything else. */
export function secretsReport(problems: readonly Problem[]): Report {
  const unchecked = { kind: 'unchecked', message: 'see SecretsResolved' } as const;
  return {
    secrets: { kind: 'bad', problems: worstFirst(problems) },
    destination: unchecked,
    webhooks: unchecked,
    cleanup: nothingToUndo,
    readyMessage: '',
    delivery: { kind: 'unseen' },
  };
}

/** Returns all problems of a report, and those that keep the operator from a look at the deliveries for the moment. */
export function problemsOf({ secrets, destination, webhooks, cleanup, delivery }: Report): readonly StatusProblem[] {
  const found = [secrets, destination, webhooks, cleanup].flatMap((part) => (part.kind === 'bad' ? part.problems : []));
  return delivery?.kind === 'seen' ? [...found, ...delivery.outages] : found;
}

/** Returns the report of a problem that affects the destination and the webhooks. */
export function problemReport(problem: Problem): Report {
  const bad = { kind: 'bad', problems: [problem] } as const;
  return {
    secrets: secretsResolved,
    destination: bad,
    webhooks: bad,
    cleanup: nothingToUndo,
    readyMessage: '',
    delivery: { kind: 'unseen' },
  };
}
