import type { Behavior } from '../../sandbox/konnect/behavior.ts';
import { changeDestination, createDestination } from '../../sandbox/konnect/model/destinations.ts';
import { pointWebhook } from '../../sandbox/konnect/model/webhooks.ts';
import {
  createModel,
  type DestinationVersion,
  type KonnectModel,
  type Organization,
  type Webhook,
  webhookIn,
} from '../../sandbox/konnect/model.ts';
import type { AuditLogForwarding, Status } from '../../src/api/v1alpha1.ts';
import type { PortalObject } from '../../src/forwarding/ports.ts';
import { key, type SpecChoice, specOf } from '../support/forwarding-spec.ts';
import { blue, konnectSeed } from '../support/konnect-fixtures.ts';
import type { Call } from './faults.ts';
import { Kubernetes, type SavedKubernetes } from './kubernetes.ts';
import { SimulatedSumoLogic } from './simulated-sumologic.ts';

/** Gets every effect of a call at once. */
export interface Observer {
  /** Kubernetes or Konnect has changed. */
  changed: (what: string, by: 'operator' | 'people') => void;
  statusWritten: (key: string, before: AuditLogForwarding | undefined, after: AuditLogForwarding) => void;
  /** `reconciling` is the forwarding that the operator reconciles. */
  called: (call: Call, outcome: string, by: 'operator' | 'late', reconciling: string | undefined) => void;
}

export interface WorldOptions {
  readonly behavior?: Partial<Behavior> | undefined;
  readonly seed: number;
  /** Default: the organizations of the seed, and nothing else. */
  readonly from?: SavedState | undefined;
}

export interface SavedState {
  readonly made: number;
  readonly ms: number;
  readonly organizations: ReadonlyMap<string, Organization>;
  readonly kubernetes: SavedKubernetes;
}

const noObserver: Observer = { changed: () => undefined, statusWritten: () => undefined, called: () => undefined };

/** Kubernetes, Konnect and SumoLogic without an operator, a manual clock, and what people do. */
export abstract class SimulatedSystems {
  readonly konnect: KonnectModel;
  readonly sumologic: SimulatedSumoLogic;
  /** The times of the lines that SumoLogic has dropped with HTTP 200. */
  readonly lostLinesMs: number[] = [];
  readonly kubernetes: Kubernetes;
  readonly clock: { ms: number };
  observer: Observer = noObserver;
  /** Number of IDs that Konnect has assigned. */
  #createdIDs: number;
  /** Number of requests that Konnect has traced. */
  #traces = 0;
  readonly #hidden = new Map<string, Organization['portals'] extends Map<string, infer P> ? P : never>();

