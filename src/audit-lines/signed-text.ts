/** Finds the signature of an audit line and the text that Konnect may have signed. Pure. */
import { findAuditLine, maxDepth, parse } from './audit-line.ts';

/**
 * What a line is. `texts` are tried in order: a signature that fits one of them proves the line. All texts are latin1, one character for each byte, so
 * that no byte is changed.
 */
export type SignedLine =
  | { readonly kind: 'signed'; readonly signature: Buffer; readonly texts: Iterable<string> }
  | { readonly kind: 'unsigned' }
  /** It has a signature that is not 64 bytes in canonical base64url. */
  | { readonly kind: 'malformed' }
  | { readonly kind: 'other' };

const unsigned: SignedLine = { kind: 'unsigned' };

/** The beginning of a line as Konnect sends it: a time and a host. */
const konnectPrefix = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d) [\w.-]+ $/;

/** Returns what a line of a log is. A JSON line that was printed again still has its text if all values kept their characters. */
export function readSignedLine(line: string): SignedLine {
  const found = findAuditLine(line);
  if (found === undefined) return { kind: 'other' };
  return found.format === 'cef' ? readCEF(found.before, found.event) : readJSON(found.object);
}

function readCEF(before: string, event: string): SignedLine {
  const at = event.lastIndexOf(' sig=');
  const start = at + ' sig='.length;
  const value = at === -1 ? '' : (/^[^\s"',;<]*/.exec(event.slice(start))?.[0] ?? '');
  if (value === '') return unsigned;
  const signature = toSignature(value);
  if (signature === undefined) return { kind: 'malformed' };
  const rest = event.slice(start + value.length).trimEnd();
  const prefixes = new Set([before, konnectPrefix.exec(before.slice(-120))?.[0] ?? '', '']);
  const texts = [...new Set([rest, ''])].flatMap((end) =>
    [...prefixes].map((prefix) => prefix + event.slice(0, at) + end),
  );
  return { kind: 'signed', signature, texts };
}

function readJSON(text: string): SignedLine {
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
