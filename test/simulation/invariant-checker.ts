import type { AuditLogForwarding, Status } from '../../src/api/v1alpha1.ts';
import { nameOf } from '../../src/forwarding/ownership/claims.ts';
import { key } from '../support/forwarding-spec.ts';
import { Alternation } from './alternation.ts';
import { type Call, isRefusal, type PlannedFault } from './faults.ts';
import { differencesFrom } from './final-state.ts';
import type { ForeignObjects } from './foreign-objects.ts';
import { ForeignWrites } from './foreign-writes.ts';
import { untruths } from './honesty.ts';
import type { Invariant, Violation } from './invariants.ts';
import {
  type DestinationState,
  destinationsOf,
  isDelivering,
  objectOf,
  pointsAt,
  type WebhookState,
  webhooksOf,
} from './konnect-snapshot.ts';
import { namesDestination, namesWebhook } from './recorded-objects.ts';
import { Replays } from './replays.ts';
import type { FinalState, Scenario } from './scenario.ts';
import { SearchJobs } from './search-jobs.ts';
import type { Observer } from './simulated-systems.ts';
import { type SimulatedWorld, staleMs } from './simulated-world.ts';
import { digestOf, stateInWords } from './state-digest.ts';
import { statusInWords } from './status-text.ts';

export interface CheckedScenario {
  readonly scenario: Scenario;
  /** The result of `snapshotForeign` before the scenario's forwardings exist. */
  readonly foreign: ForeignObjects;
  /** What has to be if a user has taken the change back. */
  readonly before: readonly FinalState[];
}

interface PendingCreation {
  readonly name: string;
  readonly sinceMs: number;
}

/** Checks the invariants during one run of a scenario, from its change on. */
export class InvariantChecker implements Observer {
  readonly violations: Violation[] = [];
  /** Digests of all observed states. Undefined if nobody wants them. */
  readonly states: Set<string> | undefined;
  /** Lines of the history. Undefined if it is not recorded. */
  readonly history: string[] | undefined;
  readonly #world: SimulatedWorld;
  readonly #scenario: Scenario;
  readonly #foreignWrites: ForeignWrites;
  readonly #alternation = new Alternation();
  readonly #replays: Replays;
  readonly #searchJobs: SearchJobs;
  /** What has to be at the end: the scenario's final state, or the one before its change if a user has taken that back. */
  #target: FinalState;
  readonly #before: readonly FinalState[];
  /** Endpoints and authorizations that a Secret has had together. */
  readonly #pairs = new Set<string>();
  readonly #foreignDestinations: ReadonlyMap<string, string>;
  readonly #foreignWebhooks: ReadonlyMap<string, string>;
  /** Webhooks that point at a destination which another client has deleted. */
  readonly #dangling: Set<string>;
  /** By webhook, what another client has last pointed it at. */
  readonly #changedByOthers = new Map<string, string>();
  /** Webhooks that have been on with their wanted target. */
  readonly #hasBeenOn = new Set<string>();
  readonly #unansweredCreations = new Set<string>();
  readonly #startedMs: number;
  #lostPosts = 0;
  /** True from when a user has taken the change back until all is at rest. */
  #isTurning = false;

