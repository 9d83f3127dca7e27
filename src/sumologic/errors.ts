/**
 * - `Unauthorized`: 401, `Forbidden`: 403
 * - `WrongDeployment`: 301, the access key belongs to another deployment
 * - `InvalidQuery`: 400 for a new search job
 * - `JobGone`: 404, SumoLogic has canceled the job, or its session has ended
 * - `RateLimited`: 429 again and again, or with a long wait
 * - `Unavailable`: 5xx and 408, no connection, another answer than SumoLogic's, or a search that the operator gave up
 */
export type SumoLogicErrorKind =
  | 'Unauthorized'
  | 'Forbidden'
  | 'WrongDeployment'
  | 'InvalidQuery'
  | 'JobGone'
  | 'RateLimited'
  | 'Unavailable';

/** Why a search failed. It contains nothing that SumoLogic wrote, and no credential, so it is safe to print. */
export class SumoLogicError extends Error {
  override readonly name = 'SumoLogicError';
  readonly kind: SumoLogicErrorKind;
  /** Undefined if there was no answer, or if the operator gave up a search whose requests were answered. */
  readonly status: number | undefined;
  /** The deployment that the access key belongs to, for `WrongDeployment`, if SumoLogic named one. */
  readonly deployment: string | undefined;
  /** The code of Node if there was no answer, or the reason why the operator gave up, such as `SEARCH_TAKES_TOO_LONG`. */
  readonly code: string | undefined;

  constructor(
    kind: SumoLogicErrorKind,
    {
      status,
      deployment,
      code,
    }: { status?: number | undefined; deployment?: string | undefined; code?: string | undefined } = {},
  ) {
    const answer = status === undefined ? (code ?? '') : `HTTP ${String(status)}`;
    super(`SumoLogic: ${kind}${answer === '' ? '' : ` (${answer})`}`);
    this.kind = kind;
    this.status = status;
    this.deployment = deployment;
    this.code = code;
  }
}
