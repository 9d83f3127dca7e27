import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import type { AuditEvent, LogFormat } from '../audit-event.ts';

/** Extension keys that the JSON formats show as numbers, even beyond the precision of a double. All other values are strings. */
const numericKeys: ReadonlySet<string> = new Set(['rt', 'trace_id']);
/** 64 bytes as base64url, without padding. */
const signaturePattern = '([A-Za-z0-9_-]{86})';

/**
 * Returns an event in one of Konnect's log formats, without a signature and a line end.
 *
 * - `cef`: `{RFC3339, seconds} konghq.com CEF:0|KongInc|{product}|1.0|{class id}|{name}|{severity}|{key=value …}`. Escaped as in ArcSight's CEF:
 *   `\` and `|` in the header, `\`, `=` and line ends in values. The header cannot escape a line end, so a blank replaces it.
 * - `json`: one object with the fields of the header (`event_ts` to `cef_version`), then those of the extension.
 * - `cps`: the `json` object under `event`.
 */
export function formatLine(event: AuditEvent, format: LogFormat): string {
  if (format === 'cef') return cefLine(event);
  const object = jsonObject(event);
  return format === 'json' ? object : `{"event":${object}}`;
}

/**
 * Returns a line of `formatLine` with its signature as the last field: Ed25519 over the unsigned line, in base64url. `cef` gets ` sig=…`.
 * `json` and `cps` get `,"sig":"…"` as the last member of the event's object, which in `cps` is `event`.
 */
export function signLine(unsigned: string, format: LogFormat, privateKey: KeyObject): string {
  const signature = sign(null, Buffer.from(unsigned), privateKey).toString('base64url');
  if (format === 'cef') return `${unsigned} sig=${signature}`;
  const closing = format === 'json' ? '}' : '}}';
  return `${unsigned.slice(0, -closing.length)},"sig":"${signature}"${closing}`;
}

/**
 * Returns whether one of the keys signed the line. Removes the signature from the text instead of parsing the line, because parsing would
 * change numbers beyond 2^53. A line does not name its key, so every Ed25519 key is tried. Other keys are ignored.
 */
export function verifyLine(line: string, jwks: { readonly keys: readonly object[] }): boolean {
  const found = cutSignature(line);
  if (found === undefined) return false;
  const signature = Buffer.from(found.signature, 'base64url');
  // Four bits of the last character are unused. A text that differs from the encoding of its bytes was changed.
  if (signature.toString('base64url') !== found.signature) return false;
  const signed = Buffer.from(found.unsigned);
  return jwks.keys.some((jwk) => {
    const key = publicKey(jwk);
    return key !== undefined && verify(null, signed, key, signature);
  });
}

function cutSignature(line: string): { unsigned: string; signature: string } | undefined {
  const pattern = line.startsWith('{')
    ? new RegExp(`,"sig":"${signaturePattern}"`, 'g')
    : new RegExp(` sig=${signaturePattern}(?= |$)`, 'g');
  const match = [...line.matchAll(pattern)].at(-1);
  if (match?.[1] === undefined) return undefined;
  return {
    unsigned: line.slice(0, match.index) + line.slice(match.index + match[0].length),
    signature: match[1],
  };
}

function publicKey(jwk: object): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: { ...jwk }, format: 'jwk' });
    return key.asymmetricKeyType === 'ed25519' ? key : undefined;
  } catch {
    return undefined;
  }
}

function cefLine(event: AuditEvent): string {
  const header = ['KongInc', event.product, '1.0', event.eventClassID, event.name, String(event.severity)];
  const extension = Object.entries(event.extension).map(([key, value]) => `${key}=${escapeCefValue(value)}`);
  return `${timestamp(event.at)} konghq.com CEF:0|${header.map(escapeCefHeader).join('|')}|${extension.join(' ')}`;
}

function escapeCefHeader(text: string): string {
  return text.replaceAll(/[\r\n]+/g, ' ').replaceAll(/[\\|]/g, String.raw`\$&`);
}

function escapeCefValue(text: string): string {
  return text.replaceAll(/[\\=]/g, String.raw`\$&`).replaceAll('\r', String.raw`\r`).replaceAll('\n', String.raw`\n`);
}

function jsonObject(event: AuditEvent): string {
  const members = [
    member('event_ts', timestamp(event.at)),
    member('event_vendor', 'KongInc'),
    member('event_product', event.product),
    member('event_version', '1.0'),
    member('event_class_id', event.eventClassID),
    member('name', event.name),
    member('severity', event.severity),
    member('cef_version', 0),
    ...Object.entries(event.extension).map(([key, value]) =>
      numericKeys.has(key) && /^\d+$/.test(value) ? `${JSON.stringify(key)}:${value}` : member(key, value),
    ),
  ];
  return `{${members.join(',')}}`;
}

function member(key: string, value: string | number): string {
  return `${JSON.stringify(key)}:${JSON.stringify(value)}`;
}

function timestamp(at: Date): string {
  return `${at.toISOString().slice(0, 19)}Z`;
}