  /** Has to be created before the scenario's change. */
  constructor(
    world: SimulatedWorld,
    { scenario, foreign, before }: CheckedScenario,
    states: Set<string> | undefined,
    history: string[] | undefined,
  ) {
    this.#world = world;
    this.#scenario = scenario;
    this.states = states;
    this.history = history;
    this.#startedMs = world.clock.ms;
    this.#target = scenario;
    this.#before = before;
    this.#foreignWrites = new ForeignWrites(world);
    this.#replays = new Replays(world, webhooksOf(world));
    this.#searchJobs = new SearchJobs(world);
    this.#rememberPairs();
    const taken = new Set(scenario.mayBeTaken);
    this.#foreignDestinations = new Map(
      [...foreign.destinations].filter(([, { name }]) => !taken.has(name)).map(([id, { text }]) => [id, text]),
    );
    this.#foreignWebhooks = new Map([...foreign.webhooks].filter(([name]) => !taken.has(name)));
    this.#dangling = new Set(
      webhooksOf(world)
        .filter(isDangling)
        .map(({ name }) => name),
    );
  }

  /** Begins with a change that people have made. `target` is what has to be at the end. */
  begin(target: FinalState): void {
    this.#aimAt(target);
    this.changed('people make the change', 'people');
  }

  /** All that users want has been reconciled. A reconciliation that began before a user took the change back may interrupt a webhook. */
  atRest(): void {
    if (this.#isTurning) this.#aimAt(this.#target);
    this.#isTurning = false;
  }

  #aimAt(target: FinalState): void {
    this.#target = target;
    this.#hasBeenOn.clear();
    for (const one of webhooksOf(this.#world)) {
      const mayBeOff = (this.#scenario.mayBeInterrupted ?? []).includes(one.name);
      if (this.#isWantedOn(one.name) && !mayBeOff && isDelivering(one)) this.#hasBeenOn.add(one.name);
    }
  }

  changed(what: string, by: 'operator' | 'people'): void {
    const world = this.#world;
    const webhooks = webhooksOf(world);
    const destinations = destinationsOf(world);
    if (by === 'operator') this.#foreignWrites.operatorChanged(webhooks, destinations);
    else this.#peopleChanged(webhooks, destinations);
    const isUnknowable = (one: WebhookState) =>
      [objectOf(one), `destination/${one.destination?.id ?? ''}`].some(
        (object) => this.#foreignWrites.isLost(object) || this.#foreignWrites.isUndecidable(object),
      );
    const ofReplays = this.#replays.changed(by, webhooks, isUnknowable);
    for (const { invariant, detail } of [...ofReplays, ...this.#searchJobs.changed()]) this.#violate(invariant, detail);
    if (this.history !== undefined) this.#log(`  ${what}: ${stateInWords(webhooks, destinations)}`);
    this.states?.add(digestOf(this.#world, this.#scenario.title, webhooks, destinations));
    for (const one of webhooks) this.#checkWebhook(one);
    for (const group of this.#world.wasDeletedByFault || this.#isTurning ? [] : (this.#scenario.oneOf ?? [])) {
      const isOn = webhooks.some((one) => group.includes(one.name) && isDelivering(one));
      const isChanged = group.some((name) => this.#changedByOthers.has(name));
      if (!isOn && !isChanged) this.#violate('gap', `none of ${group.join(', ')} is on`);
    }
    this.#checkForeign(webhooks, destinations);
    this.#checkDestinations(destinations);
    this.#checkRecorded(webhooks, destinations);
  }

  #peopleChanged(webhooks: readonly WebhookState[], destinations: readonly DestinationState[]): void {
    this.#rememberPairs();
    const [before] = this.#before;
    if (this.#world.isUndone && before !== undefined && this.#target !== before) {
      this.#isTurning = true;
      this.#target = before;
    }
    const changed = new Set(this.#foreignWrites.peopleChanged(webhooks, destinations));
    for (const one of webhooks) {
      if (changed.has(objectOf(one))) this.#changedByOthers.set(one.name, pointsAt(one));
      if (changed.has(objectOf(one)) || isDangling(one)) this.#hasBeenOn.delete(one.name);
      if (isDangling(one)) this.#dangling.add(one.name);
    }
    for (const { destination } of destinations)
      if (changed.has(`destination/${destination.id}`))
        this.#pairs.add(`${destination.endpoint} ${destination.authorization}`);
  }

  #rememberPairs(): void {
    for (const { data } of this.#world.kubernetes.secrets.values()) {
      const decode = (field: string) => Buffer.from(data[field] ?? '', 'base64').toString();
      if (data['endpoint'] !== undefined) this.#pairs.add(`${decode('endpoint')} ${decode('authorization')}`);
    }
  }

  called(call: Call, outcome: string, by: 'operator' | 'late', reconciling: string | undefined): void {
    if (this.history !== undefined) this.#logCall(call, outcome, by);
    this.#foreignWrites.called(call, outcome, reconciling);
    this.#replays.called(call, outcome);
    for (const { invariant, detail } of this.#searchJobs.called(call, outcome)) this.#violate(invariant, detail);
    if (call.kind !== 'write' || call.system !== 'konnect') return;
    if (!this.#world.isUndone && this.#scenario.writesNothing === true) this.#violate('silent', call.what);
    if (!call.creates) return;
    // After 2xx and 4xx the operator knows the result. In all other cases, also after a crash, it does not.
    const isKnown = outcome === 'done' || /answered 4\d\d/.test(outcome) || outcome.startsWith('not done, http-4');
    if (isKnown) return;
    this.#lostPosts += 1;
    for (const [of, { status }] of this.#world.kubernetes.objects) {
      if (status.destination?.creating !== undefined)
        this.#unansweredCreations.add(`${of} ${status.destination.creating.since}`);
    }
  }

  #logCall({ what }: Call, outcome: string, by: 'operator' | 'late'): void {
    const seconds = ((this.#world.clock.ms - this.#startedMs) / 1_000).toFixed(2);
    this.#log(
      `${String(this.#world.calls).padStart(3)} ${seconds}s ${by === 'late' ? '(late) ' : ''}${what}: ${outcome}`,
    );
  }

  statusWritten(of: string, before: AuditLogForwarding | undefined, after: AuditLogForwarding): void {
    const { status } = after;
    const text = JSON.stringify(status);
    if (text.includes('CANARY')) this.#violate('honest', 'status contains a secret');
    if (this.history !== undefined) this.#log(`      ${of}: ${statusInWords(status)}`);
    for (const object of this.#foreignWrites.statusWritten(of, before, after))
      this.#violate('attributed', `${of} counts a correction of ${object}, which no other client has changed`);
    const ofReplays = this.#replays.statusWritten(of, before, after);
    for (const { invariant, detail } of [...ofReplays, ...this.#searchJobs.statusWritten(of, before, after)])
      this.#violate(invariant, detail);
    const repeated = this.#alternation.statusWritten(of, this.#world.readinessOf(of), this.#world.appliedFaults);
    if (repeated !== undefined) this.#violate('rests', repeated);
    this.#checkPatience(of, before?.status, status);
    const seen = { world: this.#world, foreignWrites: this.#foreignWrites };
    for (const detail of untruths(seen, of, before?.status, after)) this.#violate('honest', detail);
  }

  /** Checks the final state. */
  checkEnd(): void {
    for (const problem of this.missing()) this.#violate(problem.invariant, problem.detail);
  }

  /** Returns what still differs from the final state. */
  missing(): Violation[] {
    const { afterFault, afterRefusal, mayBeTaken = [] } = this.#scenario;
    if (this.#world.wasDeletedByFault) {
      const leaves = [...mayBeTaken, ...mayBeTaken.map((name) => `blue/${name}`)];
      return this.#missingFrom({ after: {}, destinations: [], readiness: { [key]: 'gone' }, mayRemain: leaves });
    }
    const states = this.#world.isUndone ? this.#before : [this.#target];
    const [found = [], ...others] = states.map((state) => this.#missingFrom(state));
    if (this.#isTaken() || others.some(({ length }) => length === 0)) return [];
    if (found.length === 0 || this.#world.isUndone) return found;
    const { appliedFaults } = this.#world;
    const accepted = [
      ...(afterFault !== undefined && appliedFaults.length > 0 ? [afterFault] : []),
      ...(afterRefusal !== undefined && appliedFaults.some(({ fault }) => isRefusal(fault)) ? [afterRefusal] : []),
    ];
    return accepted.some((state) => this.#missingFrom(state).length === 0) ? [] : found;
  }

  #missingFrom(target: FinalState): Violation[] {
    return differencesFrom(target, {
      world: this.#world,
      scenario: this.#scenario,
      foreignWrites: this.#foreignWrites,
      replays: this.#replays,
      searchJobs: this.#searchJobs,
      changedByOthers: this.#changedByOthers,
      isForeign: (webhook) => this.#foreignWebhooks.has(webhook),
      isLeftBehind: (id) => this.#foreignDestinations.has(id) || this.#isGivenUp(id),
    });
  }

  /** True if another client has taken an object in the middle of a reconciliation, and status says so. */
  #isTaken(): boolean {
    if (!this.#world.appliedFaults.some(({ fault }) => fault.startsWith('other-'))) return false;
    return [...this.#world.kubernetes.objects.values()].some(({ status: { conditions = [], portals = [] } }) =>
      [...conditions, ...portals].some(({ reason }) => reason === 'WebhookInUse' || reason === 'NameInUse'),
    );
  }

  violate(invariant: Invariant, detail: string): void {
    this.#violate(invariant, detail);
  }

  #violate(invariant: Invariant, detail: string): void {
    this.#log(`!!! ${invariant}: ${detail}`);
    if (this.violations.length < 20) this.violations.push({ invariant, detail });
  }

  #log(line: string): void {
    this.history?.push(line);
  }

  #isWantedOn(name: string): boolean {
    const { after, mayRemain = [] } = this.#target;
    return after[name]?.endsWith(' on') === true && !mayRemain.includes(name);
  }

  #checkWebhook(one: WebhookState): void {
    const { name } = one;
    if (!isDangling(one)) this.#dangling.delete(name);
    else if (!this.#dangling.has(name)) this.#violate('dangling', name);
    if (!this.#isWantedOn(name) || this.#world.wasDeletedByFault) return;
    const stands = isDelivering(one);
    if (this.#hasBeenOn.has(name)) {
      if (!stands && !this.#isTurning && !this.#mayBeOff()) this.#violate('gap', `${name}: ${pointsAt(one)}`);
    } else if (
      stands &&
      (!(this.#scenario.mayBeInterrupted ?? []).includes(name) || pointsAt(one) === this.#target.after[name])
    ) {
      this.#hasBeenOn.add(name);
    }
    const { target } = one.webhook;
    if (target.kind === 'inline') this.#checkPair(name, target.inline);
  }

  /** True if the next owner of a webhook cannot take it over while the present owner waits. */
  #mayBeOff(): boolean {
    const isLong = ({ fault, lasting }: PlannedFault) => lasting !== undefined || isRefusal(fault);
    return this.#scenario.changesOwner === true && this.#world.appliedFaults.some(isLong);
  }

  #checkPair(what: string, { endpoint, authorization }: { endpoint: string; authorization: string }): void {
    if (!this.#pairs.has(`${endpoint} ${authorization}`)) this.#violate('mixed', what);
  }

  #checkForeign(webhooks: readonly WebhookState[], destinations: readonly DestinationState[]): void {
    const standing = new Map(destinations.map(({ destination }) => [destination.id, destination]));
    for (const [id, text] of this.#foreignDestinations) {
      if (JSON.stringify(standing.get(id)) !== text) this.#violate('foreign', `destination ${id}`);
    }
    for (const { name, webhook } of webhooks) {
      const text = this.#foreignWebhooks.get(name);
      if (text !== undefined && JSON.stringify(webhook) !== text) this.#violate('foreign', name);
    }
  }

  #checkDestinations(destinations: readonly DestinationState[]): void {
    const names = new Map<string, number>();
    for (const { name, destination } of destinations) {
      names.set(name, (names.get(name) ?? 0) + 1);
      if (!this.#foreignDestinations.has(destination.id) && destination.authorization !== 'theirs')
        this.#checkPair(name, destination);
    }
    const hasDuplicate = [...names].some(([, count]) => count > 1);
    if (hasDuplicate && this.#lostPosts === 0)
      this.#violate('duplicates', [...names].filter(([, count]) => count > 1).join());
  }

  /** Checks that some status in the API server names each object. */
  #checkRecorded(webhooks: readonly WebhookState[], destinations: readonly DestinationState[]): void {
    if (this.#scenario.leavesUnrecorded === true) return;
    const holders = [...this.#world.kubernetes.objects.values()];
    for (const { name, destination } of destinations) {
      if (this.#foreignDestinations.has(destination.id) || destination.authorization === 'theirs') continue;
      const holder = holders.find(({ status }) => namesDestination(status, destination));
      if (holder === undefined) {
        if (!this.#isNotYetTaken(name) && !this.#isGivenUp(destination.id))
          this.#violate('remembered', `destination ${name} (${destination.id}) is in no status`);
      } else if (holder.metadata.finalizers.length === 0 && !this.#world.kubernetes.replaced.has(nameOf(holder)))
        this.#violate('remembered', `no finalizer holds destination ${name}`);
    }
    const foreign = (one: WebhookState) =>
      this.#foreignWebhooks.has(one.name) || one.destination?.authorization === 'theirs';
    for (const one of webhooks) {
      const { target, enabled } = one.webhook;
      if (target.kind === 'none' || foreign(one) || this.#isNotYetTaken(one.name)) continue;
      if (target.kind === 'inline' && !enabled) continue;
      if (target.kind === 'destination' && one.destination === undefined) continue;
      if (!holders.some((holder) => namesWebhook(holder, one))) {
        this.#violate('remembered', `${one.name}: ${pointsAt(one)} is in no status`);
      }
    }
  }

  /** True if Konnect has called the destination in use for so long that the operator has left it, and an event says so. */
  #isGivenUp(id: string): boolean {
    const isLong = this.#world.appliedFaults.some(
      ({ fault, lasting }) => fault === 'http-409' && lasting !== undefined,
    );
    const isLeft = ({ reason, note }: { reason: string; note: string }) =>
      reason === 'DestinationLeft' && note.includes(id);
    return isLong && this.#world.recordedEvents.some(isLeft);
  }

  /** True for objects of other clients with the same endpoint that the operator may still adopt. */
  #isNotYetTaken(name: string): boolean {
    return (this.#scenario.mayBeTaken ?? []).some((taken) => name === taken || name === `blue/${taken}`);
  }

  #checkPatience(of: string, before: Status | undefined, after: Status): void {
    const intent = pendingCreationOf(before);
    const next = pendingCreationOf(after);
    if (intent === undefined || next?.sinceMs === intent.sinceMs || isFoundByID(before, after)) return;
    const since = before?.destination?.creating?.since ?? '';
    if (!this.#unansweredCreations.has(`${of} ${since}`)) return;
    const waitedMs = this.#world.clock.ms - intent.sinceMs;
    // If the operator found the destination, the pending creation is resolved.
    const isFound = this.#world.recordedEvents.some(
      ({ reason, of: whose }) => whose === of && ['DestinationFound', 'DestinationDeleted'].includes(reason),
    );
    if (waitedMs < staleMs && !isFound)
      this.#violate('patience', `a pending creation was dropped after ${String(waitedMs)} ms`);
  }
}

/** True if status has the ID of the created destination, so that no search is necessary. */
function isFoundByID(before: Status | undefined, after: Status): boolean {
  return after.destination?.id !== undefined || before?.destination?.id !== undefined;
}

function isDangling({ webhook, destination }: WebhookState): boolean {
  return webhook.target.kind === 'destination' && destination === undefined;
}

function pendingCreationOf(status: Status | undefined): PendingCreation | undefined {
  const creating = status?.destination?.creating;
  return creating === undefined ? undefined : { name: creating.name, sinceMs: Date.parse(creating.since) };
}
