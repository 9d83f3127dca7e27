/**
 * Follows the changes that other clients make in Konnect, and checks that status counts a correction for each of them, or says why not, and counts
 * none without such a change.
 *
 * A change needs no correction if the operator cannot know it:
 * - The operator wrote the object after it had read it, and the change lies between the two. Konnect has no precondition for a write.
 * - Status says `updating` when the operator first sees the change. A write of the operator is then unanswered, and the difference may be its own.
 * - Konnect has switched the webhook off after failed deliveries, and changed the time of its last change with that.
 * - The other client has switched a webhook off whose last delivery failed. Konnect shows the same after it has done so itself.
 * - Konnect did not say when it executed the operator's last write of a destination. The operator records the time that it reads next.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Destination, Webhook } from '../../sandbox/konnect/model.ts';
import type { AuditLogForwarding } from '../../src/api/v1alpha1.ts';
import type { Call } from './faults.ts';
import { type DestinationState, destinationsOf, objectOf, type WebhookState, webhooksOf } from './konnect-snapshot.ts';
import type { SimulatedWorld } from './simulated-world.ts';

interface ForeignWrite {
  readonly object: string;
  /** What the object is after the change. */
  readonly state: ObjectState | undefined;
  /** The forwarding that has read the object since, and that status names as its owner. */
  seenBy?: string;
  /** True after a write of the operator that followed the read: the change is corrected, and waits to be counted. */
  isWritten?: boolean;
  /** True if nobody can tell whose change this is, because a write of the operator was unanswered when it read the object. */
  isUndecidable: boolean;
}

/** What the status of a forwarding records about an object. */
interface AppliedObject {
  readonly isApplied: boolean;
  readonly updating: string | undefined;
  readonly reason?: string | undefined;
  /** True if status does not say when Konnect executed the last write. */
  readonly isTimeUnknown?: boolean;
  readonly api?: string | undefined;
}

/** What an object is. */
type ObjectState = Destination | (Pick<Webhook, 'target' | 'enabled'> & { readonly isSwitchedOff: boolean });
type States = ReadonlyMap<string, ObjectState>;

export class ForeignWrites {
  readonly #world: SimulatedWorld;
  #states: States;
  /** Changes that the operator has neither corrected nor lost. */
  #open: ForeignWrite[] = [];
  /** True after Konnect has refused to say how a webhook delivers. Then nobody knows who has switched it off. */
  #isDeliveryHidden = false;
  /** Objects of changes that the operator has overwritten without having seen them. */
  readonly #lost = new Set<string>();
  /** By forwarding, the IDs of the destinations that status has named. */
  readonly #destinationIDs = new Map<string, Set<string>>();

  constructor(world: SimulatedWorld) {
    this.#world = world;
    this.#states = statesOf(webhooksOf(world), destinationsOf(world));
    for (const [of, object] of world.kubernetes.objects) this.#rememberDestination(of, object);
  }

  /** Records the state after a write of the operator. */
  operatorChanged(webhooks: readonly WebhookState[], destinations: readonly DestinationState[]): void {
    this.#states = statesOf(webhooks, destinations);
  }

