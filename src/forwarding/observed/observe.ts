/** What stands in Konnect, read for one forwarding. A call that fails spoils only what it was for. */
import type { AuditLogForwarding, Status } from '../../api/v1alpha1.ts';
import { KonnectError } from '../../konnect/errors.ts';
import type { Destination, InlineWebhook, Webhook } from '../../konnect/schema.ts';
import type { ListWanted } from '../../konnect/session/destination-lists.ts';
import { type Desired, endpointDigest } from '../desired/desired-state.ts';
import { differences, wasOurs } from '../plan/plan.ts';
import type { Konnect } from '../ports.ts';
import { type Problem, problemOf } from '../problems.ts';

/** A destination, with its endpoint as a digest: nothing that plans or remembers needs more. */
export interface SeenDestination {
  readonly id: string;
  readonly name: string | undefined;
  readonly endpointDigest: string | undefined;
  readonly logFormat: string | undefined;
  readonly skipSSLVerification: boolean | undefined;
  readonly updatedAt: string | undefined;
}

export type ObservedDestination =
  | { readonly kind: 'unneeded' }
  | { readonly kind: 'unknown'; readonly problem: Problem }
  | {
      readonly kind: 'known';
      /** The one that status names by its ID. */
      readonly ours: SeenDestination | undefined;
      /** Others that bear the wanted name. */
      readonly named: readonly SeenDestination[];
      /** Others that bear the name of the intent on record, the oldest first. */
      readonly intended: readonly SeenDestination[];
    }
  /** Somebody else's, which spec names: one, where all is well. */
  | { readonly kind: 'referenced'; readonly found: readonly SeenDestination[] };

export type SeenWebhook =
  | { readonly kind: 'unknown'; readonly problem: Problem }
  /** There is no such portal, or the token may not see it. */
  | { readonly kind: 'missing' }
  | { readonly kind: 'unconfigured' }
  | {
      readonly kind: 'attached';
      readonly destinationID: string;
      readonly enabled: boolean;
      /** Asked, after the webhook was read, only where the destination is not ours; else true. */
      readonly destinationExists: boolean;
      /** Of the endpoint of a destination that is not ours. */
      readonly otherDigest?: string | undefined;
    }
  /** The organization's webhook with an endpoint of its own, as v2 shows it. */
  | {
      readonly kind: 'inline';
      readonly endpointDigest: string;
      readonly enabled: boolean;
      readonly logFormat: string | undefined;
      readonly skipSSLVerification: boolean | undefined;
      readonly updatedAt: string | undefined;
    };

export interface Observed {
  readonly destination: ObservedDestination;
  readonly organization: SeenWebhook | undefined;
  readonly portals: ReadonlyMap<string, SeenWebhook>;
}

/** Names nothing; Konnect's client takes it for no ID at all. */
export const nilUUID = '00000000-0000-0000-0000-000000000000';

export interface Subject {
  readonly forwarding: AuditLogForwarding;
  readonly konnect: Konnect;
  /** Where the token stands, for messages. */
  readonly tokenSource: string;
  readonly signal: AbortSignal;
}

/** `maxListAgeMs`: how old the shared list of destinations may be. */
export async function observe(
  subject: Subject,
  desired: Desired,
  memory: Status,
  maxListAgeMs: number,
): Promise<Observed> {
  const [destination, organization, ...portals] = await Promise.all([
    observeDestination(subject, desired, memory, maxListAgeMs),
    desired.organization === undefined ? undefined : observeOrganization(subject, desired, memory),
    ...desired.portals.map(({ id }) => observePortal(subject, desired, memory, id)),
  ]);
  return {
    destination,
    organization,
    portals: new Map(desired.portals.map(({ id }, index) => [id, portals[index] ?? { kind: 'missing' }])),
  };
}

