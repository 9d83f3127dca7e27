/** What goes wrong in Konnect meanwhile. */
import type { KonnectControl } from '../../sandbox/konnect/control.ts';
import type { FaultKind } from '../../sandbox/konnect/faults.ts';
import { colors, tokenOf } from './environment.ts';
import type { Chance } from './random.ts';

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

/** One more fault, for one of the organizations, which passes after a few requests. */
export function rain(control: KonnectControl, chance: Chance): void {
  const operation = chance.pick(operations);
  const match = { token: tokenOf(chance.pick(colors)), ...(operation === undefined ? {} : { operation }) };
  control.fail({ ...chance.pick(faults), match, times: 1 + chance.below(4) });
  control.behave({ staleListMs: chance.pick([0, 0, 1_000, 3_000]), releaseDelayMs: chance.pick([0, 500, 2_000]) });
}

/** All is well in Konnect again. */
export function clear(control: KonnectControl): void {
  control.clearFaults();
  control.behave({ staleListMs: 0, releaseDelayMs: 0 });
}
