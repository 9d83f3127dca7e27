import type { AuditLogForwarding } from '../../src/api/v1alpha1.ts';
import type { KubernetesEvent } from '../../src/forwarding/ports.ts';
import { key } from '../support/forwarding-spec.ts';
import { carryOut, outcomeOf } from '../support/in-memory-konnect.ts';
import { randomOf } from '../support/random.ts';
import { perform } from './acts.ts';
import { applies, type Call, type Fault, isAct, type Lasting, type PlannedFault } from './faults.ts';
import { konnectCall, konnectError } from './konnect-transport.ts';
import type { SavedKubernetes } from './kubernetes.ts';
import { OperatorProcess } from './operator-process.ts';
import { clusterOf, kubeError } from './simulated-cluster.ts';
import { SumoLogicFault, sumoLogicCall } from './simulated-sumologic.ts';
import { SimulatedSystems, type WorldOptions } from './simulated-systems.ts';

/** Maximum age of a list of Konnect. */
export const staleMs = 30_000;
const lagMs = 10_000;
const latencyMs = 20;
const timeoutMs = 15_000;
const lateMs = 10_000;
const downMs = 2_000;
const maxRounds = 120;

/** Simulated Kubernetes, the model of the local Konnect with several organizations, a manual clock, and one process of the operator. */
export class SimulatedWorld extends SimulatedSystems {
  readonly recordedEvents: (KubernetesEvent & { readonly of: string })[] = [];
  /** Number of outside calls since `startCounting`. */
  calls = 0;
  readonly #counted: Call[] = [];
  /** Number of processes that a fault has ended. */
  crashes = 0;
  /** Number of requested writes, to Kubernetes and Konnect, without those that only record the time of an observation. */
  writes = 0;
  /** True after the fault that deletes our forwarding. */
  wasDeletedByFault = false;
  unexpectedError: Error | undefined;
  /** True if the operator runs one reconciliation at a time. */
  isSequential = false;
  readonly #random: () => number;
  #clusterName = '';
  #process: OperatorProcess;
  #plan: readonly PlannedFault[] = [];
  /** Faults that happened. */
  readonly appliedFaults: PlannedFault[] = [];
  /** The fault that lasts, from its first call on. */
  #lasting: { readonly fault: Fault; readonly what: string; left: number; readonly untilMs: number } | undefined;
  /** Kubernetes before the scenario's change. */
  #before: SavedKubernetes | undefined;
  /** True after a user has taken the scenario's change back. */
  isUndone = false;
  /** Number of watch events before the scenario's change. */
  #eventsBeforeChange = 0;
  #isCounting = false;
  #staleUntilMs = 0;
  /** Until when events are delayed, and how many of them the next process's cache contains at the start. */
  #lag: { readonly untilMs: number; readonly shown: number } | undefined;
  #delivered = 0;
  #afterCall: { readonly what: string; readonly action: () => void } | undefined;
  readonly #late: { readonly atMs: number; readonly action: () => void }[] = [];

  constructor({ behavior = {}, seed, from }: WorldOptions) {
    super({ behavior, from });
    this.#random = randomOf(seed);
    this.#delivered = this.kubernetes.events.length;
    this.#process = this.#newProcess([...this.kubernetes.objects.values()]);
  }

  /** True while a fault lasts that ends at a certain time. */
  get isFailing(): boolean {
    const untilMs = this.#lasting?.untilMs ?? 0;
    return Number.isFinite(untilMs) && this.clock.ms < untilMs;
  }

  putSecret(name: string, values: Readonly<Record<string, string>>): void {
    this.kubernetes.putSecret(`platform/${name}`, values);
    this.#process.handleSecretChange(`platform/${name}`);
    this.told(`a user writes Secret ${name}`);
  }

  /** Takes back what users have changed in Kubernetes since `startCounting`. Returns false if nothing can be taken back at this moment. */
  undo(): boolean {
    const before = this.#before;
    if (this.isUndone || before === undefined || !this.kubernetes.restore(before)) return false;
    this.isUndone = true;
    for (const secret of before.secrets.keys()) this.#process.handleSecretChange(secret);
    this.told('a user takes the change back');
    return true;
  }

  /** Runs the action once, directly after the first such call. */
  afterCall(what: string, action: () => void): void {
    this.#afterCall = { what, action };
  }

  /** Counts calls from now on, and applies the faults of the plan. */
  startCounting(plan: readonly PlannedFault[], shown: number): void {
    this.#plan = plan;
    this.#isCounting = true;
    this.#eventsBeforeChange = shown;
    this.#before = this.kubernetes.save();
    this.calls = 0;
  }

