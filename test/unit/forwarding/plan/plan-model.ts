import type { DestinationStatus, Status } from '../../../../src/api/v1alpha1.ts';
import type { DesiredState } from '../../../../src/forwarding/desired/desired-state.ts';
import type { Observed, SeenWebhook } from '../../../../src/forwarding/observed/observed-state.ts';
import type { DestinationStep, Plan, WebhookStep } from '../../../../src/forwarding/plan/steps.ts';
import type { Problem } from '../../../../src/forwarding/problems.ts';

/** A simple model of Konnect on which a plan can be applied. Endpoints are digests. */
export interface World {
  readonly destinations: Record<string, WorldDestination>;
  /** The portals that exist. */
  readonly portals: Record<string, WorldWebhook>;
  organization: WorldWebhook;
  ticks: number;
}

export interface WorldDestination {
  name: string;
  endpointDigest: string;
  /** The authorization, which Konnect never shows. */
  secret: string;
  logFormat: string;
  skipSSLVerification: boolean;
  updatedAt: string;
}

export type WorldWebhook =
  | { readonly kind: 'none' }
  | { readonly kind: 'destination'; readonly id: string; readonly enabled: boolean }
  | {
      readonly kind: 'inline';
      readonly enabled: boolean;
      readonly settings: Omit<WorldDestination, 'name'>;
    };

export function look(world: World, desired: DesiredState, recorded: Status): Observed {
  const ids = Object.keys(world.destinations).toSorted();
  const see = (id: string) => ({
    id,
    endpointHoldsSecret: false,
    isSuspicious: false,
    ...withoutSecret(world.destinations[id]),
  });
  const mine = recorded.destination?.id;
  const others = ids.filter((id) => id !== mine).map(see);
  return {
    destination: desired.usesDestination
      ? {
          kind: 'known',
          ours: mine !== undefined && ids.includes(mine) ? see(mine) : undefined,
          named: others.filter(({ name }) => name === desired.own?.settings.name),
          sameNameAsPending: others.filter(({ name }) => name === recorded.destination?.creating?.name),
        }
      : { kind: 'unneeded' },
    organization: desired.organization === undefined ? undefined : lookAt(world, world.organization),
    portals: new Map(desired.portals.map(({ id }) => [id, lookAt(world, world.portals[id])])),
  };
}

function withoutSecret(destination: WorldDestination | undefined) {
  const { name, endpointDigest, logFormat, skipSSLVerification, updatedAt } = destination ?? {};
  return { name, endpointDigest, logFormat, skipSSLVerification, updatedAt };
}

function lookAt(world: World, webhook: WorldWebhook | undefined): SeenWebhook {
  switch (webhook?.kind) {
    case undefined:
      return { kind: 'missing' };
    case 'none':
      return { kind: 'unconfigured' };
    case 'destination': {
      const { id, enabled } = webhook;
      const other = world.destinations[id];
      return {
        kind: 'attached',
        destinationID: id,
        enabled,
        destinationExists: other !== undefined,
        otherDigest: other?.endpointDigest,
      };
    }
    case 'inline': {
      const { secret: _secret, ...settings } = webhook.settings;
      return { kind: 'inline', enabled: webhook.enabled, ...settings };
    }
  }
}

/** Applies the plan to the world, and returns the recorded state. */
export function carryOut(world: World, desired: DesiredState, recorded: Status, plan: Plan): Status {
  const destination = carryOutDestination(world, desired, recorded.destination, plan.destination);
  const stands =
    !['wait', 'refuse', 'lost', 'unresolved', 'unknown'].includes(plan.destination.kind) &&
    !refusedNext(plan.destination);
  const id = stands ? destination?.id : undefined;
  const portals = desired.portals.flatMap((portal) => {
    const step = plan.portals.get(portal.id) ?? { kind: 'missing' };
    const before = recorded.portals?.find((one) => one.id === portal.id);
    const { enabled } = portal;
    if (step.kind === 'attach' && id !== undefined) {
      world.portals[portal.id] = { kind: 'destination', id, enabled };
    }
    const trace = traceOf(step, before?.destinationID, id ?? destination?.id);
    return [{ id: portal.id, ...trace.destination, enabled, state: trace.state ?? before?.state ?? 'pending' }];
  });
  const organization = carryOutOrganization(world, desired, recorded, plan.organization, id, destination?.id);
  return {
    ...(destination === undefined ? {} : { destination }),
    ...(organization === undefined ? {} : { organization }),
    portals,
  };
}

function refusedNext(step: DestinationStep): boolean {
  return step.kind === 'claim' && step.next.kind === 'refuse';
}

