/** What differs from the final state of a scenario. */
import type { AuditLogForwarding } from '../../src/api/v1alpha1.ts';
import { key } from '../support/forwarding-spec.ts';
import type { ForeignWrites } from './foreign-writes.ts';
import type { Violation } from './invariants.ts';
import { destinationsOf, objectOf, pointsAt, type WebhookState, webhooksOf } from './konnect-snapshot.ts';
import type { Replays } from './replays.ts';
import type { FinalState, Scenario } from './scenario.ts';
import type { SearchJobs } from './search-jobs.ts';
import type { SimulatedWorld } from './simulated-world.ts';

/** The world in the end, and what was observed on the way. */
export interface Ending {
  readonly world: SimulatedWorld;
  readonly scenario: Scenario;
  readonly foreignWrites: ForeignWrites;
  readonly replays: Replays;
  readonly searchJobs: SearchJobs;
  /** By webhook, what another client has last pointed it at. */
  readonly changedByOthers: ReadonlyMap<string, string>;
  /** Returns whether a webhook is that of another client. */
  readonly isForeign: (webhook: string) => boolean;
  /** Returns whether a destination is that of another client, or one that the operator has given up. */
  readonly isLeftBehind: (destinationID: string) => boolean;
}

/** Returns what differs from a final state. */
export function differencesFrom(
  { after, destinations: wantedDestinations, readiness = {}, mayRemain: leaves = [] }: FinalState,
  { world, scenario, foreignWrites, replays, searchJobs, changedByOthers, isForeign, isLeftBehind }: Ending,
): Violation[] {
  const found: Violation[] = [];
  const webhooks = webhooksOf(world);
  const destinations = destinationsOf(world).filter(({ destination: { id } }) => !isLeftBehind(id));
  for (const one of webhooks) {
    if (isForeign(one.name)) continue;
    const wanted = after[one.name] ?? 'nothing off';
    const is = pointsAt(one);
    // What spec does not want stays as another client has left it.
    const isLeft =
      wanted === 'nothing off' && (changedByOthers.get(one.name) === is || foreignWrites.isLost(objectOf(one)));
    if (is !== wanted && !isLeft && !leaves.includes(one.name)) {
      found.push({
        invariant: wanted === 'nothing off' ? 'orphan' : 'converges',
        detail: `${one.name}: ${is}, wanted: ${wanted}`,
      });
    }
  }
  const names = destinations
    .map(({ name }) => name)
    .filter((name) => !leaves.includes(name))
    .toSorted();
  const surplus = names.filter((name, index) => !wantedDestinations.includes(name) || names.indexOf(name) !== index);
  if (surplus.length > 0) found.push({ invariant: 'orphan', detail: `left: ${surplus.join(', ')}` });
  const lacking = wantedDestinations.filter((name) => !names.includes(name));
  if (lacking.length > 0) found.push({ invariant: 'converges', detail: `lacking: ${lacking.join(', ')}` });
  for (const of of new Set([...world.kubernetes.objects.keys(), ...Object.keys(readiness)])) {
    const wanted = readiness[of] ?? 'True InSync';
    const is = world.readinessOf(of);
    if (is !== wanted) found.push({ invariant: 'converges', detail: `${of}: ${is}, wanted: ${wanted}` });
  }
  for (const of of world.kubernetes.replaced) {
    found.push({ invariant: 'remembered', detail: `${of} still lacks the finalizer that a user removed` });
  }
  for (const [of, { metadata, status, spec }] of world.kubernetes.objects) {
    const isLeftAlone = leaves.length > 0 || (scenario.writesNothing === true && of === key);
    if (!isLeftAlone && (status.cleanup ?? []).length > 0)
      found.push({ invariant: 'converges', detail: `${of} still has entries in status.cleanup` });
    if (status.destination?.creating !== undefined)
      found.push({ invariant: 'converges', detail: `${of} still has a pending creation` });
    if (status.observedGeneration !== metadata.generation) {
      found.push({ invariant: 'converges', detail: `${of} has not observed its generation` });
    }
    for (const { id, state, destinationID } of status.portals ?? []) {
      const webhook = webhooks.find(({ which }) => which.kind === 'portal' && which.id === id);
      if (state === 'refused' && destinationID !== undefined && webhook?.destination?.id === destinationID)
        found.push({ invariant: 'converges', detail: `${of} says that portal ${id} is refused` });
    }
    const wrongCount = wrongNumberOfPortals({ spec, status }, webhooks);
    if (wrongCount !== undefined) found.push({ invariant: 'honest', detail: `${of} says that ${wrongCount}` });
    const region = status.konnect?.region;
    if (!isLeftAlone && region !== undefined && region !== spec.konnect.region)
      found.push({ invariant: 'converges', detail: `${of} is in ${region}` });
  }
  const { replayed = [], verified } = scenario;
  for (const detail of replays.missing(replayed, webhooks)) found.push({ invariant: 'unforgotten', detail });
  const ofSearches = world.wasDeletedByFault ? [] : searchJobs.missing(verified);
  for (const detail of ofSearches) found.push({ invariant: 'converges', detail });
  for (const object of foreignWrites.untold())
    found.push({
      invariant: 'attributed',
      detail: `another client has changed ${object}, and status does not say so`,
    });
  return [...found, ...outdatedCredentials(world, foreignWrites, webhooks)];
}

