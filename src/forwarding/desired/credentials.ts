/** Reads the Secrets that a forwarding names, and checks their values before the operator sends anything to Konnect. */
import { createHmac } from 'node:crypto';
import type { AuditLogForwarding } from '../../api/v1alpha1.ts';
import type { Cluster, Secret } from '../ports.ts';
import { type Problem, reasons, stalled, waiting } from '../problems.ts';

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

const maxTokenLength = 4_096;
const maxEndpointLength = 2_048;
const maxAuthorizationLength = 8_192;

/** Returns `namespace/name` of the Secrets that a forwarding names, each once. */
export function secretsOf({ metadata, spec }: AuditLogForwarding): readonly string[] {
  const names = new Set([spec.konnect.tokenSecretRef.name, spec.destination?.secretRef.name]);
  return [...names].flatMap((name) => (name === undefined ? [] : [`${metadata.namespace}/${name}`]));
}

/** Returns the Secret and key of the Konnect token, for messages. */
export function tokenSource(forwarding: AuditLogForwarding): string {
  const { name, key } = forwarding.spec.konnect.tokenSecretRef;
  return `Secret ${name}, key ${key}`;
}

/** Returns the Konnect token, or the problem with its Secret. Rejects with KubeError if the Secret cannot be read. */
export async function resolveToken(
  forwarding: AuditLogForwarding,
  cluster: Cluster,
  signal: AbortSignal,
): Promise<Resolved<string>> {
  const { name, key } = forwarding.spec.konnect.tokenSecretRef;
  const secret = await cluster.readSecret(forwarding.metadata.namespace, name, signal);
  const value = valueOf(secret, name, key, 'spec.konnect.tokenSecretRef');
  if (value.kind === 'problem') return value;
  return check(value.value, name, key, maxTokenLength, (text) =>
    /^[\x21-\x7e]+$/.test(text)
      ? undefined
      : 'contains a character that no token has (blank, line break, control or non-ASCII character)',
  );
}

/**
 * Returns the SIEM's credentials, or the problem with their Secret. They are undefined if spec refers to an existing destination.
 * Rejects with KubeError if the Secret cannot be read.
 */
export async function resolveCredentials(
  forwarding: AuditLogForwarding,
  cluster: Cluster,
  signal: AbortSignal,
): Promise<Resolved<Credentials | undefined>> {
  const { destination } = forwarding.spec;
  if (destination === undefined) return { kind: 'resolved', value: undefined };
  const { name, endpointKey, authorizationKey } = destination.secretRef;
  const secret = await cluster.readSecret(forwarding.metadata.namespace, name, signal);
  const endpoint = valueOf(secret, name, endpointKey, 'spec.destination.secretRef');
  if (endpoint.kind === 'problem') return endpoint;
  const authorization = valueOf(secret, name, authorizationKey, 'spec.destination.secretRef');
  if (authorization.kind === 'problem') return authorization;
  const checkedEndpoint = check(endpoint.value, name, endpointKey, maxEndpointLength, errorInEndpoint);
  if (checkedEndpoint.kind === 'problem') return checkedEndpoint;
  const checkedAuthorization = check(authorization.value, name, authorizationKey, maxAuthorizationLength, (text) =>
    /^[\x20-\x7e]+$/.test(text)
      ? undefined
      : 'contains a character that a header value cannot have (line break, control or non-ASCII character)',
  );
  if (checkedAuthorization.kind === 'problem') return checkedAuthorization;
  const scheme = destination.authorizationScheme;
  const value = scheme === undefined ? checkedAuthorization.value : `${scheme} ${checkedAuthorization.value}`;
  return {
    kind: 'resolved',
    value: {
      endpoint: checkedEndpoint.value,
      authorization: value,
      secretVersion: typeof secret === 'string' ? '' : digestOf(secret, checkedEndpoint.value, value),
    },
  };
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

function valueOf(secret: Secret | 'absent' | 'forbidden', name: string, key: string, field: string): Resolved<Buffer> {
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
    const message = `Secret ${name}, named by ${field}, has no key ${key}: add this key, or name another key in ${field}`;
    return { kind: 'problem', problem: waiting(reasons.secretKeyNotFound, message) };
  }
  return { kind: 'resolved', value: Buffer.from(encoded, 'base64') };
}

function check(
  bytes: Buffer,
  name: string,
  key: string,
  maxLength: number,
  errorIn: (text: string) => string | undefined,
): Resolved<string> {
  const text = bytes.length > maxLength + 2 ? '' : withoutLineEnds(decode(bytes));
  const found =
    bytes.length > maxLength + 2
      ? `is longer than ${String(maxLength)} bytes`
      : text === undefined
        ? 'is not UTF-8 text'
        : text.trim() === ''
          ? 'is empty'
          : text.length > maxLength
            ? `is longer than ${String(maxLength)} characters`
            : text !== text.trim()
              ? 'begins or ends with a blank or a byte order mark'
              : errorIn(text);
  if (found === undefined && text !== undefined) return { kind: 'resolved', value: text };
  const message = `Secret ${name}, key ${key} ${found ?? 'is invalid'}: put a valid value there; the operator did not send this one to Konnect`;
  return { kind: 'problem', problem: stalled(reasons.secretInvalid, message) };
}

/** Returns the text without line breaks at its end. A regular expression would take quadratic time for a text of line breaks. */
function withoutLineEnds(text: string | undefined): string | undefined {
  let end = text?.length ?? 0;
  while (text?.[end - 1] === '\n' || text?.[end - 1] === '\r') end -= 1;
  return text?.slice(0, end);
}

function decode(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function errorInEndpoint(text: string): string | undefined {
  if (/[^\x21-\x7e]/.test(text)) return 'contains a blank, a line break or another character that a URL cannot have';
  const url = URL.parse(text);
  if (url === null) return 'is not a URL';
  if (url.protocol !== 'https:') return 'is not an https URL';
  if (url.username !== '' || url.password !== '') return 'contains a user name or a password in the URL';
  return undefined;
}
