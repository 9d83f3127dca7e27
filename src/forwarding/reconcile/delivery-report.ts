/** Records what the looks at the deliveries show, has the gaps replayed, and returns the health of `Delivering`. */
import type { AttachmentState, DeliveryStatus } from '../../api/v1alpha1.ts';
import { type DeliveryHealth, summary, unseenMessage } from '../../status/conditions.ts';
import { type DeliveryLook, deliveryKeyOf, deliveryOf, withDeliveries } from '../../status/delivery.ts';
import type { Problem as StatusProblem } from '../../status/problem.ts';
import type { RecordedState } from '../../status/recorded-state.ts';
import type { DesiredState } from '../desired/desired-state.ts';
import { entryName } from '../observed/observe-delivery.ts';
import type { Diversion } from '../plan/diverted.ts';
import { type ReconcileContext, recordEvent } from '../reconcile-context.ts';
import { type DeliveryProblem, deliveryProblem } from './delivery-problem.ts';
import { recoverGaps } from './gap-recovery.ts';
import type { DeliveryPlan } from './observe-and-plan.ts';

export interface DeliveryOptions {
  /** The recorded state before this reconciliation. */
  readonly before: RecordedState;
  /** False with `mode: Observe`. */
  readonly mayWrite: boolean;
  /** The webhooks whose logs another client kept away when this reconciliation began. */
  readonly diverted: ReadonlyMap<string, Diversion>;
  /** False if the destination is not as spec wants it. */
  readonly isDestinationRight: boolean;
}

/** Records how the webhooks in place deliver, and has their gaps replayed. Returns the health of the deliveries. */
export async function recordDeliveries(
  context: ReconcileContext,
  desired: DesiredState,
  steps: DeliveryPlan,
  options: DeliveryOptions,
): Promise<DeliveryHealth | undefined> {
  const { mayWrite, diverted, isDestinationRight } = options;
  const { status, wasApplied } = context;
  const { destination } = steps;
  const isSuspicious = desired.own?.isSuspicious ?? (destination.kind === 'use' && destination.isSuspicious);
  const hint = isSuspicious ? suspicion(endpointSource(context, desired)) : undefined;
  if (hint !== undefined && !wasApplied) recordEvent(context, 'Warning', 'EndpointSuspicious', 'Check', hint);
  const looks = looksAt(desired, steps, mayWrite ? status.recorded : {}, isDestinationRight);
  const isRestored = (key: string) =>
    isDestinationRight && looks.get(key)?.kind !== 'off' && looks.get(key)?.kind !== 'absent';
  const restored = new Set(mayWrite ? [...diverted.keys()].filter(isRestored) : []);
  status.recorded = withDeliveries(status.recorded, looks, { now: context.now(), mayWrite, diverted, restored });
  const health = deliveryHealth(context, desired, looks, { ...options, hint });
  await recoverGaps(context, desired, looks, options);
  context.recordLooks(looks);
  return health;
}

/** Returns a look at each webhook that spec wants. `recorded`: what this reconciliation has set. */
function looksAt(
  { api, portals, organization }: DesiredState,
  steps: DeliveryPlan,
  recorded: RecordedState,
  isDestinationRight: boolean,
): ReadonlyMap<string, DeliveryLook> {
  // A webhook that waits for its destination keeps its recorded state, but was not attached.
  const isThere = recorded.destination?.id !== undefined && steps.destination.kind !== 'create';
  const canAttach = isDestinationRight || isThere;
  const looks = new Map<string, DeliveryLook>();
  const add = (portalID: string | undefined, enabled: boolean, state: AttachmentState | undefined) => {
    const key = deliveryKeyOf(portalID);
    const step = portalID === undefined ? steps.organization : steps.portals.get(portalID);
    looks.set(key, step?.kind === 'unknown' ? step : { kind: 'absent' });
    if (step?.kind !== 'keep' && step?.kind !== 'attach') return;
    const needsDestination = portalID !== undefined || api === 'v3';
    const isWritten = (canAttach || !needsDestination) && state === (enabled ? 'on' : 'off');
    const isSet = step.kind === 'keep' || isWritten;
    const look = steps.deliveries.get(key);
    // A client switched it off, and the operator left it.
    const stayedOff = !isSet && step.kind === 'attach' && step.because === 'enabled';
    if ((!enabled && isSet) || stayedOff) looks.set(key, { kind: 'off' });
    else if (look !== undefined) looks.set(key, look);
    else if (isSet) looks.set(key, { kind: 'attached' });
  };
  for (const { id, enabled } of portals) add(id, enabled, recorded.portals?.find((one) => one.id === id)?.state);
  if (organization !== undefined) add(undefined, organization.enabled, recorded.organization?.state);
  return looks;
}