/** `attempt`, or the problem that its KonnectError means for `object`. Anything else that is thrown goes on. */
export async function orProblem<T>(
  subject: Subject,
  object: string,
  attempt: () => Promise<T>,
): Promise<T | { readonly kind: 'unknown'; readonly problem: Problem }> {
  try {
    return await attempt();
  } catch (error) {
    if (!(error instanceof KonnectError) || subject.signal.aborted) throw error;
    return { kind: 'unknown', problem: problemOf(error, object, subject.tokenSource) };
  }
}

async function observeDestination(
  subject: Subject,
  desired: Desired,
  memory: Status,
  maxListAgeMs: number,
): Promise<ObservedDestination> {
  const { own, reference } = desired;
  if (!desired.usesDestination) return { kind: 'unneeded' };
  if (reference !== undefined) {
    return observeReference(subject, desired, {
      reference,
      remembered: memory.destination?.id,
      maxAgeMs: maxListAgeMs,
    });
  }
  if (own === undefined) return { kind: 'unneeded' };
  const { konnect, forwarding, signal } = subject;
  const remembered = memory.destination;
  const see = (one: Destination) => seen(forwarding.metadata.uid, one);
  return orProblem(subject, `destination "${own.settings.name}"`, async () => {
    const maxAgeMs = remembered?.creating === undefined ? maxListAgeMs : 0;
    const listed = (anyToken: boolean) => konnect.destinations(desired.api, { maxAgeMs, anyToken }, signal);
    // What another token saw confirms what is known; what is to be made is looked for with this one.
    let list = await listed(remembered?.id !== undefined);
    let ours: SeenDestination | undefined;
    if (remembered?.id !== undefined) {
      const inList = list.find(({ id }) => id === remembered.id);
      ours = inList === undefined ? undefined : see(inList);
      if (ours === undefined || differences(own, remembered, ours).length > 0) {
        const current = await konnect.client.getDestination(desired.api, remembered.id, signal);
        ours = current === undefined ? undefined : see(current);
      }
      if (ours === undefined) list = await listed(false);
    }
    const others = list.filter(({ id }) => id !== remembered?.id).toSorted(oldestFirst);
    return {
      kind: 'known',
      ours,
      named: others.filter(({ name }) => name === own.settings.name).map(see),
      intended: others.filter(({ name }) => name !== undefined && name === remembered?.creating?.name).map(see),
    };
  });
}

async function observeReference(
  subject: Subject,
  { api }: Desired,
  {
    reference,
    remembered,
    maxAgeMs,
  }: { reference: NonNullable<Desired['reference']>; remembered: string | undefined; maxAgeMs: number },
): Promise<ObservedDestination> {
  const { konnect, forwarding, signal } = subject;
  const { id, name } = reference;
  return orProblem(subject, `destination ${id ?? `"${name ?? ''}"`}`, async () => {
    const named = async (wanted: ListWanted) =>
      (await konnect.destinations(api, wanted, signal)).filter((other) => other.name === name);
    let found: Destination[] = [];
    if (id !== undefined) {
      const one = await konnect.client.getDestination(api, id, signal);
      if (one !== undefined) found.push(one);
    } else {
      found = await named({ maxAgeMs, anyToken: remembered !== undefined });
      // What another token saw confirms what is known, and nothing else.
      const isConfirmed = found.length === 1 && found[0]?.id === remembered;
      if (remembered !== undefined && !isConfirmed) found = await named({ maxAgeMs });
      // It may have been made just before it was referred to.
      if (found.length === 0) found = await named({ maxAgeMs: 0 });
    }
    return { kind: 'referenced', found: found.map((other) => seen(forwarding.metadata.uid, other)) };
  });
}

function oldestFirst(a: Destination, b: Destination): number {
  const difference = Date.parse(a.createdAt ?? '') - Date.parse(b.createdAt ?? '');
  return difference || (a.id < b.id ? -1 : 1);
}

function seen(uid: string, destination: Destination): SeenDestination {
  return {
    id: destination.id,
    name: destination.name,
    endpointDigest: destination.endpoint === undefined ? undefined : endpointDigest(uid, destination.endpoint),
    logFormat: destination.logFormat,
    skipSSLVerification: destination.skipSSLVerification,
    updatedAt: destination.updatedAt,
  };
}