  /** Records what other clients have changed since the last call of either method. Returns the changed objects. */
  peopleChanged(webhooks: readonly WebhookState[], destinations: readonly DestinationState[]): readonly string[] {
    const before = this.#states;
    this.#states = statesOf(webhooks, destinations);
    const objects = new Set([...before.keys(), ...this.#states.keys()]);
    const changed = [...objects].filter((one) => {
      const [was, is] = [before.get(one), this.#states.get(one)];
      // A portal that the token no longer sees is unchanged, and Konnect itself switches webhooks off.
      const isHidden = !one.startsWith('destination/') && (was === undefined || is === undefined);
      const isOfKonnect = isOffByKonnect(is) && !isOffByKonnect(was);
      return !isHidden && !isOfKonnect && !isDeepStrictEqual(was, is);
    });
    for (const object of changed) {
      // Of several changes that the operator has not corrected, only the last one is there to be corrected.
      this.#open = this.#open.filter((one) => one.object !== object || one.isUndecidable || one.isWritten === true);
      const isUndecidable =
        this.#isUntimed(object, before) || webhooks.some((one) => this.#isOffLikeKonnect(one, object));
      this.#open.push({ object, state: this.#states.get(object), isUndecidable });
    }
    return changed;
  }

  /** Records a call of the operator. `by` is the forwarding that it reconciles. */
  called({ object, what, kind, deliveryOf }: Call, outcome: string, by: string | undefined): void {
    if (deliveryOf !== undefined && outcome.startsWith('not done')) this.#isDeliveryHidden = true;
    if (object === undefined || by === undefined) return;
    for (const one of kind === 'write' && outcome.startsWith('done') ? this.#open : []) {
      if (one.object !== object) continue;
      if (one.seenBy === by) one.isWritten = true;
      else {
        one.seenBy = by;
        one.isUndecidable = true;
        this.#lost.add(object);
      }
    }
    const isAnswered = outcome === 'done' || outcome === 'done, stale-list' || outcome.includes('answered 404');
    if (kind !== 'read' || !isAnswered || this.#open.length === 0) return;
    const record = this.#recordOf(object, by);
    // Each API version shows only its own view of the organization's webhook.
    const isOtherView = record?.api !== undefined && !what.includes(`/${record.api}/`);
    if (record === undefined || isOtherView) return;
    for (const one of this.#open.filter((open) => open.object === object && open.seenBy === undefined)) {
      one.seenBy = by;
      const isUnsure = record.updating !== undefined || record.isTimeUnknown === true;
      one.isUndecidable ||= !record.isApplied || isUnsure || isOffByKonnect(one.state);
    }
  }

  /** Returns the objects whose corrections status counts although no other client changed them. */
  statusWritten(of: string, before: AuditLogForwarding | undefined, after: AuditLogForwarding): readonly string[] {
    this.#rememberDestination(of, after);
    const known = new Map((before?.status.corrections ?? []).map(({ object, at }) => [object, at]));
    const unfounded: string[] = [];
    for (const { object, at } of after.status.corrections ?? []) {
      const more = at.filter((time) => known.get(object)?.includes(time) !== true);
      for (let count = 0; count < more.length; count += 1) {
        const found = this.#open.filter((one) => this.#isNamed(of, after, object, one.object));
        if (found.length === 0 && !this.#isDeliveryHidden) unfounded.push(object);
        const isSeen = (one: ForeignWrite) => one.seenBy !== undefined && !one.isUndecidable;
        const settled = found.find((one) => isSeen(one) && one.isWritten) ?? found.find(isSeen) ?? found[0];
        this.#open = this.#open.filter((one) => one !== settled);
      }
    }
    return unfounded;
  }

  /** Returns whether the operator has overwritten a change of another client that it had not seen. */
  isLost(object: string): boolean {
    return this.#lost.has(object);
  }

  /** Returns whether nobody can tell that another client has changed the object. */
  isUndecidable(object: string): boolean {
    return this.#open.some((one) => one.object === object && one.isUndecidable);
  }

  /** Returns whether another client has changed the object, and the operator has not read it since. */
  isUnseen(object: string): boolean {
    return this.#open.some((one) => one.object === object && one.seenBy === undefined);
  }

  /** Returns the objects whose changes the operator has neither corrected nor mentioned. */
  untold(): readonly string[] {
    return this.#open.filter((one) => !one.isUndecidable && !this.#isMentioned(one)).map(({ object }) => object);
  }

  /** True if no spec wants the object, status says why it is left unchanged, or it still is as the other client left it. */
  #isMentioned({ object, state, seenBy }: ForeignWrite): boolean {
    const owners = seenBy === undefined ? [...this.#world.kubernetes.objects.keys()] : [seenBy];
    return owners.every((of) => {
      const record = this.#recordOf(object, of);
      const forwarding = this.#world.kubernetes.objects.get(of);
      if (record === undefined || forwarding === undefined || record.reason !== undefined) return true;
      const { metadata, spec, status } = forwarding;
      if (metadata.deletionTimestamp !== undefined || spec.suspend || spec.mode === 'Observe') return true;
      const ready = status.conditions?.find(({ type }) => type === 'DestinationReady');
      if (object.startsWith('destination/')) return ready?.status === 'False';
      return seenBy !== undefined && isDeepStrictEqual(this.#states.get(object), state);
    });
  }

  /** True for an authorization that was changed before the operator knew the time of its own last write. Konnect shows only the time. */
  #isUntimed(object: string, before: States): boolean {
    const shown = (state: ObjectState | undefined) => ({ ...state, authorization: '', updatedAt: undefined });
    const isShown = !isDeepStrictEqual(shown(before.get(object)), shown(this.#states.get(object)));
    if (!object.startsWith('destination/') || isShown || this.#world.konnect.behavior.patchAnswersUpdatedAt)
      return false;
    return [...this.#world.kubernetes.objects.keys()].some((of) => {
      const record = this.#recordOf(object, of);
      return record?.updating !== undefined || record?.isTimeUnknown === true;
    });
  }

  /** True for a webhook that Konnect shows as if it had switched it off after a failed delivery. */
  #isOffLikeKonnect(one: WebhookState, object: string): boolean {
    const { enabled, lastAttempt } = one.webhook;
    const isShown = this.#world.konnect.behavior.inactiveWebhook === 'failed';
    return objectOf(one) === object && isShown && !enabled && lastAttempt?.ok === false;
  }

  /** Returns what the forwarding's status records about the object. */
  #recordOf(object: string, of: string | undefined): AppliedObject | undefined {
    const { status } = this.#world.kubernetes.objects.get(of ?? '') ?? {};
    const { destination, organization, konnect } = status ?? {};
    const [kind, id] = object.split('/');
    if (kind === 'destination') {
      if (destination?.id !== id || destination?.managed === false || destination?.creating !== undefined)
        return undefined;
      const { logFormat, updating, updatedAt } = destination ?? {};
      return { isApplied: logFormat !== undefined, updating, isTimeUnknown: updatedAt === undefined };
    }
    const here = `organization/${konnect?.organizationID ?? ''}/${konnect?.region ?? ''}`;
    const record =
      kind === 'portal' ? status?.portals?.find((one) => one.id === id) : object === here ? organization : undefined;
    if (record === undefined) return undefined;
    const { applied, updating, reason } = record;
    const api = object === here ? organization?.api : undefined;
    const deliveryKey = kind === 'portal' ? id : kind;
    const isRecovering = status?.delivery?.some((one) => one.key === deliveryKey && one.switchOn !== undefined);
    return { isApplied: applied !== undefined && isRecovering !== true, updating, reason, api };
  }

  #rememberDestination(of: string, { status: { destination } }: AuditLogForwarding): void {
    if (destination?.id === undefined) return;
    this.#destinationIDs.set(of, (this.#destinationIDs.get(of) ?? new Set()).add(destination.id));
  }

  /** Returns whether `name`, an object in `status.corrections`, is this object of Konnect. */
  #isNamed(of: string, { status }: AuditLogForwarding, name: string, object: string): boolean {
    const { organizationID = '', region = '' } = status.konnect ?? {};
    if (name === 'organization') return object === `organization/${organizationID}/${region}`;
    if (name !== 'destination') return object === name;
    const [kind, id = ''] = object.split('/');
    return kind === 'destination' && this.#destinationIDs.get(of)?.has(id) === true;
  }
}

/** True for a webhook that Konnect itself has switched off. */
function isOffByKonnect(state: ObjectState | undefined): boolean {
  return state !== undefined && 'isSwitchedOff' in state && state.isSwitchedOff;
}

function statesOf(webhooks: readonly WebhookState[], destinations: readonly DestinationState[]): States {
  return new Map<string, ObjectState>([
    ...webhooks.map((one) => {
      const { target, enabled, isSwitchedOff } = one.webhook;
      return [objectOf(one), { target, enabled, isSwitchedOff: isSwitchedOff === true }] as const;
    }),
    ...destinations.map(({ destination }) => [`destination/${destination.id}`, destination] as const),
  ]);
}
