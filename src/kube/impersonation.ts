/** What a user of a kubeconfig has for impersonation, as far as client-node does not send it. */
export interface Impersonation {
  /** The name of the user in the kubeconfig. */
  readonly name: string;
  readonly as?: unknown;
  readonly 'as-uid'?: unknown;
  readonly 'as-groups'?: unknown;
  readonly 'as-user-extra'?: unknown;
}

/**
 * Returns the headers for the groups, the UID and the extra fields that the user impersonates. Throws an error with a message for users if the API server
 * would not accept them. client-node sends the name of the impersonated user itself.
 */
export function impersonationHeaders(user: Impersonation): Record<string, string[]> {
  const { name, as, 'as-uid': uid, 'as-groups': groups, 'as-user-extra': extra } = user;
  const named: [string, string[]][] = [];
  if (isGiven(uid)) named.push(['Impersonate-Uid', textsOf('as-uid', [uid])]);
  if (isGiven(groups)) named.push(['Impersonate-Group', textsOf('as-groups', groups)]);
  for (const [key, values] of Object.entries(isGiven(extra) ? objectOf(extra) : {}))
    named.push([`Impersonate-Extra-${encoded(key)}`, textsOf('as-user-extra', values)]);
  const headers = Object.fromEntries(named.filter(([, values]) => values.length > 0));
  if (Object.keys(headers).length > 0 && !isGiven(as))
    throw new Error(`kubeconfig: user ${JSON.stringify(name)} has as-uid, as-groups or as-user-extra, and needs "as"`);
  return headers;
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}

function textsOf(field: string, values: unknown): string[] {
  const texts: unknown[] = Array.isArray(values) ? values : [undefined];
  return texts.map((text) => {
    if (typeof text === 'string' && /^[\x20-\x7e]+$/.test(text)) return text;
    throw new Error(`kubeconfig: ${field} has a value that is no text of printable ASCII characters`);
  });
}

function objectOf(value: unknown): object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new Error('kubeconfig: as-user-extra must have a list of texts for each key');
}

/** Returns a key as a part of a header name: the API server decodes percent signs, and reads the key in lower case. */
function encoded(key: string): string {
  return key.toLowerCase().replace(/[^a-z0-9!#$&'*+.^_`|~-]/g, (character) => encodeURIComponent(character));
}