async function observePortal(subject: Subject, desired: Desired, memory: Status, id: string): Promise<SeenWebhook> {
  const { konnect, signal } = subject;
  if (id === nilUUID) return { kind: 'missing' };
  return orProblem(subject, `portal ${id}`, async () => {
    const webhook = await konnect.client.getPortalWebhook(desired.region, id, signal);
    if (webhook === undefined) {
      // 404 is how Konnect shows a portal that is not there, and perhaps a webhook that was never configured.
      const portal = await konnect.client.getPortal(desired.region, id, signal);
      return portal === undefined ? { kind: 'missing' } : { kind: 'unconfigured' };
    }
    const remembered = memory.portals?.find((portal) => portal.id === id);
    const known = [memory.destination?.id, remembered?.destinationID];
    return seeWebhook(subject, desired, webhook, known, wasOurs(remembered));
  });
}

async function seeWebhook(
  { konnect, forwarding, signal }: Subject,
  { api }: Desired,
  { destinationID, enabled }: Webhook,
  ours: readonly (string | undefined)[],
  decided: boolean,
): Promise<SeenWebhook> {
  if (destinationID === undefined) return { kind: 'unconfigured' };
  if (decided || ours.includes(destinationID)) {
    return { kind: 'attached', destinationID, enabled, destinationExists: true };
  }
  const other = await konnect.client.getDestination(api, destinationID, signal);
  const otherDigest = other === undefined ? undefined : seen(forwarding.metadata.uid, other).endpointDigest;
  return { kind: 'attached', destinationID, enabled, destinationExists: other !== undefined, otherDigest };
}

/**
 * The organization's webhook has two views, v2 with an endpoint of its own and v3 with a destination. It is free only if both say so.
 * v2 shows the endpoint of the destination that v3 names, so that an endpoint which is not ours may be one.
 */
async function observeOrganization(subject: Subject, desired: Desired, memory: Status): Promise<SeenWebhook> {
  const { konnect, forwarding, signal } = subject;
  return orProblem(subject, "the organization's webhook", async () => {
    const inline = async (): Promise<SeenWebhook> =>
      seeInline(forwarding.metadata.uid, await konnect.client.getInlineWebhook(desired.region, signal));
    const attached = async (): Promise<SeenWebhook> => {
      const webhook = await konnect.client.getOrganizationWebhook(desired.region, signal);
      if (webhook === undefined) return { kind: 'unconfigured' };
      const remembered = memory.organization?.api === 'v3' ? memory.organization : undefined;
      const known = [memory.destination?.id, remembered?.destinationID];
      return seeWebhook(subject, desired, webhook, known, wasOurs(remembered));
    };
    if (desired.api === 'v3') {
      const view = await attached();
      return view.kind === 'unconfigured' ? inline() : view;
    }
    const view = await inline();
    const remembered = memory.organization?.api === 'v2' ? memory.organization : undefined;
    if (view.kind === 'inline' && view.endpointDigest === remembered?.endpointDigest) return view;
    const other = await attached();
    return other.kind === 'unconfigured' ? view : other;
  });
}

function seeInline(uid: string, webhook: InlineWebhook | undefined): SeenWebhook {
  if (webhook?.endpoint === undefined) return { kind: 'unconfigured' };
  return {
    kind: 'inline',
    endpointDigest: endpointDigest(uid, webhook.endpoint),
    enabled: webhook.enabled,
    logFormat: webhook.logFormat,
    skipSSLVerification: webhook.skipSSLVerification,
    updatedAt: webhook.updatedAt,
  };
}

/** Both views of the organization's webhook: the inline one, and the ID of the destination that the other one names. */
export async function readViews({ konnect, forwarding, signal }: Subject, region: string) {
  const inline = seeInline(forwarding.metadata.uid, await konnect.client.getInlineWebhook(region, signal));
  const attached = await konnect.client.getOrganizationWebhook(region, signal);
  return { inline: inline.kind === 'inline' ? inline : undefined, attached: attached?.destinationID };
}
