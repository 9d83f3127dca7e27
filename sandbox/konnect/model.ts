import { randomBytes, randomUUID } from 'node:crypto';
import type { AuditEvent, Delivery, LogFormat } from './audit-event.ts';
import { type Behavior, defaultBehavior } from './behavior.ts';
import type { ControlPlaneSeed, DeveloperSeed, KonnectSeed, OrganizationSeed, PortalSeed, TokenSeed } from './seed.ts';

/** The state of Konnect, in memory. All functions that use it are synchronous and need no server. */
export interface KonnectModel {
  readonly organizations: Map<string, Organization>;
  /** Including `global`. */
  readonly regions: readonly string[];
  /** May be changed at any time. */
  readonly behavior: Behavior;
  readonly clock: () => Date;
  readonly newID: () => string;
  /** Returns a decimal number of up to 19 digits, which a double cannot represent. */
  readonly newTraceID: () => string;
  /** If absent, audit lines are recorded but not sent. */
  readonly delivery?: Delivery;
}

export interface Organization {
  readonly id: string;
  readonly name: string;
  readonly createdAt: Date;
  readonly tokens: Map<string, Token>;
  readonly portals: Map<string, Portal>;
  readonly controlPlanes: readonly ControlPlaneSeed[];
  /** All versions of destinations that a list may still show, oldest first. */
  readonly destinations: DestinationVersion[];
  destinationsCreated: number;
  /** When a destination was last detached from a webhook, keyed by ID. */
  readonly detachedAt: Map<string, Date>;
  /** The organization's webhooks, keyed by region. */
  readonly webhooks: Map<string, Webhook>;
  /** The last 10,000. */
  readonly events: RecordedEvent[];
}

export interface Token {
  readonly value: string;
  readonly access: TokenSeed['access'];
  readonly principalID: string;
  revokedAt?: Date;
}

export interface Portal {
  readonly id: string;
  readonly name: string;
  readonly region: string;
  readonly createdAt: Date;
  readonly developers: readonly (DeveloperSeed & { readonly id: string })[];
  readonly webhook: Webhook;
}

export interface Destination {
  readonly id: string;
  /** Position in lists: one more than that of the destination created before it. */
  readonly sequence: number;
  readonly name: string;
  readonly endpoint: string;
  readonly authorization: string;
  readonly logFormat: LogFormat;
  readonly skipSSLVerification: boolean;
  readonly createdAt: Date;
  /** Absent before the first PATCH. */
  readonly updatedAt?: Date;
}

export interface DestinationVersion {
  readonly destination: Destination;
  readonly from: Date;
  /** If absent, this version is the current one. */
  to?: Date;
}

/** The target that v2 stores in the organization's webhook itself. */
export type InlineTarget = Pick<Destination, 'endpoint' | 'authorization' | 'logFormat' | 'skipSSLVerification'>;

export type WebhookTarget =
  | { readonly kind: 'none' }
  | { readonly kind: 'destination'; readonly id: string }
  | { readonly kind: 'inline'; readonly inline: InlineTarget };

export interface Webhook {
  enabled: boolean;
  target: WebhookTarget;
  updatedAt?: Date;
  lastAttempt?: Attempt;
  /** Failed attempts in a row, since the last change of the webhook. */
  failedAttempts?: number;
  /** Konnect itself switched it off. */
  isSwitchedOff?: boolean;
  replay?: ReplayJob;
}

/** The last request that tried to deliver lines. Without a code, the endpoint did not answer. */
export interface Attempt {
  readonly at: Date;
  readonly code?: number;
  readonly message: string;
  readonly ok: boolean;
}

export interface ReplayJob {
  readonly startAt: string;
  readonly endAt: string;
  readonly acceptedAt: Date;
  /** When Konnect began to send the lines. Absent while the job waits. */
  startedAt?: Date;
  /** Number of lines whose delivery has neither succeeded nor failed for good. */
  pending: number;
  failed: boolean;
}

export interface RecordedEvent {
  /** One more than that of the event before it. */
  readonly sequence: number;
  readonly event: AuditEvent;
  readonly region: string;
  /** If present, the line belongs to this portal's webhook and not to the organization's. */
  readonly portalID?: string;
}

