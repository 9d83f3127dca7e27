import { randomUUID } from 'node:crypto';
import type { Call } from '../../../sandbox/konnect/calls.ts';
import type { ActiveFault, FaultRule } from '../../../sandbox/konnect/faults.ts';
import { currentDestinations } from '../../../sandbox/konnect/model/destinations.ts';
import { addPortal, addToken, type Destination, type Webhook, webhookIn } from '../../../sandbox/konnect/model.ts';
import type { TokenSeed } from '../../../sandbox/konnect/seed.ts';
import type { Environment } from './environment.ts';
import { forwarding, type Manifest, secret } from './manifests.ts';
import { type Organization, randomText } from './organizations.ts';

export interface FixtureOptions {
  /** In `region`; 1 unless given. */
  readonly portals?: number;
  /** `us` unless given. */
  readonly region?: string;
  /** Blue unless given. */
  readonly organization?: Organization;
  /** `full` unless given. */
  readonly access?: TokenSeed['access'];
}

/**
 * One forwarding in an environment, with portals, Secrets and a token that no other forwarding of that environment has, so that several get on side by side and a
 * fault meets one of them alone. It is looked at once a day, unless something happens.
 */
export interface Fixture {
  readonly name: string;
  readonly token: string;
  readonly tokenSecret: string;
  readonly siemSecret: string;
  readonly portals: readonly string[];
  /** `kubectl apply` of the Secret with the token; this fixture's unless given. */
  applyToken(token?: string): Promise<void>;
  /** `kubectl apply` of the Secret of the SIEM; the environment's credentials unless given. */
  applySIEM(change?: { endpoint?: string; authorization?: string }): Promise<void>;
  /** `kubectl apply` of the forwarding; to this fixture's portals unless `spec` says otherwise. */
  applyForwarding(spec?: Readonly<Record<string, unknown>>): Promise<void>;
  /** All three, without a namespace: the Secrets, and last the forwarding. */
  manifests(spec?: Readonly<Record<string, unknown>>): Manifest[];
  /** `kubectl apply` of all three. */
  apply(spec?: Readonly<Record<string, unknown>>): Promise<void>;
  /** The token's entry of `spec.konnect`, for specs that name another region or API. */
  konnect(change?: Readonly<Record<string, unknown>>): object;
  /** Another token of the fixture's organization, which is watched over as well. */
  newToken(access?: TokenSeed['access'], organization?: Organization): string;
  /** Of calls with this fixture's token alone, unless `match` names another. */
  fail(rule: FaultRule): ActiveFault;
  /** What the operator asked with this fixture's token, of one operation if named. */
  calls(operation?: string): Call[];
  /** Everything that is no GET, as `operation`, in order. */
  writes(): string[];
  /** The name that its destination has by default. */
  readonly destinationName: string;
  /** Every destination of that name. */
  destinations(name?: string): Destination[];
  portalWebhook(index?: number): Webhook;
  organizationWebhook(region?: string): Webhook;
}

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
