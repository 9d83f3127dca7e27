import * as z from 'zod';
import { parseQuery, type Searchable } from './query.ts';
import { isTimeZone, parseSearchTime } from './time.ts';

const requestBody = z.strictObject({
  query: z.string().optional(),
  from: z.union([z.string(), z.number()]).optional(),
  to: z.union([z.string(), z.number()]).optional(),
  timeZone: z.string().optional(),
  timezone: z.string().optional(),
  byReceiptTime: z.boolean().default(false),
  autoParsingMode: z.enum(['AutoParse', 'Manual', 'performance', 'intelligent', 'verbose']).optional(),
  // SumoLogic turned this default from true to false in October 2025.
  requiresRawMessages: z.boolean().default(false),
});

/** A refusal in SumoLogic's words: `code` and `message` of its error answer. */
export interface Refusal {
  readonly kind: 'refused';
  readonly code: string;
  readonly message: string;
}

export interface SearchRequest {
  readonly kind: 'search';
  readonly matches: (message: Searchable) => boolean;
  readonly fromMs: number;
  /** Exclusive. */
  readonly toMs: number;
  readonly byReceiptTime: boolean;
  readonly requiresRawMessages: boolean;
}

/** Reads the body of `POST /search/jobs`, with the error codes of SumoLogic's documentation. Unknown fields are refused. */
export function readSearchRequest(body: unknown): SearchRequest | Refusal {
  const parsed = requestBody.safeParse(body);
  if (!parsed.success) return refusal('generic', z.prettifyError(parsed.error));
  const { query = '', from, to, byReceiptTime, requiresRawMessages } = parsed.data;
  if (query.trim() === '') return refusal('no.query', "No 'query' parameter was provided.");
  const timeZone = parsed.data.timeZone ?? parsed.data.timezone ?? '';
  if (timeZone === '') return refusal('empty.timezone', "The 'timezone' cannot be blank.");
  if (!isTimeZone(timeZone)) return refusal('unknown.timezone', "The 'timezone' value is not a known time zone.");
  const fromMs = from === undefined ? undefined : parseSearchTime(from, timeZone);
  if (fromMs === undefined) return refusal('invalid.timestamp.from', "The 'from' field contains an invalid time.");
  const toMs = to === undefined ? undefined : parseSearchTime(to, timeZone);
  if (toMs === undefined) return refusal('invalid.timestamp.to', "The 'to' field contains an invalid time.");
  if (fromMs > toMs) return refusal('to.smaller.than.from', "The 'from' time cannot be larger than the 'to' time.");
  const parsedQuery = parseQuery(query);
  if (parsedQuery.kind === 'invalid') return refusal('parse.error', `Unable to parse query: ${parsedQuery.message}.`);
  return { kind: 'search', matches: parsedQuery.matches, fromMs, toMs, byReceiptTime, requiresRawMessages };
}

/** Reads `offset` and `limit` of a page; `limit` is cut to 10,000. */
export function readPage(parameters: URLSearchParams): { kind: 'page'; offset: number; limit: number } | Refusal {
  const offset = Number.parseInt(parameters.get('offset') ?? '', 10);
  if (Number.isNaN(offset)) return refusal('offset.missing', 'Offset is missing.');
  if (offset < 0) return refusal('offset.negative', 'Offset cannot be negative.');
  const limit = Number.parseInt(parameters.get('limit') ?? '', 10);
  if (Number.isNaN(limit)) return refusal('limit.missing', 'Limit is missing.');
  if (limit === 0) return refusal('limit.zero', 'Limit cannot be 0.');
  if (limit < 0) return refusal('limit.negative', 'Limit cannot be negative.');
  return { kind: 'page', offset, limit: Math.min(limit, 10_000) };
}

function refusal(code: string, message: string): Refusal {
  return { kind: 'refused', code: `searchjob.${code}`, message };
}