function traceOf(step: WebhookStep, before: string | undefined, now: string | undefined) {
  const of = (id: string | undefined) => (id === undefined ? {} : { destinationID: id });
  switch (step.kind) {
    case 'lost':
      return { destination: {}, state: 'refused' as const };
    case 'keep':
      return { destination: of(now), state: 'on' as const };
    case 'attach':
      return now === undefined ? { destination: of(before) } : { destination: of(now), state: 'on' as const };
    case 'refuse':
      return { destination: {}, state: 'refused' as const };
    case 'missing':
    case 'unknown':
      return { destination: of(before) };
  }
}

function carryOutOrganization(
  world: World,
  desired: DesiredState,
  recorded: Status,
  step: WebhookStep | undefined,
  id: string | undefined,
  recordedID: string | undefined,
): Status['organization'] {
  const { organization, api, own } = desired;
  if (organization === undefined || step === undefined) return undefined;
  const { enabled } = organization;
  if (api === 'v3') {
    if (step.kind === 'attach' && id !== undefined) world.organization = { kind: 'destination', id, enabled };
    const before = recorded.organization?.api === 'v3' ? recorded.organization : undefined;
    const trace = traceOf(step, before?.destinationID, id ?? recordedID);
    return { api, ...trace.destination, enabled, state: trace.state ?? before?.state ?? 'pending' };
  }
  if (step.kind === 'refuse' || step.kind === 'lost') return { api, enabled, state: 'refused' };
  if (step.kind === 'attach' && own !== undefined) {
    const { endpointDigest, secretVersion } = own;
    const { logFormat, skipSSLVerification } = own.settings;
    const updatedAt = tick(world);
    const applied = { endpointDigest, secret: secretVersion, logFormat, skipSSLVerification, updatedAt };
    world.organization = { kind: 'inline', enabled, settings: applied };
    return { api, enabled, state: 'on', endpointDigest, secretVersion, updatedAt };
  }
  if (step.kind === 'keep' && recorded.organization !== undefined) {
    return {
      ...recorded.organization,
      state: 'on',
      ...(step.updatedAt === undefined ? {} : { updatedAt: step.updatedAt }),
    };
  }
  return recorded.organization;
}

function carryOutDestination(
  world: World,
  desired: DesiredState,
  recorded: DestinationStatus | undefined,
  step: DestinationStep,
): DestinationStatus | undefined {
  if (desired.own === undefined) return recorded;
  const { settings, secretVersion, endpointDigest } = desired.own;
  const { name, logFormat, skipSSLVerification } = settings;
  switch (step.kind) {
    case 'none':
    case 'wait':
    case 'unknown':
      return recorded;
    case 'use':
      return { id: step.id, name: desired.reference?.name ?? '', managed: false };
    case 'unresolved':
      return undefined;
    case 'keep': {
      const { creating: _creating, ...rest } = recorded ?? { name };
      return { ...rest, ...(step.updatedAt === undefined ? {} : { updatedAt: step.updatedAt }) };
    }
    case 'refuse':
    case 'lost':
      return recorded?.id === undefined ? undefined : recorded;
    case 'create':
    case 'update': {
      const updatedAt = tick(world);
      const id = step.kind === 'create' ? `made-${String(world.ticks)}` : (recorded?.id ?? '');
      world.destinations[id] = {
        name,
        endpointDigest,
        secret: secretVersion,
        logFormat,
        skipSSLVerification,
        updatedAt,
      };
      return { id, name, managed: true, secretVersion, updatedAt };
    }
    case 'claim': {
      for (const duplicate of step.duplicates) {
        if (!isUsed(world, duplicate)) delete world.destinations[duplicate];
      }
      const claimed: DestinationStatus = {
        id: step.id,
        name: step.name,
        managed: true,
        secretVersion: step.because === 'pending creation' ? recorded?.creating?.secretVersion : undefined,
      };
      return carryOutDestination(world, desired, claimed, step.next);
    }
  }
}

export function isUsed({ portals, organization }: World, id: string): boolean {
  return [...Object.values(portals), organization].some((one) => one.kind === 'destination' && one.id === id);
}

function tick(world: World): string {
  world.ticks += 1;
  return new Date(Date.UTC(2026, 5, 1) + world.ticks).toISOString();
}

export const someProblem: Problem = { reason: 'KonnectUnavailable', severity: 'unavailable', message: 'x' };

/** Returns true if the plan changes nothing. */
export function isEmpty({ destination, organization, portals }: Plan): boolean {
  const writes: ReadonlySet<DestinationStep['kind']> = new Set(['create', 'claim', 'update', 'wait', 'unknown']);
  return !writes.has(destination.kind) && [organization, ...portals.values()].every((step) => step?.kind !== 'attach');
}
