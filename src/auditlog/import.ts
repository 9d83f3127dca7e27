/** `auditlog import`: prints what stands in Konnect as manifests that are ready to apply once their Secrets are filled in. */
import { type AuditLogForwarding, apiVersion, DestinationSpec, kind, LogFormat, maxPortals } from '../api/v1alpha1.ts';
import { holdsSecret } from '../forwarding/desired/endpoint-secret.ts';
import type { Destination } from '../konnect/schema.ts';
import { type Arguments, type Command, exitCodes, type Terminal, textOf, UsageError } from './command.ts';
import { konnectOptions, withKonnect } from './konnect-connection.ts';
import { type Inventory, readInventory } from './konnect-inventory.ts';
import { toText } from './output.ts';

const exits = { leftOut: 3, nothingFound: 5 } as const;
/** The name of the Secret with the token. */
const tokenSecret = 'konnect';

export const importCommand: Command = {
  operands: '',
  summary: 'Prints what stands in Konnect today as manifests that adopt it. The Secrets are left to fill in.',
  options: {
    ...konnectOptions('The region of the portals and of the organization webhook, such as us or eu.'),
    namespace: {
      type: 'string',
      short: 'n',
      value: 'NAME',
      help: 'The namespace of the manifests. The default is default.',
    },
    output: { type: 'string', short: 'o', value: 'yaml|json', help: 'The format of the output. The default is yaml.' },
  },
  exits: {
    [exits.leftOut]: 'something is left out',
    [exits.nothingFound]: 'no webhook of the region is in use',
  },
  run: importFromKonnect,
};

async function importFromKonnect(args: Arguments, terminal: Terminal): Promise<number> {
  const format = textOf(args, 'output') ?? 'yaml';
  if (format !== 'json' && format !== 'yaml') throw new UsageError('--output must be yaml or json');
  const inventory = await withKonnect(args, terminal, (connection) => readInventory(connection, terminal.signal));
  const found = manifestsOf(inventory, {
    region: textOf(args, 'region') ?? '',
    namespace: textOf(args, 'namespace') ?? 'default',
  });
  for (const remark of found.leftOut) terminal.warn(remark);
  if (found.manifests.length === 0) {
    terminal.warn(`no webhook of the region is in use; the token sees ${String(inventory.portalCount)} portals there`);
    return exits.nothingFound;
  }
  const list = { apiVersion: 'v1', kind: 'List', items: found.manifests.map(({ object }) => object) };
  await terminal.print(format === 'json' ? await toText(list, 'json') : await toDocuments(found.manifests));
  terminal.warn('fill in the Secrets, and look at the outcome with auditlog plan -f FILE before you apply');
  return found.leftOut.length > 0 ? exits.leftOut : exitCodes.ok;
}

async function toDocuments(manifests: readonly Manifest[]): Promise<string> {
  const texts = await Promise.all(
    manifests.map(
      async ({ object, comment }) => `${comment === undefined ? '' : `# ${comment}\n`}${await toText(object, 'yaml')}`,
    ),
  );
  return texts.join('---\n');
}

interface Place {
  readonly region: string;
  readonly namespace: string;
}

/** One use of a destination, or of the endpoint of the organization's inline webhook. */
interface Use {
  readonly name: string;
  readonly spec: Pick<AuditLogForwarding['spec'], 'organization' | 'portals'>;
  readonly auditLogsAPI?: 'v2';
  /** Undefined for the inline webhook. */
  readonly id?: string;
  readonly settings: Pick<Partial<Destination>, 'name' | 'endpoint' | 'logFormat' | 'skipSSLVerification'>;
  /** True if the destination can only be named by its ID. */
  readonly isReference: boolean;
}

interface Manifest {
  readonly object: object;
  /** What the object lacks, and the way out. It has one line. */
  readonly comment?: string | undefined;
}

interface Found {
  readonly manifests: readonly Manifest[];
  readonly leftOut: readonly string[];
}

function manifestsOf(inventory: Inventory, place: Place): Found {
  const { destinations, organization, portals } = inventory;
  const known = new Map(destinations.map((one) => [one.id, one]));
  const used = new Map<string, { portals: { id: string; enabled: boolean }[]; organization?: { enabled: boolean } }>();
  const leftOut: string[] = [];
  const use = (destinationID: string | undefined, object: string) => {
    if (destinationID === undefined || !known.has(destinationID)) {
      leftOut.push(`${object} points at destination ${destinationID ?? ''}, which no longer exists: left out`);
      return undefined;
    }
    const found = used.get(destinationID) ?? { portals: [] };
    used.set(destinationID, found);
    return found;
  };
  for (const { id, webhook } of portals)
    use(webhook.destinationID, `portal ${id}`)?.portals.push({ id, enabled: webhook.enabled });
  if (organization !== undefined) {
    const found = use(organization.destinationID, "the organization's webhook");
    if (found !== undefined) found.organization = { enabled: organization.enabled };
  }
  const unused = destinations.filter(({ id }) => !used.has(id));
  leftOut.push(
    ...unused.map(({ id, name = id }) => `destination "${name}" is used by no webhook of the region: left out`),
  );
  const uses = [...used].flatMap(([id, { portals: all, organization: own }]) =>
    usesOf(known.get(id) ?? { id }, destinations, all, own),
  );
  const names = new Set<string>();
  const all = [...uses, ...inlineUse(inventory)].flatMap((one) => toManifests(one, place, uniqueName(one.name, names)));
  leftOut.push(...all.flatMap(({ comment }) => comment ?? []));
  return { manifests: all.length === 0 ? [] : [tokenManifest(place), ...all], leftOut };
}

