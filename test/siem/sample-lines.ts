/** Lines that receivers and parsers find hard, signed, in Konnect's formats; and what a receiver kept of them. */

import type { AuditEvent, LogFormat } from '../../sandbox/konnect/audit-event.ts';
import { formatLine, signLine } from '../../sandbox/konnect/delivery/audit-line.ts';
import { createKeyRing } from '../../sandbox/konnect/delivery/key-ring.ts';
import { readSignedLine } from '../../src/audit-lines/signed-text.ts';
import { toSigningKeys } from '../../src/audit-lines/signing-keys.ts';
import { lineVerifier } from '../../src/audit-lines/verify-lines.ts';

const keys = createKeyRing(1);

/** The user agents, in the order of the events. The second one is that of a client that sends none. */
export const userAgents = ['curl/8.5.0', '', 'terraform/1.9 (lang=go; os=linux)', String.raw`a"b\c <d> & é`] as const;
/** Beyond 2^53, and the last one beyond 2^63. */
export const traceIDs = [
  '3360194145499877252',
  '3360194145499877253',
  '9007199254740993',
  '18446744073709551615',
] as const;

/** Occurs in each sample line, and in no line that the local Konnect makes. */
export const sampleTime = '17951661';

const events: readonly AuditEvent[] = userAgents.map((userAgent, index) => ({
  at: new Date(1_795_166_102_000 + index * 1_000),
  product: 'Konnect',
  eventClassID: 'konnect',
  name: 'Authz.portals',
  severity: 1,
  extension: {
    rt: String(1_795_166_102_417 + index * 1_000),
    src: '203.0.113.9',
    action: 'list',
    granted: 'true',
    org_id: '998db3e4-5cb7-4dd5-b51c-9878096a6999',
    principal_id: 'a3d2699a-0ed3-4417-bb10-d8e74a1513a4',
    trace_id: traceIDs[index] ?? '',
    user_agent: userAgent,
  },
}));

export function sampleLines(format: LogFormat): string[] {
  return events.map((event) => signLine(formatLine(event, format), format, keys.signingKey()));
}

/** What a receiver kept of the sample lines, as a row of the table in docs/siem/others.md. */
export interface Kept {
  readonly events: string;
  readonly order: string;
  readonly traceID: string;
  readonly userAgent: string;
  readonly signature: string;
}

/** Resolves with what a receiver kept, by the lines that it returned in its own order. */
export async function whatIsKept(returned: readonly string[]): Promise<Kept> {
  const results = await lineVerifier(toSigningKeys(keys.jwks()))(
    returned.map((line) => Buffer.from(line, 'utf8').toString('latin1')),
  );
  const verified = results.filter((result) => result === 'verified').length;
  const signed = returned.filter((line) => readSignedLine(line).kind === 'signed').length;
  const places = traceIDs.map((id) => returned.findIndex((line) => line.includes(id)));
  const isExact = places.every((place) => place !== -1);
  return {
    events: returned.length === events.length ? 'one for each line' : `${returned.length} for ${events.length} lines`,
    order: isExact && places.every((place, index) => place === index) ? 'kept' : 'not kept',
    traceID: isExact ? 'exact' : 'changed',
    userAgent: returned.some((line) => /user_agent(?:=|\\?":\\?"\\?")(?: |\\?"|$|,)/.test(line)) ? 'kept' : 'lost',
    signature: verified === events.length ? 'proved' : signed > 0 ? 'invalid' : 'not found',
  };
}
