import { randomUUID } from 'node:crypto';
import type { Call } from '../../../sandbox/konnect/calls.ts';
import type { ActiveFault, FaultRule } from '../../../sandbox/konnect/faults.ts';
import { currentDestinations } from '../../../sandbox/konnect/model/destinations.ts';
import { addPortal, addToken, type Destination, type Webhook, webhookIn } from '../../../sandbox/konnect/model.ts';
import type { TokenSeed } from '../../../sandbox/konnect/seed.ts';
import type { Manifest } from '../../support/kube-api.ts';
import type { Environment } from './environment.ts';
import { forwarding, secret } from './manifests.ts';
import { type Organization, randomText } from './organizations.ts';

export interface FixtureOptions {
  /** Number of portals in `region`. Default: 1. */
  readonly portals?: number;
  /** Default: `us`. */
  readonly region?: string;
  /** Default: blue. */
  readonly organization?: Organization;
  /** Default: `full`. */
  readonly access?: TokenSeed['access'];
}

/**
 * One forwarding, with portals, Secrets and a token of its own. Several fixtures of one environment do not affect each other, and a fault affects
 * only one of them. The resync interval is one day.
 */
export interface Fixture {
  readonly name: string;
  readonly token: string;
  readonly tokenSecret: string;
  readonly siemSecret: string;
  readonly portals: readonly string[];
  /** Applies the Secret with the token. Default: the token of this fixture. */
  applyToken(token?: string): Promise<void>;
  /** Applies the Secret of the SIEM. Default: the credentials of the environment. */
  applySIEM(change?: { endpoint?: string; authorization?: string }): Promise<void>;
  /** Applies the forwarding. Default: with the portals of this fixture. */
  applyForwarding(spec?: Readonly<Record<string, unknown>>): Promise<void>;
  /** Returns both Secrets and then the forwarding, without a namespace. */
  manifests(spec?: Readonly<Record<string, unknown>>): Manifest[];
  /** Applies both Secrets and the forwarding. */
  apply(spec?: Readonly<Record<string, unknown>>): Promise<void>;
  /** Returns `spec.konnect` with the token of this fixture, for a spec with another region or API. */
  konnect(change?: Readonly<Record<string, unknown>>): object;
  /** Adds a token to the organization of this fixture. No output may contain it. */
  newToken(access?: TokenSeed['access'], organization?: Organization): string;
  /** Injects a fault. Default: only into calls with the token of this fixture. */
  fail(rule: FaultRule): ActiveFault;
  /** Returns the calls with the token of this fixture: all, or those of one operation. */
  calls(operation?: string): Call[];
  /** Returns the operations of all calls except GET, in order. */
  writes(): string[];
  /** The default name of the destination. */
  readonly destinationName: string;
  /** Returns every destination with this name. */
  destinations(name?: string): Destination[];
  portalWebhook(index?: number): Webhook;
  organizationWebhook(region?: string): Webhook;
}

/** A webhook that is detached. */
export const nothing = { enabled: false, target: { kind: 'none' } };

/** A webhook that is on, with this destination. */
export const attachedTo = (id: string | undefined) => ({ enabled: true, target: { kind: 'destination', id } });

/** A webhook that is on, with the destination of this fixture. */
export const attachedToOwn = (one: Fixture) => attachedTo(one.destinations()[0]?.id);

export async function createFixture(
  environment: Environment,
  name: string,
  options: FixtureOptions = {},
): Promise<Fixture> {
  const { region = 'us', portals: count = 1, access = 'full', organization: owner = environment.blue } = options;
  const { model, control } = environment.services.konnect;
  const organization = model.organizations.get(owner.id);
  if (organization === undefined) throw new Error(`Konnect has no organization ${owner.name}`);
  const tokenSecret = `${name}-konnect`;
  const siemSecret = `${name}-siem`;
  const destinationName = `${environment.namespace}/${name}`;
  const portals = Array.from({ length: count }, () => randomUUID()).toSorted();
  for (const [index, id] of portals.entries())
    addPortal(model, organization, { id, name: `${name} ${String(index)}`, region });

  function newToken(tokenAccess: TokenSeed['access'] = 'full', of: Organization = owner): string {
    const value = randomText();
    environment.addCanary({ name: `a token of ${name}`, value });
    const holder = model.organizations.get(of.id);
    if (holder !== undefined) addToken(model, holder, { value: `kpat_${value}`, access: tokenAccess });
    return `kpat_${value}`;
  }

  const token = newToken(access);

  function konnect(change: Readonly<Record<string, unknown>> = {}): object {
    return { region, tokenSecretRef: { name: tokenSecret }, ...change };
  }

  function manifest(spec: Readonly<Record<string, unknown>> = {}): Manifest {
    return forwarding(name, {
      konnect: konnect(),
      destination: { secretRef: { name: siemSecret } },
      portals: portals.map((id) => ({ id })),
      interval: '24h',
      ...spec,
    });
  }

  const tokenManifest = (value = token) => secret(tokenSecret, { token: value });
  const siemManifest = (change: { endpoint?: string; authorization?: string } = {}) =>
    secret(siemSecret, { ...environment.credentials, ...change });

  const manifests = (spec?: Readonly<Record<string, unknown>>) => [tokenManifest(), siemManifest(), manifest(spec)];

  function calls(operation?: string): Call[] {
    return control
      .calls()
      .filter((call) => call.token === token.slice(-4) && (operation === undefined || call.operation === operation));
  }

  return {
    name,
    token,
    tokenSecret,
    siemSecret,
    portals,
    destinationName,
    konnect,
    newToken,
    calls,
    applyToken: (value) => environment.apply(tokenManifest(value)),
    applySIEM: (change) => environment.apply(siemManifest(change)),
    applyForwarding: (spec) => environment.apply(manifest(spec)),
    manifests,
    apply: (spec) => environment.apply(...manifests(spec)),
    fail: (rule) => control.fail({ ...rule, match: { token, ...rule.match } }),
    writes: () =>
      calls()
        .filter(({ method }) => method !== 'GET')
        .map(({ operation = 'unknown' }) => operation),
    destinations: (of = destinationName) => currentDestinations(organization).filter((one) => one.name === of),
    portalWebhook(index = 0) {
      const portal = organization.portals.get(portals[index] ?? '');
      if (portal === undefined) throw new Error(`${name} has no portal ${String(index)}`);
      return portal.webhook;
    },
    organizationWebhook: (where = region) => webhookIn(organization, where),
  };
}
