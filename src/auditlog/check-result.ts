/** The outcome of one check of `auditlog doctor`. */
export interface CheckResult {
  /** What was checked. */
  readonly check: string;
  /** The object, such as `platform/sumologic`, or empty. */
  readonly object: string;
  readonly result: 'ok' | 'failed' | 'unknown';
  /** What was found, with the way out unless the result is `ok`. */
  readonly detail: string;
}

/** Returns the results of one object of one check. */
export function resultsFor(check: string, object: string) {
  const as =
    (result: CheckResult['result']) =>
    (detail: string): CheckResult => ({ check, object, result, detail });
  return { ok: as('ok'), failed: as('failed'), unknown: as('unknown') };
}
