/** Finds Konnect's line in a line of a log. Pure. All texts are latin1, one character for each byte, so that no byte is changed. */

/** Konnect's line, without what a relay or a SIEM put around it. */
export type AuditLine =
  | {
      readonly format: 'cef';
      /** What stands before the event in the log, such as Konnect's time and host, or the header of a relay. */
      readonly before: string;
      /** From `CEF:0` to the end of the line. */
      readonly event: string;
    }
  /** JSON or CPS: from the first brace to the last one. */
  | { readonly format: 'json'; readonly object: string };

/** How deep a line may be wrapped: a relay's object, the SIEM's object around it, and an export around that. */
export const maxDepth = 4;
// Some versions of rsyslog write a blank after the tag of a message.
const cefStart = /CEF: ?0\|KongInc\|/;
const vendor = /"event_vendor"\s*:\s*"KongInc"/;

/**
 * Returns Konnect's line in a line of a log, which has no line end. It may be CEF, JSON or CPS, and a relay or a SIEM may have put something before it,
 * after it or around it. Returns undefined if there is none.
 */
export function findAuditLine(line: string, depth = 0): AuditLine | undefined {
  const text = line.includes('""event_vendor""') ? line.replaceAll('""', '"') : line;
  const brace = text.indexOf('{');
  const cef = cefStart.exec(text);
  if (cef !== null && (brace === -1 || cef.index < brace)) {
    const event = `CEF:${text.slice(cef.index + cef[0].length - '0|KongInc|'.length)}`;
    return { format: 'cef', before: text.slice(0, cef.index), event };
  }
  if (brace === -1) return undefined;
  const object = text.slice(brace, text.lastIndexOf('}') + 1);
  if (vendor.test(object)) return { format: 'json', object };
  return object.includes('KongInc') && depth < maxDepth ? findWrapped(object, depth) : undefined;
}

/** Looks for a line in the strings of an object. */
function findWrapped(object: string, depth: number): AuditLine | undefined {
  for (const value of strings(parse(Buffer.from(object, 'latin1').toString('utf8')))) {
    if (!value.includes('KongInc')) continue;
    const line = findAuditLine(Buffer.from(value, 'utf8').toString('latin1').trim(), depth + 1);
    if (line !== undefined) return line;
  }
  return undefined;
}

function* strings(value: unknown, depth = 0): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (typeof value === 'object' && value !== null && depth < maxDepth)
    for (const member of Object.values(value)) yield* strings(member, depth + 1);
}

/** Returns the value of JSON, or undefined if the text is none. */
export function parse(text: string, reviver: Parameters<typeof JSON.parse>[1] = (_key, value) => value): unknown {
  try {
    return JSON.parse(text, reviver);
  } catch {
    return undefined;
  }
}
