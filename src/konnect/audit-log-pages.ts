/** Konnect's list of what it audited, which is behind a feature flag of Konnect. */
import * as z from 'zod';
import { cursorOf } from './destination-pages.ts';
import { KonnectError } from './errors.ts';
import { hostFor } from './konnect-url.ts';
import type { KonnectRequest, KonnectTransport } from './transport.ts';

const pageSize = 1_000;

export interface AuditLogQuery {
  readonly http: KonnectTransport;
  readonly urlTemplate: string;
  readonly token: string;
  readonly region: string;
  /** Both are part of the range. Konnect keeps seven days. */
  readonly from: Date;
  readonly to: Date;
  readonly signal: AbortSignal;
}

/** An entry as Konnect shows it. Kong's document requires `type` only for some kinds, and `trace_id` is text. */
export type AuditLogEntry = Readonly<Record<string, unknown>>;

const cursors = z.object({ next: z.string().nullish() });
const pageSchema = z.object({
  data: z.array(z.record(z.string(), z.unknown())).max(pageSize),
  // The document nests the cursors, and a client of Kong takes both forms.
  meta: z.union([z.object({ page: cursors }).transform(({ page }) => page), cursors]).nullish(),
});

/**
 * Yields the entries of a region and a range of time, page by page. The logins of portals are not in the list. Rejects with a KonnectError: 403 and 404 also
 * mean that the list is not switched on for the organization.
 */
export async function* auditLogPages(query: AuditLogQuery): AsyncGenerator<readonly AuditLogEntry[]> {
  const { http, urlTemplate, token, region, from, to, signal } = query;
  const seen = new Set<string>();
  const url = new URL('v3/audit-logs', hostFor(urlTemplate, region));
  url.searchParams.set('page[size]', String(pageSize));
  url.searchParams.set('filter[ts][gte]', from.toISOString());
  url.searchParams.set('filter[ts][lte]', to.toISOString());
  const operation = 'list audit logs';
  for (;;) {
    const request: KonnectRequest = { operation, region, method: 'GET', url, token, signal };
    const { status, body } = await http.send(request);
    const { data: page } = pageSchema.safeParse(body);
    if (page === undefined) throw new KonnectError({ kind: 'UnexpectedAnswer', operation, status });
    yield page.data;
    const next = page.meta?.next ?? '';
    if (next === '') return;
    const cursor = cursorOf(next);
    if (cursor === undefined || seen.has(cursor))
      throw new KonnectError({ kind: 'UnexpectedAnswer', operation, status });
    seen.add(cursor);
    url.searchParams.set('page[after]', cursor);
  }
}
