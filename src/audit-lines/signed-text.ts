/** Finds the signature of an audit line and the text that Konnect may have signed. Pure. */

/**
 * What a line is. `texts` are tried in order: a signature that fits one of them proves the line. All texts are latin1, one character for each byte, so
 * that no byte is changed.
 */
export type AuditLine =
  | { readonly kind: 'signed'; readonly signature: Buffer; readonly texts: Iterable<string> }
  | { readonly kind: 'unsigned' }
  /** It has a signature that is not 64 bytes in canonical base64url. */
  | { readonly kind: 'malformed' }
  | { readonly kind: 'other' };

const other: AuditLine = { kind: 'other' };
const unsigned: AuditLine = { kind: 'unsigned' };

/** How deep a line may be wrapped: a relay's object, the SIEM's object around it, and an export around that. */
const maxDepth = 4;
const cefStart = /CEF: ?0\|KongInc\|/;
/** The beginning of a line as Konnect sends it: a time and a host. */
const konnectPrefix = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d) [\w.-]+ $/;
const vendor = /"event_vendor"\s*:\s*"KongInc"/;

/**
 * Returns what a line is. The line has no line end. It may be CEF, JSON or CPS, and a relay or a SIEM may have put something before it, after it or
 * around it. A JSON line that was printed again still has its text if all values kept their characters.
 */
export function readAuditLine(line: string, depth = 0): AuditLine {
  const text = line.includes('""event_vendor""') ? line.replaceAll('""', '"') : line;
  const brace = text.indexOf('{');
  const cef = cefStart.exec(text);
  if (cef !== null && (brace === -1 || cef.index < brace)) return readCEF(text, cef);
  if (brace === -1) return other;
  const object = text.slice(brace, text.lastIndexOf('}') + 1);
  if (vendor.test(object)) return readJSON(object);
  return (object.includes('KongInc') && depth < maxDepth ? readWrapped(object, depth) : undefined) ?? other;
}

function readCEF(text: string, { index, 0: start }: RegExpExecArray): AuditLine {
  const at = text.lastIndexOf(' sig=');
  const value = at < index ? '' : (/^[^\s"',;<]*/.exec(text.slice(at + ' sig='.length))?.[0] ?? '');
  if (value === '') return unsigned;
  const signature = toSignature(value);
  if (signature === undefined) return { kind: 'malformed' };
  // Some versions of rsyslog write a blank after the tag of a message.
  const event = `CEF:${text.slice(index + start.length - '0|KongInc|'.length, at)}`;
  const before = text.slice(0, index);
  const rest = text.slice(at + ' sig='.length + value.length).trimEnd();
  const prefixes = new Set([before, konnectPrefix.exec(before.slice(-120))?.[0] ?? '', '']);
  const texts = [...new Set([rest, ''])].flatMap((end) => [...prefixes].map((prefix) => prefix + event + end));
  return { kind: 'signed', signature, texts };
}

function readJSON(text: string): AuditLine {
  const found = [...text.matchAll(/"sig"\s*:\s*"([^"]*)"/g)].at(-1);
  const value = found?.[1] ?? '';
  if (found === undefined || value === '') return unsigned;
  const signature = toSignature(value);
  if (signature === undefined) return { kind: 'malformed' };
  const member = `,${found[0]}`;
  const at = found.index - 1;
  const cut = text.startsWith(member, at) ? text.slice(0, at) + text.slice(at + member.length) : undefined;
  return { kind: 'signed', signature, texts: jsonTexts(text, cut) };
}

/** The line without its signature, then the forms that a parser may have changed into it. */
function* jsonTexts(text: string, cut: string | undefined): Generator<string> {
  if (cut !== undefined) yield cut;
  const event = findEvent(parseRaw(text));
  if (event === undefined) return;
  const { sig: _, ...unsignedEvent } = event;
  const sorted = Object.fromEntries(Object.entries(unsignedEvent).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  for (const form of [unsignedEvent, sorted]) {
    const json = JSON.stringify(form);
    yield* [json, `{"event":${json}}`];
  }
}

/** Looks for a line in the strings of an object. Returns undefined if there is none. */
function readWrapped(object: string, depth: number): AuditLine | undefined {
  for (const value of strings(parse(Buffer.from(object, 'latin1').toString('utf8')))) {
    if (!value.includes('KongInc')) continue;
    const line = readAuditLine(Buffer.from(value, 'utf8').toString('latin1').trim(), depth + 1);
    if (line.kind !== 'other') return line;
  }
  return undefined;
}

function* strings(value: unknown, depth = 0): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (typeof value === 'object' && value !== null && depth < maxDepth)
    for (const member of Object.values(value)) yield* strings(member, depth + 1);
}

type RawObject = Readonly<Record<string, unknown>>;

/** Returns the object that has the fields of an event, at most {@link maxDepth} levels down. */
function findEvent(value: unknown, depth = 0): RawObject | undefined {
  if (!isObject(value) || depth > maxDepth) return undefined;
  if ('event_vendor' in value) return value;
  for (const member of Object.values(value)) {
    const found = findEvent(member, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isObject(value: unknown): value is RawObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Returns the signature of 64 bytes, or undefined. Other last characters would decode to the same bytes, so only the canonical one counts. */
function toSignature(text: string): Buffer | undefined {
  if (text.length !== 86) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  return bytes.length === 64 && bytes.toString('base64url') === text ? bytes : undefined;
}

declare global {
  // The types of the language lack these yet.
  interface JSON {
    rawJSON(text: string): unknown;
    parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
  }
}

/** Parses JSON so that it prints every number and string as it was written: an ID beyond 2^53 keeps its digits. */
function parseRaw(text: string): unknown {
  return parse(text, (_key, value, { source }) => (source === undefined ? value : JSON.rawJSON(source)));
}

function parse(text: string, reviver: Parameters<typeof JSON.parse>[1] = (_key, value) => value): unknown {
  try {
    return JSON.parse(text, reviver);
  } catch {
    return undefined;
  }
}
