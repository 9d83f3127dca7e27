/** Creates the destination, and deals with everything that Konnect may answer. */
import type { DestinationStatus } from '../../api/v1alpha1.ts';
import { KonnectError } from '../../konnect/errors.ts';
import type { DesiredState, OwnDestination } from '../desired/desired-state.ts';
import { type Problem, problemOf, reasons, stalled, waiting } from '../problems.ts';
import { beforeWrite, type ReconcileContext, recordEvent } from '../reconcile-context.ts';
import { applied, correctedObject, forgetDestination, recordDestination } from './destination-record.ts';
import { contestedProblem, recordCorrected } from './drift-correction.ts';

/** A creation as status records it before the POST. */
interface Creation {
  readonly object: string;
  readonly isCorrection: boolean;
  /** True if status records it already: an earlier POST was refused, or its answer was lost. */
  readonly isRepeated: boolean;
  readonly since: string;
  readonly toStatus: (since: string, secretVersion?: string) => DestinationStatus;
}

/** Sends one POST. Returns the problem, or undefined if the destination was created. */
export async function createDestination(
  context: ReconcileContext,
  { api }: DesiredState,
  own: OwnDestination,
): Promise<Problem | undefined> {
  const creation = creationOf(context, own);
  const { object, isCorrection, isRepeated, since, toStatus } = creation;
  const effect = 'it is deleted, and its webhooks send no logs';
  const contested = isCorrection ? contestedProblem(context, correctedObject, object, effect) : undefined;
  if (contested !== undefined) return contested;
  recordDestination(context, toStatus(since));
  await beforeWrite(context, `creating ${object} in Konnect`, { interrupts: !isRepeated });
  context.renew(since);
  try {
    const created = await context.konnect.client.createDestination(api, own.settings, context.signal);
    recordDestination(context, applied(created.id, created.updatedAt, own));
  } catch (error) {
    if (!(error instanceof KonnectError)) throw error;
    return failedCreation(context, own, creation, error);
  }
  if (isCorrection) recordCorrected(context, correctedObject, `changed ${object}`, ['deleted']);
  else recordEvent(context, 'Normal', 'DestinationCreated', 'Create', `created ${object} in Konnect`);
  return undefined;
}

function creationOf(context: ReconcileContext, { settings, secretVersion, endpointDigest }: OwnDestination): Creation {
  const { name } = settings;
  const { id, logFormat, updating, creating: known } = context.status.recorded.destination ?? {};
  const isCorrection = updating === 'Correction' || (id !== undefined && logFormat !== undefined);
  const isRepeated =
    known?.name === name &&
    ['', secretVersion].includes(known.secretVersion) &&
    known.endpointDigest === endpointDigest;
  return {
    object: `destination "${name}"`,
    isCorrection,
    isRepeated,
    since: isRepeated ? known.since : context.now().toISOString(),
    toStatus: (since, version = secretVersion) => ({
      name,
      managed: true,
      ...(isCorrection ? { updating: 'Correction' } : {}),
      creating: { name, since, secretVersion: version, endpointDigest },
    }),
  };
}

function failedCreation(
  context: ReconcileContext,
  { settings: { name } }: OwnDestination,
  { object, isRepeated, since, toStatus }: Creation,
  error: KonnectError,
): Problem {
  if (error.kind === 'Conflict') {
    // This request created nothing. The empty version of the Secret says so.
    recordDestination(context, toStatus(since, ''));
    return isRepeated
      ? stalled(
          reasons.nameInUse,
          `another destination in Konnect has the name "${name}", and the token does not see it: set another spec.destination.name`,
        )
      : waiting(
          reasons.nameInUse,
          `another destination in Konnect has the name "${name}"; the operator looks for it to say whose it is. If this lasts, set another spec.destination.name`,
        );
  }
  const problem = problemOf(error, object, context);
  if (!error.mayHaveHappened && problem.severity === 'stalled') context.expire(since);
  if (!error.mayHaveHappened && problem.severity !== 'stalled') forgetDestination(context);
  return problem;
}
