import type { Behavior } from '../../sandbox/konnect/behavior.ts';
import type { SpecChoice } from '../support/forwarding-spec.ts';
import type { SimulatedWorld } from './simulated-world.ts';

/** What Konnect and Kubernetes must contain in the end. */
export interface FinalState {
  /** Targets of webhooks. Webhooks that are not listed must be as before the scenario, or without a target. */
  readonly after: Readonly<Record<string, string>>;
  /** Destinations of our forwardings. */
  readonly destinations: readonly string[];
  /** Readiness of forwardings, if it is not `True InSync`. */
  readonly readiness?: Readonly<Record<string, string>>;
  /** Webhooks and destinations that may remain, since no token allows to remove them any more. */
  readonly mayRemain?: readonly string[];
}

/** One change of a world at rest, and its result. */
export interface Scenario extends FinalState {
  readonly title: string;
  readonly behavior?: Partial<Behavior>;
  /** Creates what exists before our forwarding. */
  readonly foreign?: (world: SimulatedWorld) => void;
  /** Our forwarding at the start. Left out if the change creates it. */
  readonly before?: SpecChoice;
  /** Runs before the change, when the forwarding is in sync. */
  readonly prepare?: (world: SimulatedWorld) => Promise<void>;
  readonly change: (world: SimulatedWorld) => void;
  /** Further changes. Each follows a resync, in the same process unless a fault ended it. */
  readonly later?: readonly ((world: SimulatedWorld) => void)[];
  /** Also accepted if a user has taken the change back. The state before the change always is. */
  readonly undone?: FinalState;
  /** Also accepted after a fault: a crash loses the memory of the process, and a refused call may put a change off. */
  readonly afterFault?: FinalState;
  /** Also accepted if Konnect has refused a call with 4xx. */
  readonly afterRefusal?: FinalState;
  /** Webhooks of which a gap or a requested period has to be replayed. */
  readonly replayed?: readonly string[];
  /** What Konnect delivers before each resync, once the changes are made, until the final state is reached. */
  readonly traffic?: (world: SimulatedWorld) => void;
  /** Status and reason of `Verified` at the end. */
  readonly verified?: string;
  /** Resyncs that may still write. */
  readonly resyncsBeforeRest?: number;
  /** Webhooks that are off while they change their kind. They are checked from when they have their final target. */
  readonly mayBeInterrupted?: readonly string[];
  /** Groups of webhooks. In each group, one must be on at every moment. */
  readonly oneOf?: readonly (readonly string[])[];
  /** Webhooks change their owner. They may be off if Konnect refuses a call of the next owner, or if a fault lasts longer than the owner waits. */
  readonly changesOwner?: boolean;
  /** Names of destinations and webhooks of other clients that the operator may adopt or change. */
  readonly mayBeTaken?: readonly string[];
  /** The operator may write nothing to Konnect. */
  readonly writesNothing?: boolean;
  /** The operator leaves objects in Konnect, and no status records them. */
  readonly leavesUnrecorded?: boolean;
  /** A fault may delete the forwarding at any moment. Then nothing of ours may remain. */
  readonly deletable?: boolean;
}
