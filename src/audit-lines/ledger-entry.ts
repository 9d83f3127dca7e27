/** What identifies an audited event, in Konnect's own list and in the line that Konnect sends. Pure. */
import * as z from 'zod';
import { findAuditLine, parse } from './audit-line.ts';

export const eventKinds = ['authentication', 'authorization', 'gateway_access'] as const;
type EventKind = (typeof eventKinds)[number];

/** An entry of Konnect's list and the line of the same event are equal in these fields. */
export interface LedgerEntry {
  /** A number of at most 64 bits in decimal, as text because a double cannot hold it. */
  readonly traceID: string;
  readonly kind: EventKind;
  /** Milliseconds since 1970. */
  readonly timeMs: number;
  readonly principalID: string | undefined;
  readonly organizationID: string | undefined;
  /** True for a login to a Dev Portal. Konnect's list has none of them. */
  readonly isPortal: boolean;
}

type Fields = Readonly<Record<'traceID' | 'rt' | 'principalID' | 'organizationID' | 'portalID', RegExp>>;

const cefFields: Fields = {
  traceID: /[| ]trace_id=(\d+)/,
  rt: /[| ]rt=(\d+)/,
  principalID: /[| ]principal_id=([^ ]+)/,
  organizationID: /[| ]org_id=([^ ]+)/,
  portalID: /[| ]portal_id=[^ ]/,
};
const jsonFields: Fields = {
  traceID: /"trace_id"\s*:\s*"?(\d+)/,
  rt: /"rt"\s*:\s*"?(\d+)/,
  principalID: /"principal_id"\s*:\s*"([^"]+)/,
  organizationID: /"org_id"\s*:\s*"([^"]+)/,
  portalID: /"portal_id"\s*:\s*"[^"]/,
};

/**
 * Returns the entry that a line describes: an entry of Konnect's list of audit logs as JSON, or an audit line in CEF, JSON or CPS, wrapped or not. The line
 * is latin1. Returns undefined if it is neither, or lacks one of the fields.
 */
export function toLedgerEntry(line: string): LedgerEntry | undefined {
  const found = findAuditLine(line);
  if (found === undefined) return listEntry(line);
  return found.format === 'cef' ? cefEntry(found.event) : jsonEntry(found.object);
}

function cefEntry(event: string): LedgerEntry | undefined {
  // Seven bars end the header. Only a bar in a name would be escaped, and Konnect's names have none.
  const name = event.split('|', 6)[5] ?? '';
  return toEntry(name, event, cefFields);
}

function jsonEntry(object: string): LedgerEntry | undefined {
  // Not parsed, because that rounds numbers. Keys and these values have no escapes.
  return toEntry(/"name"\s*:\s*"([^"]+)/.exec(object)?.[1] ?? '', object, jsonFields);
}

function toEntry(name: string, text: string, fields: Fields): LedgerEntry | undefined {
  const kind = kindOf(name);
  const traceID = fields.traceID.exec(text)?.[1];
  const timeMs = Number(fields.rt.exec(text)?.[1]);
  if (kind === undefined || traceID === undefined || !isTrace(traceID) || Number.isNaN(timeMs)) return undefined;
  const principalID = fields.principalID.exec(text)?.[1];
  const organizationID = fields.organizationID.exec(text)?.[1];
  return { traceID, kind, timeMs, principalID, organizationID, isPortal: fields.portalID.test(text) };
}

function kindOf(name: string): EventKind | undefined {
  if (name.startsWith('AUTHENTICATION_OUTCOME_')) return 'authentication';
  if (name.startsWith('Authz.')) return 'authorization';
  return name === 'Ingress' ? 'gateway_access' : undefined;
}

const listSchema = z.object({
  type: z.enum(eventKinds),
  ts: z.string().transform((text) => Date.parse(text)),
  trace_id: z.string(),
  principal_id: z.string().optional(),
  org_id: z.string().optional(),
});

function listEntry(line: string): LedgerEntry | undefined {
  const start = line.indexOf('{');
  return start === -1 || !line.includes('"trace_id"') ? undefined : ofList(parse(line.slice(start)));
}

/** Returns the entry that an entry of Konnect's list describes. Returns undefined if it lacks one of the fields. */
export function ofList(value: unknown): LedgerEntry | undefined {
  const { data } = listSchema.safeParse(value);
  if (data === undefined || !isTrace(data.trace_id) || Number.isNaN(data.ts)) return undefined;
  return {
    traceID: data.trace_id,
    kind: data.type,
    timeMs: data.ts,
    principalID: data.principal_id,
    organizationID: data.org_id,
    isPortal: false,
  };
}

function isTrace(text: string): boolean {
  return /^\d{1,20}$/.test(text) && BigInt(text) <= 0xffff_ffff_ffff_ffffn;
}