  constructor({ behavior = {}, from }: Pick<WorldOptions, 'behavior' | 'from'>) {
    this.#createdIDs = from?.made ?? 0;
    this.clock = { ms: from?.ms ?? Date.parse('2026-01-02T03:04:05Z') };
    this.konnect = createModel({
      behavior,
      clock: () => new Date(this.clock.ms),
      newID: () => {
        this.#createdIDs += 1;
        return `${String(this.#createdIDs).padStart(8, '0')}-0000-4000-8000-000000000000`;
      },
      newTraceID: () => {
        this.#traces += 1;
        return String(this.#traces);
      },
      seed: from === undefined ? konnectSeed : { ...konnectSeed, organizations: [] },
    });
    for (const [id, organization] of structuredClone(from?.organizations) ?? []) {
      this.konnect.organizations.set(id, organization);
    }
    this.sumologic = new SimulatedSumoLogic(this.konnect);
    this.kubernetes = new Kubernetes({
      nowMs: () => this.clock.ms,
      onChange: (by, before, event) => {
        if (by === 'operator' && !event.isDeleted && before?.status !== event.object.status) {
          this.observer.statusWritten(event.key, before, event.object);
        }
        this.deliverEvents();
      },
      from: from?.kubernetes,
    });
  }

  /** Called after each change in Kubernetes. */
  protected abstract deliverEvents(): void;

  /** Returns the state outside of the operator. Any number of worlds can begin with it. */
  save(): SavedState {
    for (const { events } of this.konnect.organizations.values()) events.length = 0;
    return {
      made: this.#createdIDs,
      ms: this.clock.ms,
      organizations: structuredClone(this.konnect.organizations),
      kubernetes: this.kubernetes.save(),
    };
  }

  organization(id: string = blue): Organization {
    const found = this.konnect.organizations.get(id);
    if (found === undefined) throw new TypeError('there is no such organization');
    return found;
  }

  portal(id: string, organization = this.organization()): Webhook {
    const found = organization.portals.get(id);
    if (found === undefined) throw new TypeError('there is no such portal');
    return found.webhook;
  }

  webhook(region = 'us'): Webhook {
    return webhookIn(this.organization(), region);
  }

  statusOf(of: string): Status {
    return this.kubernetes.objects.get(of)?.status ?? {};
  }

  /** Returns status and reason of `Ready`, and the conditions beside it. `gone` if there is no such object. */
  readinessOf(of: string): string {
    const object = this.kubernetes.objects.get(of);
    if (object === undefined) return 'gone';
    const find = (type: string) => object.status.conditions?.find((one) => one.type === type);
    const ready = find('Ready');
    const marks = ['Stalled', 'Reconciling'].filter((type) => find(type) !== undefined);
    return [`${ready?.status ?? '-'} ${ready?.reason ?? '-'}`, ...marks].join(' ');
  }

  /** Changes of a user in Kubernetes or of another client in Konnect. Each advances the clock by one second. */
  add(choice: SpecChoice, as = key, ageMs = 3_600_000): void {
    this.kubernetes.create(as, specOf(choice), ageMs);
    this.told(`a user creates ${as}`);
  }

  edit(choice: SpecChoice, of = key): void {
    this.kubernetes.edit(of, specOf(choice));
    this.told(`a user edits ${of}`);
  }

  annotate(name: string, value: string, of = key): void {
    this.kubernetes.annotate(of, name, value);
    this.told(`a user annotates ${of}`);
  }

  /** Replaces a forwarding, and with it removes its finalizer. */
  replace(of = key): void {
    this.kubernetes.replace(of);
    this.told(`a user replaces ${of}`);
  }

  delete(of = key): void {
    this.kubernetes.delete(of);
    this.told(`a user deletes ${of}`);
  }

  /** Without `id`, the Portal is deleted. */
  putPortal(name: string, id: string | undefined): void {
    const portal: PortalObject = id === undefined ? { kind: 'absent' } : { kind: 'portal', id, organizationID: blue };
    this.kubernetes.portals.set(`platform/${name}`, portal);
    this.told(`a user changes Portal ${name}`);
  }

  createForeign(
    name: string,
    { endpoint = 'https://other.example.com/x', organization = this.organization() } = {},
  ): string {
    const fields = { name, endpoint, authorization: 'theirs', logFormat: 'cef', skipSSLVerification: false } as const;
    const { id } = createDestination(this.konnect, organization, fields);
    this.told(`another client creates destination ${name}`);
    return id;
  }

  /** Returns the destination with this name. Throws an error if there is none. */
  destination(name: string): DestinationVersion {
    const standing = this.organization().destinations.filter(({ to }) => to === undefined);
    const found = standing.find(({ destination }) => destination.name === name);
    if (found === undefined) throw new TypeError(`there is no destination ${name}`);
    return found;
  }

  idOf(name: string): string {
    return this.destination(name).destination.id;
  }

  /** Changes a destination as the operator of another cluster does, which wants another format. */
  changeFormat(id: string): void {
    changeDestination(this.konnect, this.organization(), id, { logFormat: 'json' });
    this.told(`another client changes destination ${id}`);
  }

  attach(webhook: Webhook, id: string, organization = this.organization()): void {
    pointWebhook(this.konnect, organization, webhook, { kind: 'destination', id });
    webhook.enabled = true;
    this.told('another client attaches a webhook');
  }

  /** Hides a portal from every token, as if its role were gone, or shows it again. */
  hide(id: string, isHidden = true): void {
    const { portals } = this.organization();
    const hidden = this.#hidden.get(id) ?? portals.get(id);
    if (hidden === undefined) throw new TypeError('there is no such portal');
    this.#hidden.set(id, hidden);
    if (isHidden) portals.delete(id);
    else portals.set(id, hidden);
    this.told(`portal ${id} is ${isHidden ? 'hidden' : 'shown'}`);
  }

  /** Tells the observer of a change that people made. */
  told(what: string): void {
    this.observer.changed(what, 'people');
    this.clock.ms += 1_000;
  }
}