  /** Ends the faults. Returns the calls since `startCounting`. */
  stopCounting(): readonly Call[] {
    this.#isCounting = false;
    this.#lasting = undefined;
    return this.#counted;
  }

  /** Replaces the present process. `clusterName` is its flag --cluster-name, also after a crash. */
  restart(clusterName = this.#clusterName): void {
    this.#clusterName = clusterName;
    this.#process.crash();
    this.#start();
  }

  /** Reconciles and advances the clock until only resyncs are due. Resolves with false if that does not end. */
  async work(): Promise<boolean> {
    for (let round = 0; round < maxRounds; round += 1) {
      if (this.#process.hasCrashed) {
        this.clock.ms += downMs;
        this.crashes += 1;
        this.#start();
      }
      this.deliverEvents();
      this.#carryOutLate();
      if (this.#process.isBusy) {
        await this.#process.work(this.isSequential);
        this.unexpectedError ??= this.#process.unexpectedError;
        continue;
      }
      const next = [
        this.#process.nextRetryMs,
        this.#lag !== undefined && this.#delivered < this.kubernetes.events.length ? this.#lag.untilMs : undefined,
        ...this.#late.map(({ atMs }) => atMs),
      ].filter((one) => one !== undefined);
      if (next.length === 0) return true;
      this.clock.ms = Math.max(this.clock.ms, Math.min(...next));
    }
    return false;
  }

  /** Advances the clock to the next resync of all forwardings, and reconciles. */
  async resync(): Promise<boolean> {
    this.clock.ms = Math.max(this.clock.ms + 60_000, this.#process.lastResyncMs);
    return this.work();
  }

  #start(): void {
    const shown = this.#lag === undefined ? this.kubernetes.events.length : this.#lag.shown;
    const objects = new Map<string, AuditLogForwarding>();
    for (const { key: of, object, isDeleted } of this.kubernetes.events.slice(0, shown)) {
      if (isDeleted) objects.delete(of);
      else objects.set(of, object);
    }
    this.#delivered = shown;
    this.#process = this.#newProcess([...objects.values()]);
  }