interface Found {
  readonly entry: DeliveryStatus;
  readonly look: DeliveryLook;
}

function deliveryHealth(
  context: ReconcileContext,
  desired: DesiredState,
  looks: ReadonlyMap<string, DeliveryLook>,
  { before, mayWrite, hint }: Pick<DeliveryOptions, 'before' | 'mayWrite'> & { readonly hint: string | undefined },
): DeliveryHealth | undefined {
  const found = [...looks].flatMap(([key, look]): Found[] => {
    const entry = deliveryOf(context.status.recorded, key);
    return entry === undefined || look.kind === 'absent' ? [] : [{ entry, look }];
  });
  if (found.length === 0) return undefined;
  const outages = found.flatMap(({ look }) =>
    look.kind === 'unknown' && look.problem.severity !== 'stalled' ? [look.problem] : [],
  );
  const isNews = found.some(({ entry: { key, state } }) => {
    const was = deliveryOf(before, key)?.state;
    return (
      state !== was && state !== 'Off' && !(state === 'NoAttemptYet' && was !== 'Failing' && was !== 'SwitchedOff')
    );
  });
  const source = endpointSource(context, desired);
  return { kind: 'seen', ...verdict(found, source, mayWrite, hint), outages, isNews };
}

type Verdict = Pick<DeliveryHealth & { kind: 'seen' }, 'status' | 'reason' | 'message'>;

/** Returns the verdict. `source` is where the endpoint stands, and `hint` why Konnect cannot deliver to it. */
function verdict(found: readonly Found[], source: string, mayWrite: boolean, hint: string | undefined): Verdict {
  const bad = found
    .filter(({ entry }) => entry.state === 'Failing' || entry.state === 'SwitchedOff')
    .map(({ entry, look }) => deliveryProblem(entryName(entry), entry, look, { source, mayWrite }))
    .toSorted((a, b) => order.indexOf(a.reason) - order.indexOf(b.reason));
  const [worst] = bad;
  if (worst !== undefined) {
    const message = hint === undefined ? summary(bad) : `${summary(bad)}; ${hint}`;
    return { status: 'False', reason: worst.reason, message };
  }
  const unseen = found.flatMap(({ look }): StatusProblem[] =>
    look.kind === 'unknown' && look.problem.severity === 'stalled' ? [look.problem] : [],
  );
  if (unseen.length > 0) return { status: 'Unknown', reason: 'StatusUnavailable', message: unseenMessage(unseen) };
  return verdictOfGood(found);
}

/** Returns the verdict if no delivery fails: how many webhooks have delivered. */
function verdictOfGood(found: readonly Found[]): Verdict {
  const counted = found.filter(({ entry }) => entry.state !== 'Off');
  const delivered = counted.filter(({ entry }) => entry.state === 'Delivered');
  if (delivered.length === 0) {
    const message =
      counted.length === 0
        ? 'no webhook is on, so that Konnect delivers nothing'
        : `Konnect has not tried to deliver anything yet: ${webhooks(counted.length)} without an attempt`;
    return { status: 'True', reason: 'NoAttemptYet', message };
  }
  const waiting = counted.length - delivered.length;
  const others = waiting === 0 ? '' : `, and ${webhooks(waiting)} had no attempt yet`;
  return {
    status: 'True',
    reason: 'Delivered',
    message: `the last attempt of ${webhooks(delivered.length)} succeeded${others}`,
  };
}

const order: readonly DeliveryProblem['reason'][] = ['SwitchedOff', 'EndpointRejected', 'EndpointUnreachable'];

/** Returns where the endpoint of the webhooks stands, for messages. */
function endpointSource({ forwarding }: ReconcileContext, { reference }: DesiredState): string {
  if (reference === undefined) return `Secret ${forwarding.spec.destination?.secretRef.name ?? ''}`;
  return `destination ${reference.id ?? `"${reference.name ?? ''}"`}`;
}

function suspicion(source: string): string {
  return `the endpoint in ${source} ends in /receiver/v1/http, like the URL of a SumoLogic source of the kind Auth Header, which Konnect cannot use: take the URL of a source of the kind Presigned URL`;
}

function webhooks(count: number): string {
  return count === 1 ? '1 webhook' : `${String(count)} webhooks`;
}
