/**
 * Checks the values of Secrets before the operator sends them to Konnect, by the grammars of URLs (RFC 3986), of the Authorization header
 * (RFC 9110, 11.4) and of tokens (RFC 6750, 2.1). Pure. No text contains a part of a value.
 */

/** The value without line breaks at its end, or what is wrong with it and the way out. */
export type Checked = { readonly kind: 'valid'; readonly value: string } | Fault;

interface Fault {
  readonly kind: 'invalid';
  readonly what: string;
  readonly wayOut: string;
}

const maxTokenLength = 4_096;
const maxAccessLength = 256;
const maxEndpointLength = 2_048;
const maxAuthorizationLength = 8_192;

const word = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const token68 = '[A-Za-z0-9._~+/-]+=*';
const parameter = `${word} *= *(?:${word}|"(?:[^"\\\\]|\\\\.)*")`;
const bearerToken = new RegExp(`^${token68}$`);
const credentials = new RegExp(`^${word} +(?:${token68}|${parameter}(?: *, *${parameter})*)$`);
const quoted = /^(["'`]).*\1$/s;
const headerName = new RegExp(`^(?:(?:proxy-)?authorization[ :=]|${word}:(?: |$))`, 'i');

/** What tools replace or decrypt: `${V}`, `$(V)`, `{{ v }}`, `<path:v#k>`, and as a whole word `<v>` and `$V`; `vault:` and `ENC[` of a whole value. */
const placeholder =
  /\$\{[^{}]*\}|\$\([A-Za-z_][\w.-]*\)|\{\{[^{}]*\}|<path:|(?:^| )<[^<>]+>(?: |$)|(?:^| )\$[A-Za-z_]\w*$|^(?:vault:|ENC\[)/;

/** Returns the Konnect token. */
export function checkToken(bytes: Buffer): Checked {
  return check(bytes, maxTokenLength, (text) => {
    if (/^bearer /i.test(text)) return fault('begins with a scheme word', 'put only the token there');
    const slip = slipIn(text);
    if (slip !== undefined || bearerToken.test(text)) return slip;
    return fault(
      'contains a character that no token has (such as a blank, a line break, a quote, a control or a non-ASCII character)',
    );
  });
}

/** Returns an access ID or an access key of SumoLogic. The header of its API puts a colon between them. */
export function checkAccess(bytes: Buffer): Checked {
  return check(bytes, maxAccessLength, (text) => {
    const slip = slipIn(text);
    if (slip !== undefined || /^[\x21-\x39\x3b-\x7e]+$/.test(text)) return slip;
    return fault('contains a blank, a colon, a line break or another character that no access key has');
  });
}

/** Returns the endpoint of the SIEM. */
export function checkEndpoint(bytes: Buffer): Checked {
  return check(bytes, maxEndpointLength, (text) => slipIn(text) ?? faultInURL(text));
}

/**
 * Returns the value of the Authorization header: the scheme of spec, and the authorization of the Secret. What the grammar allows is
 * valid. So is any other printable text without a known slip, since a SIEM may want a bare token.
 */
export function checkAuthorization(bytes: Buffer, scheme: string | undefined): Checked {
  const toValue = (text: string) => (scheme === undefined ? text : `${scheme} ${text}`);
  const checked = check(bytes, maxAuthorizationLength, (text) => faultInAuthorization(text, toValue(text), scheme));
  return checked.kind === 'valid' ? { kind: 'valid', value: toValue(checked.value) } : checked;
}

function check(bytes: Buffer, maxLength: number, faultIn: (text: string) => Fault | undefined): Checked {
  const tooLong = (unit: string) => fault(`is longer than ${String(maxLength)} ${unit}`);
  // A line break of two bytes at the end does not count.
  if (bytes.length > maxLength + 2) return tooLong('bytes');
  const text = withoutLineEnds(decode(bytes));
  if (text === undefined) return fault('is not UTF-8 text');
  if (text.trim() === '') return fault('is empty');
  if (text.length > maxLength) return tooLong('characters');
  if (text !== text.trim()) return fault('begins or ends with a blank or a byte order mark');
  return faultIn(text) ?? { kind: 'valid', value: text };
}

function fault(what: string, wayOut = 'put a valid value there'): Fault {
  return { kind: 'invalid', what, wayOut };
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

/** Returns what a tool or a user left in a value that no grammar needs. */
function slipIn(text: string): Fault | undefined {
  if (quoted.test(text)) return fault('is in quotes', 'remove the quotes');
  if (placeholder.test(text)) {
    return fault(
      'contains a placeholder or an encrypted value',
      'check the tool that should replace it, or put the value itself there',
    );
  }
  const decoded = Buffer.from(text, 'base64').toString('latin1');
  return /^(?:https?:\/\/|[ks]pat_|(?:basic|bearer|splunk) )/i.test(decoded)
    ? fault('is encoded in base64 twice', 'encode it once, or put it into stringData')
    : undefined;
}

function faultInURL(text: string): Fault | undefined {
  const badCharacter = fault(
    'contains a blank, a line break or another character that a URL cannot have',
    'put a valid value there, with such characters as % and two hex digits',
  );
  if (/[^\x21-\x7e]|["<>\\^`{|}]|#.*#/.test(text)) return badCharacter;
  if (/%(?![0-9a-f]{2})/i.test(text)) return fault('has a % without two hex digits after it', 'write a % as %25');
  const url = URL.parse(text);
  if (url === null) return fault('is not a URL');
  if (url.protocol !== 'https:') return fault('is not an https URL');
  // Without two slashes and a host, a client could take a part of the path for the host.
  const [start] = /^https:\/\/[^/?#]+/i.exec(text) ?? [];
  if (start === undefined) return fault('is not a URL');
  if (/[[\]]/.test(text.slice(start.length))) return badCharacter;
  return url.username + url.password === '' ? undefined : fault('contains a user name or a password in the URL');
}

function faultInAuthorization(text: string, value: string, scheme: string | undefined): Fault | undefined {
  const isTwice = /^(\S+) +\1(?:$| +[^ =])/i.test(value);
  // The grammar lets a scheme begin with a quote, and lets a placeholder be a part of a quoted parameter.
  if (credentials.test(value) && !isTwice && !quoted.test(text)) return undefined;
  const slip = slipIn(text);
  if (slip !== undefined) return slip;
  if (!/^[\x20-\x7e]+$/.test(text)) {
    return fault('contains a character that a header value cannot have (line break, control or non-ASCII character)');
  }
  if (headerName.test(text)) {
    return fault('begins with the name of a header', 'put only the value of the Authorization header there');
  }
  if (scheme !== undefined && (isTwice || text.includes(' '))) {
    return fault(
      'has a scheme word, although spec.destination.authorizationScheme sets one',
      'leave only the credential there, or remove spec.destination.authorizationScheme',
    );
  }
  if (isTwice) return fault('has the scheme word twice', 'remove one of them');
  return /^(?:basic|bearer|splunk)$/i.test(text)
    ? fault('is only a scheme word', 'put the credential after it')
    : undefined;
}
