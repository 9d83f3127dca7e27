/** Konnect's list of what it audited, which is behind a feature flag of Konnect. */
import * as z from 'zod';
import { cursorOf } from './destination-pages.ts';
import { KonnectError } from './errors.ts';
import { RequestSender, type RequestSenderOptions, type Target } from './request-sender.ts';

const pageSize = 1_000;

export interface AuditLogQuery {
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

/** What Konnect says that it audited, with one token. Every method rejects with a KonnectError. */
export class LedgerClient {
  readonly #requests: RequestSender;

  constructor(options: RequestSenderOptions) {
    this.#requests = new RequestSender(options);
  }

  /**
   * Yields the entries of a region and a range of time, page by page. The logins of portals are not in the list. 403 and 404 also mean that the list is not
   * switched on for the organization.
   */
  async *auditLogs({ region, from, to, signal }: AuditLogQuery): AsyncGenerator<readonly AuditLogEntry[]> {
    const target: Target = { operation: 'list audit logs', region, path: 'v3/audit-logs', signal };
    const parameters = new URLSearchParams({
      'page[size]': String(pageSize),
      'filter[ts][gte]': from.toISOString(),
      'filter[ts][lte]': to.toISOString(),
    });
    const seen = new Set<string>();
    for (;;) {
      const { data, meta } = await this.#requests.read(target, pageSchema, parameters);
      yield data;
      const next = meta?.next ?? '';
      if (next === '') return;
      const cursor = cursorOf(next);
      if (cursor === undefined || seen.has(cursor))
        throw new KonnectError({ kind: 'UnexpectedAnswer', operation: target.operation, status: 200 });
      seen.add(cursor);
      parameters.set('page[after]', cursor);
    }
  }

  /** Returns the JWKS of a region as Konnect publishes it. It needs no token, but Konnect's API description asks for one. */
  async signingKeys(region: string, signal: AbortSignal): Promise<unknown> {
    const path = 'v2/audit-log-webhook/jwks.json';
    return (await this.#requests.send('GET', { operation: 'get signing keys', region, path, signal })).body;
  }

  /** Lists one control plane of a region, and ignores the answer: Konnect audits the call. */
  async listControlPlanes(region: string, signal: AbortSignal): Promise<void> {
    const target: Target = { operation: 'list control planes', region, path: 'v2/control-planes', signal };
    await this.#requests.send('GET', target, undefined, new URLSearchParams({ 'page[size]': '1' }));
  }
}
