import { setTimeout as delay } from 'node:timers/promises';
import type { Delivery } from './audit-event.ts';
import type { Behavior } from './behavior.ts';
import { type Call, type CallLog, createCallLog } from './calls.ts';
import { createControl, type KonnectControl } from './control.ts';
import { statusAnswer, type WireAnswer, withWrongTypes } from './fault-answer.ts';
import { type AppliedFault, createFaults, type Faults } from './faults.ts';
import { createModel, holderOf, type KonnectModel } from './model.ts';
import { answer, type KonnectAnswer, type KonnectRequest, operationFor } from './routes.ts';
import type { KonnectSeed } from './seed.ts';

export interface LocalKonnectOptions {
  readonly seed: KonnectSeed;
  readonly behavior?: Partial<Behavior>;
  /** Without it, audit lines are recorded but not sent. */
  readonly deliver?: Delivery;
  readonly clock?: () => Date;
}

/** A local Konnect without a network. */
export interface LocalKonnect {
  readonly model: KonnectModel;
  readonly control: KonnectControl;
  /** Logs a request, applies the faults, and returns what to send. Undefined means a reset of the connection. */
  exchange(request: KonnectRequest, signal: AbortSignal): Promise<WireAnswer | undefined>;
}

export function createLocalKonnect({ seed, behavior, deliver, clock }: LocalKonnectOptions): LocalKonnect {
  const model = createModel({
    seed,
    ...(behavior === undefined ? {} : { behavior }),
    ...(deliver === undefined ? {} : { delivery: deliver }),
    ...(clock === undefined ? {} : { clock }),
  });
  const calls = createCallLog();
  const rules = createFaults();
  return {
    model,
    control: createControl(model, calls, rules),
    async exchange(request, signal) {
      const { call, faults } = logCall(model, calls, rules, request);
      for (const fault of faults) {
        if (fault.kind === 'latency') await delay(fault.ms, undefined, { signal });
      }
      const fault = faults.find(({ kind }) => kind !== 'latency');
      return answerWith(model, request, call, fault);
    },
  };
}

/** Logs a request. Returns the entry of the log and the faults to apply. */
function logCall(
  model: KonnectModel,
  calls: CallLog,
  rules: Faults,
  request: KonnectRequest,
): { call: Call; faults: AppliedFault[] } {
  const { method, region, path, query } = request;
  const operation = operationFor(request)?.id;
  const token = /\S*$/.exec(request.authorization ?? '')?.[0] ?? '';
  const subject = { method, region, path, token, ...(operation === undefined ? {} : { operation }) };
  const organizationID = holderOf(model, token)?.organization.id;
  const faults = rules.take({ ...subject, ...(organizationID === undefined ? {} : { organizationID }) });
  const call: Call = {
    ...subject,
    at: model.clock(),
    query: query.toString(),
    token: token.slice(-4),
    faults: faults.map(({ kind }) => kind),
  };
  calls.add(call);
  return { call, faults };
}

/** Returns what to send. Undefined means a reset of the connection. */
function answerWith(
  model: KonnectModel,
  request: KonnectRequest,
  call: Call,
  fault: AppliedFault | undefined,
): WireAnswer | undefined {
  if (fault?.kind === 'drop-before') return undefined;
  if (fault?.kind === 'redirect') {
    call.status = fault.status ?? 307;
    const location = fault.location ?? `/${request.region}/redirected${request.path}`;
    return { status: call.status, headers: { location }, body: '' };
  }
  if (fault?.kind === 'status') {
    if (fault.done === true) answer(model, request);
    call.status = fault.status;
    return statusAnswer(fault, request.body, model.newTraceID());
  }
  const answered = answer(model, request);
  call.status = answered.status;
  if (fault?.kind === 'drop-after') return undefined;
  return wireOf(fault?.kind === 'wrong-types' ? { ...answered, body: withWrongTypes(answered.body) } : answered);
}

function wireOf({ status, body, contentType }: KonnectAnswer): WireAnswer {
  if (status === 204) return { status, headers: {}, body: '' };
  return { status, headers: { 'content-type': contentType }, body: JSON.stringify(body) };
}