export interface ModelOptions {
  readonly seed: KonnectSeed;
  readonly behavior?: Partial<Behavior>;
  readonly delivery?: Delivery;
  readonly clock?: () => Date;
  readonly newID?: () => string;
  readonly newTraceID?: () => string;
}

export function createModel({ seed, behavior, delivery, clock, newID, newTraceID }: ModelOptions): KonnectModel {
  const model: KonnectModel = {
    organizations: new Map(),
    regions: ['global', ...seed.regions],
    behavior: { ...defaultBehavior, ...behavior },
    clock: clock ?? (() => new Date()),
    newID: newID ?? randomUUID,
    newTraceID: newTraceID ?? (() => randomTraceID(model.behavior.traceIDs)),
    ...(delivery === undefined ? {} : { delivery }),
  };
  for (const organization of seed.organizations) addOrganization(model, organization);
  return model;
}

function randomTraceID(range: Behavior['traceIDs']): string {
  const bits = randomBytes(8).readBigUInt64BE();
  return (range === 'above-2^63' ? bits | (1n << 63n) : bits >> 1n).toString();
}

export function addOrganization(model: KonnectModel, seed: OrganizationSeed): Organization {
  const organization: Organization = {
    id: seed.id,
    name: seed.name,
    createdAt: model.clock(),
    tokens: new Map(),
    portals: new Map(),
    controlPlanes: seed.controlPlanes ?? [],
    destinations: [],
    destinationsCreated: 0,
    detachedAt: new Map(),
    webhooks: new Map(),
    events: [],
  };
  for (const token of seed.tokens) addToken(model, organization, token);
  for (const portal of seed.portals ?? []) addPortal(model, organization, portal);
  model.organizations.set(organization.id, organization);
  return organization;
}

export function addToken(model: KonnectModel, organization: Organization, { value, access }: TokenSeed): void {
  organization.tokens.set(value, { value, access, principalID: model.newID() });
}

/** Returns whether the token exists. It still works for `revokedTokenGraceMs`. */
export function revokeToken(model: KonnectModel, value: string): boolean {
  for (const organization of model.organizations.values()) {
    const token = organization.tokens.get(value);
    if (token === undefined) continue;
    token.revokedAt ??= model.clock();
    return true;
  }
  return false;
}

export function addPortal(model: KonnectModel, organization: Organization, seed: PortalSeed): Portal {
  const portal: Portal = {
    id: seed.id,
    name: seed.name,
    region: seed.region,
    createdAt: model.clock(),
    developers: (seed.developers ?? []).map(({ email, password }) => ({ email, password, id: model.newID() })),
    webhook: { enabled: false, target: { kind: 'none' } },
  };
  organization.portals.set(portal.id, portal);
  return portal;
}

/** Removes a portal with its webhook, which detaches the destination. Returns whether the portal existed. */
export function removePortal(model: KonnectModel, organization: Organization, portalID: string): boolean {
  const portal = organization.portals.get(portalID);
  if (portal?.webhook.target.kind === 'destination') {
    organization.detachedAt.set(portal.webhook.target.id, model.clock());
  }
  return organization.portals.delete(portalID);
}

/** Returns the organization's webhook in a region. It always exists, and is unconfigured at first. */
export function webhookIn(organization: Organization, region: string): Webhook {
  const known = organization.webhooks.get(region);
  if (known !== undefined) return known;
  const webhook: Webhook = { enabled: false, target: { kind: 'none' } };
  organization.webhooks.set(region, webhook);
  return webhook;
}

/** Returns the organization of a token. Undefined if the token is unknown or revoked. */
export function holderOf(model: KonnectModel, value: string): { organization: Organization; token: Token } | undefined {
  for (const organization of model.organizations.values()) {
    const token = organization.tokens.get(value);
    if (token === undefined) continue;
    const revokedMs = token.revokedAt === undefined ? -1 : model.clock().getTime() - token.revokedAt.getTime();
    return revokedMs >= model.behavior.revokedTokenGraceMs ? undefined : { organization, token };
  }
  return undefined;
}

/** Returns the time of a change, at least 1 ms after the last one, so that every change has a different `updated_at`. */
export function timeOfChange(model: KonnectModel, last: Date | undefined): Date {
  return new Date(Math.max(model.clock().getTime(), last === undefined ? 0 : last.getTime() + 1));
}
