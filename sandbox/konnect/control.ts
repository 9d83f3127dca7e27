import type { Behavior } from './behavior.ts';
import type { Call, CallLog } from './calls.ts';
import type { ActiveFault, FaultRule, Faults } from './faults.ts';
import type { KonnectModel } from './model.ts';

/** How a test, a demo or a person looks behind Konnect's front and makes it misbehave. */
export interface KonnectControl {
  /** In the order in which they came, the last 50,000. */
  calls(): Call[];
  clearCalls(): void;
  /** Rules are tried in the order in which they were added. */
  fail(rule: FaultRule): ActiveFault;
  faults(): ActiveFault[];
  clearFaults(): void;
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