  #newProcess(objects: readonly AuditLogForwarding[] = []): OperatorProcess {
    const process: OperatorProcess = new OperatorProcess({
      objects,
      nowMs: () => this.clock.ms,
      random: this.#random,
      clusterName: this.#clusterName,
      transport: {
        send: (request) =>
          this.#call(
            process,
            konnectCall(this.konnect, request),
            () => {
              // Lists show the state of 30 seconds ago.
              const isStale = this.clock.ms < this.#staleUntilMs;
              Object.assign(this.konnect.behavior, { staleListMs: isStale ? staleMs : 0 });
              return outcomeOf(request, carryOut(this.konnect, request));
            },
            (fault) => konnectError(fault, request),
          ),
      },
      cluster: clusterOf({
        kubernetes: this.kubernetes,
        call: (call, action) => this.#call(process, call, action, kubeError),
        recordEvent: (event) => this.recordedEvents.push(event),
      }),
      // Nothing else waits while a search does.
      clock: {
        now: () => this.clock.ms,
        schedule: (callback, delayMs) => {
          this.clock.ms += delayMs;
          const timer = setImmediate(callback);
          return () => clearImmediate(timer);
        },
      },
      search: {
        send: async (request) => {
          const send = () => this.sumologic.send(request);
          try {
            return await this.#call(process, sumoLogicCall(request), send, (fault) => new SumoLogicFault(fault));
          } catch (error) {
            if (error instanceof SumoLogicFault) return error.outcome;
            throw error;
          }
        },
      },
    });
    return process;
  }

  /** Executes one call of a process: counts it, and applies a fault of the plan. A crashed process gets no answer. */
  async #call<T>(process: OperatorProcess, call: Call, action: () => T, errorOf: (fault: Fault) => Error): Promise<T> {
    if (process.hasCrashed) return never();
    this.clock.ms += latencyMs;
    if (this.#isCounting) this.calls = this.#counted.push(call);
    const fault = this.#faultOf(call);
    if (call.kind === 'write' && call.isObservation !== true) this.writes += 1;
    const carry = (by: 'operator' | 'late' = 'operator'): T => {
      try {
        const result = action();
        this.observer.called(call, fault === undefined ? 'done' : `done, ${fault}`, by, process.reconciling);
        if (call.kind === 'write') this.observer.changed(call.what, 'operator');
        return result;
      } catch (error) {
        this.observer.called(call, error instanceof Error ? error.message : 'failed', by, process.reconciling);
        throw error;
      } finally {
        this.#runAfterCall(call);
        this.#act();
      }
    };
    return fault === undefined ? carry() : this.#withFault(fault, process, call, carry, errorOf);
  }

  /** Returns the fault of this call: one that lasts, or one that the plan has for it. */
  #faultOf(call: Call): Fault | undefined {
    const { what } = call;
    const lasting = this.#lasting;
    if (lasting !== undefined && what === lasting.what && lasting.left > 0 && this.clock.ms < lasting.untilMs) {
      lasting.left -= 1;
      return lasting.fault;
    }
    const planned = this.#isCounting ? this.#plan.find(({ at }) => at === this.calls) : undefined;
    if (planned === undefined || isAct(planned.fault) || !applies(planned.fault, call)) return undefined;
    this.appliedFaults.push(planned);
    const { fault } = planned;
    if (planned.lasting !== undefined) this.#lasting = { fault, what, ...this.#lengthOf(planned.lasting) };
    return fault;
  }

  #lengthOf(lasting: Lasting): { left: number; untilMs: number } {
    return 'times' in lasting
      ? { left: lasting.times - 1, untilMs: Number.POSITIVE_INFINITY }
      : { left: Number.POSITIVE_INFINITY, untilMs: this.clock.ms + lasting.minutes * 60_000 };
  }

  /** Lets people act after this call, if the plan says so. */
  #act(): void {
    const planned = this.#isCounting ? this.#plan.find(({ at }) => at === this.calls) : undefined;
    if (planned === undefined || !isAct(planned.fault) || this.appliedFaults.includes(planned)) return;
    if (perform(this, planned.fault, this.calls)) this.appliedFaults.push(planned);
  }

  #runAfterCall({ what }: Call): void {
    const waiting = this.#afterCall;
    if (waiting === undefined || !what.startsWith(waiting.what)) return;
    this.#afterCall = undefined;
    waiting.action();
  }

  async #withFault<T>(
    fault: Fault,
    process: OperatorProcess,
    call: Call,
    carry: (by?: 'operator' | 'late') => T,
    errorOf: (fault: Fault) => Error,
  ): Promise<T> {
    const omitted = () => this.observer.called(call, `not done, ${fault}`, 'operator', process.reconciling);
    const carried = () => {
      try {
        carry();
      } catch (error) {
        // The answer is lost in any case.
        if (error instanceof TypeError) throw error;
      }
    };
    switch (fault) {
      case 'crash-before':
        omitted();
        process.crash();
        return never();
      case 'crash-after':
      case 'crash-after+stale-list':
        carried();
        if (fault !== 'crash-after') this.#staleUntilMs = this.clock.ms + staleMs;
        process.crash();
        return never();
      case 'crash-after+deleted':
        carried();
        process.crash();
        this.wasDeletedByFault = true;
        if (this.kubernetes.objects.has(key)) this.delete();
        return never();
      case 'crash-done-late':
        omitted();
        this.#late.push({ atMs: this.clock.ms + lateMs, action: () => carry('late') });
        process.crash();
        return never();
      case 'stale-cache':
      case 'cache-behind': {
        const before = this.kubernetes.events.length;
        carried();
        this.#lag = {
          untilMs: this.clock.ms + lagMs,
          shown: fault === 'stale-cache' ? this.#eventsBeforeChange : before,
        };
        process.crash();
        return never();
      }
      case 'answer-lost':
      case 'answer-lost+stale-list':
      case 'http-500-done':
      case 'truncated':
        carried();
        if (fault === 'answer-lost+stale-list') this.#staleUntilMs = this.clock.ms + staleMs;
        throw errorOf(fault);
      case 'timeout':
        this.clock.ms += timeoutMs;
        omitted();
        throw errorOf(fault);
      case 'http-400':
      case 'http-401':
      case 'http-403':
      case 'http-409':
      case 'http-429':
      case 'http-500':
        omitted();
        throw errorOf(fault);
      case 'stale-list':
        this.#staleUntilMs = this.clock.ms + staleMs;
        return carry();
    }
  }

  /** Delivers the events to the process, unless they are delayed. */
  protected deliverEvents(): void {
    if (this.#lag !== undefined && this.clock.ms < this.#lag.untilMs) return;
    this.#lag = undefined;
    while (this.#delivered < this.kubernetes.events.length) {
      const event = this.kubernetes.events[this.#delivered];
      this.#delivered += 1;
      if (event !== undefined && !this.#process.hasCrashed) this.#process.handleEvent(event);
    }
  }

  #carryOutLate(): void {
    for (const one of this.#late.filter(({ atMs }) => atMs <= this.clock.ms)) {
      this.#late.splice(this.#late.indexOf(one), 1);
      try {
        one.action();
      } catch {
        // Konnect may refuse the delayed call.
      }
    }
  }
}

function never<T>(): Promise<T> {
  return new Promise<T>(() => undefined);
}