/** Returns one use for each hundred portals. Only the first one owns the destination. */
function usesOf(
  destination: Destination,
  destinations: readonly Destination[],
  portals: readonly { readonly id: string; readonly enabled: boolean }[],
  organization: { readonly enabled: boolean } | undefined,
): Use[] {
  const { id, name = '' } = destination;
  const hasUniqueName = destinations.filter((one) => one.name === name).length === 1;
  const canBeNamed = hasUniqueName && DestinationSpec.shape.name.safeParse(name).success;
  const chunks = Array.from({ length: Math.max(1, Math.ceil(portals.length / maxPortals)) }, (_, index) =>
    portals.slice(index * maxPortals, (index + 1) * maxPortals),
  );
  return chunks.map((chunk, index) => ({
    name,
    id,
    settings: destination,
    isReference: index > 0 || !canBeNamed,
    spec: {
      ...(organization === undefined || index > 0 ? {} : { organization }),
      ...(chunk.length === 0 ? {} : { portals: chunk }),
    },
  }));
}

function inlineUse({ inline }: Inventory): Use[] {
  if (inline === undefined) return [];
  const { enabled, ...settings } = inline;
  return [
    { name: 'organization', auditLogsAPI: 'v2', settings, isReference: false, spec: { organization: { enabled } } },
  ];
}

function toManifests(use: Use, { region, namespace }: Place, name: string): Manifest[] {
  const { endpoint, logFormat, skipSSLVerification } = use.settings;
  const format = LogFormat.safeParse(logFormat);
  const destination = {
    secretRef: { name },
    ...(use.settings.name === undefined ? {} : { name: use.settings.name }),
    ...(format.success ? { logFormat: format.data } : {}),
    ...(skipSSLVerification === true ? { skipSSLVerification } : {}),
  };
  const forwarding = {
    apiVersion,
    kind,
    metadata: { name, namespace },
    spec: {
      konnect: {
        region,
        tokenSecretRef: { name: tokenSecret },
        ...(use.auditLogsAPI === undefined ? {} : { auditLogsAPI: use.auditLogsAPI }),
      },
      ...(use.isReference ? { destinationRef: { id: use.id } } : { destination }),
      ...use.spec,
      // An equal endpoint proves the ownership only if it holds a secret.
      adoptionPolicy: endpoint !== undefined && holdsSecret(endpoint) ? 'IfMatching' : 'Always',
    },
  };
  if (use.isReference) return [{ object: forwarding }];
  const stringData = {
    endpoint: '<the endpoint of the SIEM>',
    authorization: '<the value of the Authorization header>',
  };
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, stringData };
  const comment = format.success ? undefined : unknownFormat(`${namespace}/${name}`, use);
  return [{ object: secret }, { object: forwarding, comment }];
}

function unknownFormat(forwarding: string, { id, settings: { logFormat } }: Use): string {
  const unknown = logFormat === undefined ? 'the log format' : `the log format ${logFormat}`;
  const byDefault = DestinationSpec.shape.logFormat.parse(undefined);
  const reference = id === undefined ? '' : `, or replace spec.destination by spec.destinationRef with id ${id}`;
  return `${forwarding}: this version does not know ${unknown} in Konnect, and would set ${byDefault}: set spec.destination.logFormat to ${LogFormat.options.join(', ')}${reference}`;
}

/** The operator refuses a value in angle brackets, so that a Secret which nobody filled in does no harm. */
function tokenManifest({ namespace }: Place): Manifest {
  const stringData = { token: '<a token of Konnect>' };
  const object = { apiVersion: 'v1', kind: 'Secret', metadata: { name: tokenSecret, namespace }, stringData };
  return { object };
}

/** Returns a name for objects of Kubernetes that looks like `name`, and adds it to `taken`. */
function uniqueName(name: string, taken: Set<string>): string {
  const slug = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 50)
    .replaceAll(/^-|-$/g, '');
  const base = slug === '' || slug === tokenSecret ? 'destination' : slug;
  let unique = base;
  for (let count = 2; taken.has(unique); count += 1) unique = `${base}-${String(count)}`;
  taken.add(unique);
  return unique;
}
