import { recordAttempt } from '../../../../sandbox/konnect/model/webhooks.ts';
import type { Webhook } from '../../../../sandbox/konnect/model.ts';
import type { Harness } from './harness.ts';

/** Lets Konnect record a delivery that the SIEM answers with `code`. Without `code`, Konnect does not reach the SIEM. */
export function attempt(harness: Harness, webhook: Webhook, code: number | undefined, message = 'CANARY'): void {
  const ok = code !== undefined && code < 300;
  const at = new Date(harness.clock.ms);
  recordAttempt(harness.konnect.model, webhook, { at, message, ok, ...(code === undefined ? {} : { code }) });
}

/** Reconciles after this time. Returns in how many milliseconds the next reconciliation is due. */
export async function next(harness: Harness, afterMs: number): Promise<number> {
  harness.clock.ms += afterMs;
  const result = await harness.reconcile();
  if (result.kind !== 'requeue') throw new TypeError(`the reconciliation ended with ${result.kind}`);
  return result.afterMs;
}
