/** Reads manifests from a file: forwardings, and what they name: Secrets and objects of kong-operator. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import * as z from 'zod';
import { type AuditLogForwarding, apiVersion, kind } from '../api/v1alpha1.ts';
import type { AuthConfiguration, PortalObject, Secret } from '../forwarding/ports.ts';
import { parseAuthConfiguration } from '../resources/auth-configuration-resource.ts';
import { parseForwarding } from '../resources/forwarding-resource.ts';
import { parsePortal } from '../resources/portal-resource.ts';
import { CommandError, type Terminal } from './command.ts';
import { unreadable } from './input.ts';

export interface Manifests {
  readonly forwardings: readonly AuditLogForwarding[];
  /** By `namespace/name`. */
  readonly secrets: ReadonlyMap<string, Secret>;
  /** By `namespace/name`. */
  readonly portals: ReadonlyMap<string, PortalObject>;
  /** By `namespace/name`. */
  readonly authConfigurations: ReadonlyMap<string, AuthConfiguration>;
}

const Texts = z.record(z.string(), z.string()).nullish();

const Manifest = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});
type Manifest = z.infer<typeof Manifest>;

const SecretManifest = z.object({ data: Texts, stringData: Texts });

/** Returns what the file holds. `namespace` is that of objects without one. Throws a CommandError that names the object and its fields. */
export async function readManifests(file: string, namespace: string, terminal: Terminal): Promise<Manifests> {
  const objects = (await documentsOf(file, terminal)).flatMap(itemsOf).map((one) => toManifest(file, one));
  const forwardings: AuditLogForwarding[] = [];
  const secrets = new Map<string, Secret>();
  const portals = new Map<string, PortalObject>();
  const authConfigurations = new Map<string, AuthConfiguration>();
  for (const object of objects) {
    const key = `${object.metadata.namespace ?? namespace}/${object.metadata.name}`;
    if (object.kind === kind) forwardings.push(toForwarding(object, key, namespace));
    else if (object.kind === 'Secret' && object.apiVersion === 'v1') secrets.set(key, toSecret(object, key));
    else if (!object.apiVersion.startsWith('konnect.konghq.com/')) continue;
    else if (object.kind === 'Portal') portals.set(key, parsePortal(object));
    else if (object.kind === 'KonnectAPIAuthConfiguration') authConfigurations.set(key, parseAuthConfiguration(object));
  }
  if (forwardings.length === 0) throw new CommandError(`${file} has no ${kind}`);
  return { forwardings, secrets, portals, authConfigurations };
}

async function documentsOf(file: string, { stdin, signal }: Terminal): Promise<unknown[]> {
  const { CORE_SCHEMA, loadAll, mergeTag, YAMLException } = await import('js-yaml');
  const read = async () => {
    try {
      return file === '-' ? (await buffer(stdin)).toString() : await readFile(file, { encoding: 'utf8', signal });
    } catch (error) {
      throw unreadable(file, error);
    }
  };
  const text = await read();
  try {
    const documents = loadAll(text, { schema: CORE_SCHEMA.withTags(mergeTag) });
    return documents.filter((one) => one !== null && one !== undefined);
  } catch (error) {
    // The message of the parser may quote a Secret.
    const line = error instanceof YAMLException && error.mark !== undefined ? error.mark.line + 1 : '?';
    throw new CommandError(`${file} is not YAML: see line ${String(line)}`);
  }
}

function itemsOf(object: unknown): readonly unknown[] {
  const list = z.looseObject({ kind: z.literal('List'), items: z.array(z.unknown()) }).safeParse(object);
  return list.success ? list.data.items : [object];
}

function toManifest(file: string, object: unknown): Manifest {
  const parsed = Manifest.safeParse(object);
  if (parsed.success) return parsed.data;
  throw new CommandError(`${file} has an object without apiVersion, kind or metadata.name`);
}

function toForwarding(object: Manifest, key: string, namespace: string): AuditLogForwarding {
  if (object.apiVersion !== apiVersion) throw new CommandError(`${key} has another apiVersion than ${apiVersion}`);
  const metadata = { namespace, ...object.metadata, uid: randomUUID(), resourceVersion: '1', generation: 1 };
  const asNew = { ...object, metadata, status: { observedGeneration: -1 } };
  const parsed = parseForwarding(asNew);
  if (parsed.kind === 'invalid')
    throw new CommandError(
      `${key} is invalid in ${parsed.fields.join(', ')}: see kubectl explain auditlogforwarding.spec`,
    );
  const unknown = unknownFields(object['spec'], parsed.forwarding.spec, 'spec');
  if (unknown.length > 0) throw new CommandError(`${key} has unknown fields: ${unknown.join(', ')}`);
  return parsed.forwarding;
}

/** Returns the fields of `input` that the schema has left out. */
function unknownFields(input: unknown, known: unknown, path: string): string[] {
  if (typeof input !== 'object' || input === null) return [];
  const fields = new Map<string, unknown>(Object.entries(typeof known === 'object' && known !== null ? known : {}));
  return Object.entries(input).flatMap(([name, value]) =>
    fields.has(name) ? unknownFields(value, fields.get(name), `${path}.${name}`) : [`${path}.${name}`],
  );
}

function toSecret(object: Manifest, key: string): Secret {
  const parsed = SecretManifest.safeParse(object);
  if (!parsed.success) throw new CommandError(`Secret ${key} has data that is no text`);
  const { data, stringData } = parsed.data;
  return { uid: `uid-of-${key}`, resourceVersion: '1', data: { ...data, ...encoded(stringData ?? {}) } };
}

/** Returns the `data` of a Secret with these values. */
export function encoded(values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, text]) => [name, Buffer.from(text).toString('base64')]));
}