/** Returns how many portals status says are in place, if that is wrong. The status of a suspended forwarding stays as it was. */
function wrongNumberOfPortals(
  { spec, status }: Pick<AuditLogForwarding, 'spec' | 'status'>,
  webhooks: readonly WebhookState[],
): string | undefined {
  const { portals = [], portalRefs } = spec;
  const [said] = status.portalsReady?.split('/') ?? [];
  if (said === undefined || portalRefs !== undefined || spec.suspend) return undefined;
  const inPlace = portals.filter(({ id }) => {
    const { webhook, destination } = webhooks.find(({ which }) => which.kind === 'portal' && which.id === id) ?? {};
    return destination !== undefined && destination.id === status.destination?.id && webhook?.isSwitchedOff !== true;
  });
  return Number(said) === inPlace.length ? undefined : `${said} portals are in place, not ${String(inPlace.length)}`;
}

/** Returns a violation for each endpoint or authorization that is not that of the present Secret. */
function outdatedCredentials(
  world: SimulatedWorld,
  foreignWrites: ForeignWrites,
  webhooks: readonly WebhookState[],
): Violation[] {
  return [...world.kubernetes.objects].flatMap(([of, { metadata, spec, status }]): Violation[] => {
    const secret = world.kubernetes.secrets.get(`${metadata.namespace}/${spec.destination?.secretRef.name ?? ''}`);
    if (secret === undefined || metadata.deletionTimestamp !== undefined) return [];
    const decode = (field: string) => Buffer.from(secret.data[field] ?? '', 'base64').toString();
    const wanted = { endpoint: decode('endpoint'), authorization: decode('authorization') };
    const own = destinationsOf(world).find(
      ({ destination: { id } }) => id === status.destination?.id && !foreignWrites.isUndecidable(`destination/${id}`),
    );
    const inline = webhooks.find(
      ({ which, organization }) =>
        status.organization?.api === 'v2' &&
        status.organization.state !== 'refused' &&
        which.kind === 'organization' &&
        which.region === spec.konnect.region &&
        organization.id === status.konnect?.organizationID,
    )?.webhook.target;
    const found = [own?.destination, inline?.kind === 'inline' ? inline.inline : undefined];
    const isOld = found.some(
      (one) => one !== undefined && (one.endpoint !== wanted.endpoint || one.authorization !== wanted.authorization),
    );
    return isOld ? [{ invariant: 'converges', detail: `${of} forwards with an old Secret` }] : [];
  });
}
