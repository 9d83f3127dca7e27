/** One entry of `invalid_parameters`. Rules other than `enum` are those of Kong's `InvalidRules`. */
export interface InvalidParameter {
  readonly field: string;
  readonly rule?: string;
  readonly reason: string;
  readonly choices?: readonly unknown[];
  readonly source?: string;
}

interface ProblemOptions {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly invalidParameters?: readonly InvalidParameter[];
}

/** An error answer of Konnect. Its texts echo the request, including secrets, as real servers do. So tests reveal a client that leaks them. */
export class Problem extends Error {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly invalidParameters: readonly InvalidParameter[] | undefined;

  constructor({ status, title, detail, invalidParameters }: ProblemOptions) {
    super(detail);
    this.name = 'Problem';
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.invalidParameters = invalidParameters;
  }

  /** Returns the `application/problem+json` body. `traceID` is unique for each request. */
  body(traceID: string): Record<string, unknown> {
    return {
      status: this.status,
      title: this.title,
      instance: `kong:trace:${traceID}`,
      detail: this.detail,
      ...(this.invalidParameters === undefined ? {} : { invalid_parameters: this.invalidParameters }),
    };
  }
}

export function badRequest(detail: string, invalidParameters: readonly InvalidParameter[]): Problem {
  return new Problem({ status: 400, title: 'Bad Request', detail, invalidParameters });
}

export function unauthorized(sent: string): Problem {
  return new Problem({ status: 401, title: 'Unauthorized', detail: `Invalid credentials [${sent}]` });
}

export function forbidden(action: string): Problem {
  return new Problem({
    status: 403,
    title: 'Forbidden',
    detail: `You do not have permission to perform this action [${action}]`,
  });
}

export function notFound(what: string): Problem {
  return new Problem({ status: 404, title: 'Not Found', detail: `Not found [${what}]` });
}

export function methodNotAllowed(method: string): Problem {
  return new Problem({ status: 405, title: 'Method Not Allowed', detail: `Method not allowed [${method}]` });
}

export function conflict(detail: string): Problem {
  return new Problem({ status: 409, title: 'Resource Conflict', detail });
}
