import type { Health, Report } from '../../status/conditions.ts';
import { type Problem as StatusProblem, worstFirst } from '../../status/problem.ts';
import type { RecordedState } from '../../status/recorded-state.ts';
import type { DesiredState } from '../desired/desired-state.ts';
import { type Problem } from '../problems.ts';
import type { ReconcileContext } from '../reconcile-context.ts';

export const secretsResolved: Health = { kind: 'good', reason: 'Resolved', message: 'every Secret and key is there' };
/** Shows nowhere: there is no condition of its own for it. */
export const nothingToUndo: Health = { kind: 'good', reason: '', message: '' };
export function health(problems: readonly Problem[], reason: string, message: string): Health {
  return problems.length === 0 ? { kind: 'good', reason, message } : { kind: 'bad', problems: worstFirst(problems) };
}

export function destinationHealth(
  { status }: ReconcileContext,
  desired: DesiredState,
  problem: Problem | undefined,
): Health {
  if (problem !== undefined) return health([problem], '', '');
  if (!desired.usesDestination) {
    return { kind: 'good', reason: 'NotNeeded', message: 'v2 sends the endpoint with the webhook itself' };
  }
  const { destination } = status.recorded;
  if (destination?.id === undefined) {
    return { kind: 'unchecked', message: 'is created once there is a webhook to attach it to' };
  }
  return { kind: 'good', reason: 'InPlace', message: `destination ${destination.id} is as wanted` };
}

/** Such as `2 portals (1 off) and the organization's webhook`. */
export function webhooksInWords({ portals, organization }: DesiredState): string {
  const count = portals.length;
  const off = portals.filter(({ enabled }) => !enabled).length;
  const all = count === 1 ? '1 portal' : `${String(count)} portals`;
  const some = off === 0 ? '' : off === count ? ' (off)' : ` (${String(off)} off)`;
  const organizationInWords = `the organization's webhook${organization?.enabled === false ? ' (off)' : ''}`;
  const both = [count === 0 ? '' : all + some, organization === undefined ? '' : organizationInWords];
  return both.filter((part) => part !== '').join(' and ');
}

export function webhooksHealth(
  desired: DesiredState,
  problems: readonly Problem[],
  waitingForDestination: number,
): Health {
  if (problems.length > 0) return health(problems, '', '');
  if (waitingForDestination > 0)
    return { kind: 'unchecked', message: 'wait for the destination, see DestinationReady' };
  return { kind: 'good', reason: 'Attached', message: `${webhooksInWords(desired)} attached` };
}

export function forward(
  { forwarding }: ReconcileContext,
  { portals, organization, usesDestination, own, reference }: DesiredState,
): string {
  const verb = portals.length + (organization === undefined ? 0 : 1) === 1 ? 'forwards' : 'forward';
  if (reference !== undefined) return `${verb} to destination ${reference.id ?? `"${reference.name ?? ''}"`}`;
  if (usesDestination) return `${verb} to "${own?.settings.name ?? ''}"`;
  return `${verb} to the endpoint in Secret ${forwarding.spec.destination?.secretRef.name ?? ''}`;
}

export function withPortalsReady(
  recorded: RecordedState,
  ready: number,
  { portals, unresolved }: DesiredState,
): RecordedState {
  const { portalsReady: _before, ...rest } = recorded;
  const wanted = portals.length + unresolved.length;
  return wanted === 0 ? rest : { ...rest, portalsReady: `${String(ready)}/${String(wanted)}` };
}

export function secretsReport(problems: readonly Problem[]): Report {
  const unchecked = { kind: 'unchecked', message: 'see SecretsResolved' } as const;
  return {
    secrets: { kind: 'bad', problems: worstFirst(problems) },
    destination: unchecked,
    webhooks: unchecked,
    cleanup: nothingToUndo,
    readyMessage: '',
  };
}

export function problemsOf({ secrets, destination, webhooks, cleanup }: Report): readonly StatusProblem[] {
  return [secrets, destination, webhooks, cleanup].flatMap((part) => (part.kind === 'bad' ? part.problems : []));
}

export function problemReport(problem: Problem): Report {
  const bad = { kind: 'bad', problems: [problem] } as const;
  return {
    secrets: secretsResolved,
    destination: bad,
    webhooks: bad,
    cleanup: nothingToUndo,
    readyMessage: '',
  };
}
