/** Faults of Konnect during a round. */
import type { KonnectControl } from '../../sandbox/konnect/control.ts';
import type { FaultKind } from '../../sandbox/konnect/faults.ts';
import type { Random } from '../support/random.ts';
import { colors, tokenOf } from './environment.ts';

const faults: readonly [FaultKind, ...FaultKind[]] = [
  { kind: 'status', status: 429, retryAfter: 1 },
  { kind: 'status', status: 429 },
  { kind: 'status', status: 500 },
  { kind: 'status', status: 502, body: 'html' },
  { kind: 'status', status: 503, retryAfter: 2 },
  { kind: 'status', status: 500, done: true },
  { kind: 'status', status: 200, body: 'truncated' },
  { kind: 'status', status: 200, body: 'huge' },
  { kind: 'status', status: 409 },
  { kind: 'drop-before' },
  { kind: 'drop-after' },
  { kind: 'wrong-types' },
  { kind: 'redirect' },
  { kind: 'latency', ms: 300 },
  { kind: 'latency', ms: 7_000 },
];

const operations = [
  undefined,
  'list-audit-log-destinations',
  'create-audit-log-destination',
  'update-audit-log-destination',
  'delete-audit-log-destination',
] as const;

/** Injects one more fault into the requests of one organization. It ends after a few requests. */
export function injectFault(control: KonnectControl, random: Random): void {
  const operation = random.pick(operations);
  const match = { token: tokenOf(random.pick(colors)), ...(operation === undefined ? {} : { operation }) };
  control.fail({ ...random.pick(faults), match, times: 1 + random.below(4) });
  control.behave({ staleListMs: random.pick([0, 0, 1_000, 3_000]), releaseDelayMs: random.pick([0, 500, 2_000]) });
}

/** Ends all faults. */
export function clearFaults(control: KonnectControl): void {
  control.clearFaults();
  control.behave({ staleListMs: 0, releaseDelayMs: 0 });
}
