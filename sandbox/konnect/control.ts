import type { Behavior } from './behavior.ts';
import type { Call, CallLog } from './calls.ts';
import type { ActiveFault, FaultRule, Faults } from './faults.ts';
import type { KonnectModel } from './model.ts';

/** Inspects the local Konnect and makes it fail, for tests and users of the sandbox. */
export interface KonnectControl {
  /** Returns the last 50,000 calls, in the order of arrival. */
  calls(): Call[];
  clearCalls(): void;
  /** Adds a rule. Rules are tried in the order in which they were added. */
  fail(rule: FaultRule): ActiveFault;
  faults(): ActiveFault[];
  clearFaults(): void;
  /** Changes the given behaviors. The others keep their values. */
  behave(behavior: Partial<Behavior>): void;
}

export function createControl(model: KonnectModel, log: CallLog, faults: Faults): KonnectControl {
  return {
    calls: () => log.list(),
    clearCalls: () => log.clear(),
    fail: (rule) => faults.add(rule),
    faults: () => faults.list(),
    clearFaults: () => faults.clear(),
    behave: (behavior) => void Object.assign(model.behavior, behavior),
  };
}
