/** Reads the Secrets of the SIEM and of a verification. The values are checked before the operator sends them anywhere. */
import { createHmac } from 'node:crypto';
import type { AuditLogForwarding } from '../../api/v1alpha1.ts';
import type { ClusterReads, Secret } from '../ports.ts';
import { type Problem, reasons, stalled, waiting } from '../problems.ts';
import { type Checked, checkAccess, checkAuthorization, checkEndpoint } from './secret-values.ts';

export type Resolved<T> =
  | { readonly kind: 'resolved'; readonly value: T }
  | { readonly kind: 'problem'; readonly problem: Problem };

/** The SIEM's endpoint and authorization. Both come from one read of the Secret, so that they always belong together. */
export interface Credentials {
  readonly endpoint: string;
  /** With the scheme of spec. */
  readonly authorization: string;
  /** Changes with everything that the authorization is made of. Konnect never shows the authorization itself. */
  readonly secretVersion: string;
}

const maxListedKeys = 10;

/** Returns `namespace/name` of the Secrets that `spec.konnect` and `spec.destination` name, each once. */
export function secretsOf({ metadata, spec }: AuditLogForwarding): readonly string[] {
  const names = new Set([spec.konnect.tokenSecretRef?.name, spec.destination?.secretRef.name]);
  return [...names].flatMap((name) => (name === undefined ? [] : [`${metadata.namespace}/${name}`]));
}

/** An access key of SumoLogic. */
export interface AccessKey {
  readonly accessID: string;
  readonly accessKey: string;
}

/** Returns the access key of a verification, or the problem with its Secret. Rejects with KubeError if the Secret cannot be read. */
export async function resolveAccessKey(
  { metadata: { namespace } }: AuditLogForwarding,
  {
    name,
    accessIDKey,
    accessKeyKey,
  }: NonNullable<AuditLogForwarding['spec']['verification']>['sumoLogic']['secretRef'],
  cluster: Pick<ClusterReads, 'readSecret'>,
  signal: AbortSignal,
): Promise<Resolved<AccessKey>> {
  const secret = await cluster.readSecret(namespace, name, signal);
  const place = { name, field: 'spec.verification.sumoLogic.secretRef', consequence: 'the operator did not use it' };
  const accessID = valueOf(secret, { ...place, key: accessIDKey }, checkAccess);
  if (accessID.kind === 'problem') return accessID;
  const accessKey = valueOf(secret, { ...place, key: accessKeyKey }, checkAccess);
  if (accessKey.kind === 'problem') return accessKey;
  return { kind: 'resolved', value: { accessID: accessID.value, accessKey: accessKey.value } };
}

/**
 * Returns the SIEM's credentials, or the problem with their Secret. They are undefined if spec refers to an existing destination.
 * Rejects with KubeError if the Secret cannot be read.
 */
export async function resolveCredentials(
  forwarding: AuditLogForwarding,
  cluster: ClusterReads,
  signal: AbortSignal,
): Promise<Resolved<Credentials | undefined>> {
  const { destination } = forwarding.spec;
  if (destination === undefined) return { kind: 'resolved', value: undefined };
  const { authorizationScheme, secretRef } = destination;
  const { name, endpointKey, authorizationKey } = secretRef;
  const secret = await cluster.readSecret(forwarding.metadata.namespace, name, signal);
  const field = 'spec.destination.secretRef';
  const endpoint = valueOf(secret, { name, key: endpointKey, field }, checkEndpoint);
  if (endpoint.kind === 'problem') return endpoint;
  const authorization = valueOf(secret, { name, key: authorizationKey, field }, (bytes) =>
    checkAuthorization(bytes, authorizationScheme),
  );
  if (authorization.kind === 'problem') return authorization;
  const value = { endpoint: endpoint.value, authorization: authorization.value };
  const secretVersion = typeof secret === 'string' ? '' : digestOf(secret, value.endpoint, value.authorization);
  return { kind: 'resolved', value: { ...value, secretVersion } };
}

/**
 * Returns a digest of what a Secret holds, which status may show. The Secret's own uid is its key: it cannot be guessed, and only those
 * who may read the Secret know it. So nobody who reads status can try guesses of the content.
 */
function digestOf({ uid }: Secret, ...content: readonly string[]): string {
  const digest = createHmac('sha256', uid);
  for (const part of content) digest.update(part).update('\0');
  return digest.digest('hex');
}

/** Where a value is, for messages. `field`: what names the Secret. */
export interface Place {
  readonly name: string;
  readonly key: string;
  readonly field: string;
  /** What an invalid value has no effect on. */
  readonly consequence?: string;
}

const keepsSending = 'the operator did not send this value to Konnect, and what is set up there keeps sending';

/** Returns a value of a Secret that passes `check`, or the problem with it. */
export function valueOf(
  secret: Secret | 'absent' | 'forbidden',
  { name, key, field, consequence }: Place,
  check: (bytes: Buffer) => Checked,
): Resolved<string> {
  if (secret === 'forbidden') {
    const message = `the operator may not read Secret ${name}, named by ${field}: allow its ServiceAccount to get secrets in this namespace`;
    return { kind: 'problem', problem: stalled(reasons.secretForbidden, message) };
  }
  if (secret === 'absent') {
    const message = `Secret ${name}, named by ${field}, does not exist in this namespace: create it, or correct the name`;
    return { kind: 'problem', problem: waiting(reasons.secretNotFound, message) };
  }
  const encoded = Object.hasOwn(secret.data, key) ? secret.data[key] : undefined;
  if (encoded === undefined) {
    const message = `Secret ${name}, named by ${field}, has no key ${key} (${keysOf(secret)}): add this key, or name another key in ${field}`;
    return { kind: 'problem', problem: waiting(reasons.secretKeyNotFound, message) };
  }
  return validated(check(Buffer.from(encoded, 'base64')), `Secret ${name}, key ${key}`, consequence);
}

/** Returns a checked value, or the problem with it. `place`: where it is, for the message. */
export function validated(checked: Checked, place: string, consequence = keepsSending): Resolved<string> {
  if (checked.kind === 'valid') return { kind: 'resolved', value: checked.value };
  const message = `${place} ${checked.what}: ${checked.wayOut}; ${consequence}`;
  return { kind: 'problem', problem: stalled(reasons.secretInvalid, message) };
}

function keysOf({ data }: Secret): string {
  const keys = Object.keys(data).toSorted();
  const more = keys.length > maxListedKeys ? ` and ${String(keys.length - maxListedKeys)} more` : '';
  return keys.length === 0 ? 'it has no keys' : `it has ${keys.slice(0, maxListedKeys).join(', ')}${more}`;
}
