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
  /** Anything but 200 to 299. */
  status: number;
  /** The parsed JSON, undefined for an empty body, `unreadable` where it is no JSON object or was cut off. */
  body: object | 'unreadable' | undefined;
  write: boolean;
  retryAfterMs: number | undefined;
}

const longestField = Math.max(...requestFields.map(({ length }) => length));

/** Turns an answer that is no success into the error that callers see; of its body only what {@link problemSchema} lets through. */
export function answerError({ operation, status, body, write, retryAfterMs }: FailedAnswer): KonnectError {
  const problem = problemSchema.safeParse(typeof body === 'object' ? body : {}).data;
  const fromGateway = body === 'unreadable' || problem?.message?.startsWith('no Route matched') === true;
  const kind = status === 404 && fromGateway ? 'UnexpectedAnswer' : kindOf(status);
  const mayStillWork = kind === 'ServerError' || (kind === 'UnexpectedAnswer' && status !== 404);
  return new KonnectError({
    kind,
    operation,
    status,
    instance: problem?.instance,
    retryAfterMs: kind === 'RateLimited' || kind === 'ServerError' ? retryAfterMs : undefined,
    refusedFields: kind === 'Refused' ? refusedFields(problem?.invalid_parameters ?? []) : [],
    mayHaveHappened: write && mayStillWork,
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

/** A field may be named by its path, such as `body.endpoint`. */
function refusedFields(parameters: readonly { field: string }[]): RequestField[] {
  const named = new Set(
    parameters.map(({ field }) =>
      field
        .slice(-longestField - 1)
        .split(/[./[\]]/)
        .at(-1),
    ),
  );
  return requestFields.filter((field) => named.has(field));
}
