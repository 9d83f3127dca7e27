import {
  KonnectError,
  type KonnectErrorKind,
  type KonnectOperation,
  type RequestField,
  requestFields,
} from './errors.ts';
import { problemSchema } from './schema.ts';

export interface FailedAnswer {
  operation: KonnectOperation;
  /** Any status but 200 to 299. */
  status: number;
  /** The parsed JSON. Undefined for an empty body, `unreadable` if it is not a JSON object or is incomplete. */
  body: object | 'unreadable' | undefined;
  isWrite: boolean;
  retryAfterMs: number | undefined;
}

const maxFieldLength = Math.max(...requestFields.map(({ length }) => length));

/** Returns the error for an answer that is not a success. It contains only what {@link problemSchema} allows of the body. */
export function answerError({ operation, status, body, isWrite, retryAfterMs }: FailedAnswer): KonnectError {
  const problem = problemSchema.safeParse(typeof body === 'object' ? body : {}).data;
  const isFromGateway = body === 'unreadable' || problem?.message?.startsWith('no Route matched') === true;
  const kind = status === 404 && isFromGateway ? 'UnexpectedAnswer' : kindOf(status);
  const mayBeApplied = kind === 'ServerError' || (kind === 'UnexpectedAnswer' && status !== 404);
  return new KonnectError({
    kind,
    operation,
    status,
    instance: problem?.instance,
    retryAfterMs: kind === 'RateLimited' || kind === 'ServerError' ? retryAfterMs : undefined,
    refusedFields: kind === 'Refused' ? refusedFields(problem?.invalid_parameters ?? []) : [],
    mayHaveHappened: isWrite && mayBeApplied,
  });
}

function kindOf(status: number): KonnectErrorKind {
  if (status >= 500 || status === 408) return 'ServerError';
  switch (status) {
    case 401:
      return 'Unauthorized';
    case 403:
      return 'Forbidden';
    case 404:
      return 'NotFound';
    case 409:
      return 'Conflict';
    case 429:
      return 'RateLimited';
    default:
      return status >= 400 ? 'Refused' : 'UnexpectedAnswer';
  }
}

/** Returns the refused fields. Konnect may name a field by its path, such as `body.endpoint`. */
function refusedFields(parameters: readonly { field: string }[]): RequestField[] {
  const named = new Set(
    parameters.map(({ field }) =>
      field
        .slice(-maxFieldLength - 1)
        .split(/[./[\]]/)
        .at(-1),
    ),
  );
  return requestFields.filter((field) => named.has(field));
}
