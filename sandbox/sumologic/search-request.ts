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
  // SumoLogic changed this default from true to false in October 2025.
  requiresRawMessages: z.boolean().default(false),
});

/** A rejected request, with `code` and `message` of SumoLogic's error answer. */
export interface Rejection {
  readonly kind: 'rejected';
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

/** Parses the body of `POST /search/jobs`. Uses the error codes of SumoLogic's documentation. Rejects unknown fields. */
export function readSearchRequest(body: unknown): SearchRequest | Rejection {
  const parsed = requestBody.safeParse(body);
  if (!parsed.success) return rejection('generic', z.prettifyError(parsed.error));
  const { query = '', from, to, byReceiptTime, requiresRawMessages } = parsed.data;
  if (query.trim() === '') return rejection('no.query', "No 'query' parameter was provided.");
  const timeZone = parsed.data.timeZone ?? parsed.data.timezone ?? '';
  if (timeZone === '') return rejection('empty.timezone', "The 'timezone' cannot be blank.");
  if (!isTimeZone(timeZone)) return rejection('unknown.timezone', "The 'timezone' value is not a known time zone.");
  const fromMs = from === undefined ? undefined : parseSearchTime(from, timeZone);
  if (fromMs === undefined) return rejection('invalid.timestamp.from', "The 'from' field contains an invalid time.");
  const toMs = to === undefined ? undefined : parseSearchTime(to, timeZone);
  if (toMs === undefined) return rejection('invalid.timestamp.to', "The 'to' field contains an invalid time.");
  if (fromMs > toMs) return rejection('to.smaller.than.from', "The 'from' time cannot be larger than the 'to' time.");
  const parsedQuery = parseQuery(query);
  if (parsedQuery.kind === 'invalid') return rejection('parse.error', `Unable to parse query: ${parsedQuery.message}.`);
  return { kind: 'search', matches: parsedQuery.matches, fromMs, toMs, byReceiptTime, requiresRawMessages };
}

/** Parses `offset` and `limit` of a page. `limit` is at most 10,000. */
export function readPage(parameters: URLSearchParams): { kind: 'page'; offset: number; limit: number } | Rejection {
  const offset = Number.parseInt(parameters.get('offset') ?? '', 10);
  if (Number.isNaN(offset)) return rejection('offset.missing', 'Offset is missing.');
  if (offset < 0) return rejection('offset.negative', 'Offset cannot be negative.');
  const limit = Number.parseInt(parameters.get('limit') ?? '', 10);
  if (Number.isNaN(limit)) return rejection('limit.missing', 'Limit is missing.');
  if (limit === 0) return rejection('limit.zero', 'Limit cannot be 0.');
  if (limit < 0) return rejection('limit.negative', 'Limit cannot be negative.');
  return { kind: 'page', offset, limit: Math.min(limit, 10_000) };
}

function rejection(code: string, message: string): Rejection {
  return { kind: 'rejected', code: `searchjob.${code}`, message };
}
