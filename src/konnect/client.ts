import type { DestinationCall, DestinationHosts } from './destination-hosts.ts';
import { allPages, pageSize } from './destination-pages.ts';
import { KonnectError, type KonnectOperation } from './errors.ts';
import { globalRegion } from './konnect-url.ts';
import { type ReplayJob, type ReplayWindow, replayJobSchema, replayWindowJSON } from './replay-job.ts';
import { parsed, RequestSender, type RequestSenderOptions, type Target } from './request-sender.ts';
import {
  type AuditLogsAPI,
  type Destination,
  type DestinationBody,
  destinationJSON,
  destinationPageSchema,
  destinationSchema,
  destinationSchemaOf,
  type Entries,
  hasFormOfUUID,
  type Identified,
  type InlineWebhook,
  type InlineWebhookBody,
  identifiedSchema,
  inlineWebhookJSON,
  inlineWebhookSchema,
  portalPageSchema,
  type Webhook,
  type WebhookBody,
  type WebhookStatus,
  webhookSchema,
  webhookStatusSchema,
} from './schema.ts';

const webhookPath = 'audit-log-webhook';
const replayPath = 'audit-log-replay-job';
const destinationsPath = 'audit-log-destinations';

export interface KonnectClientOptions extends RequestSenderOptions {
  /** Finds the host for one destination. */
  destinationHosts: DestinationHosts;
  /** Called for each page that has entries without a valid ID. These are skipped. */
  onSkipped?: OnSkipped | undefined;
}

export type OnSkipped = (operation: KonnectOperation, entries: number) => void;

/**
 * Konnect's audit-log API with one token. Every method sends one request, never repeats it, and rejects only with a KonnectError. A list sends one for
 * each page, and a call on one destination asks the next host if the first does not know it. For an ID that is not a UUID or an invalid region a method
 * rejects with a TypeError, and sends nothing.
 */
export class KonnectClient {
  readonly #requests: RequestSender;
  readonly #destinationHosts: DestinationHosts;
  readonly #onSkipped: OnSkipped;

  constructor({ http, urlTemplate, token, destinationHosts, onSkipped = () => {} }: KonnectClientOptions) {
    this.#requests = new RequestSender({ http, urlTemplate, token });
    this.#destinationHosts = destinationHosts;
    this.#onSkipped = onSkipped;
  }

  /** Returns the organization of the token. */
  async organization(signal: AbortSignal): Promise<Identified> {
    const target: Target = { operation: 'get organization', region: globalRegion, path: 'v3/organizations/me', signal };
    return this.#requests.read(target, identifiedSchema);
  }

  /** Returns the destinations of all pages. The list may be some seconds old, so it never proves that a destination is absent. */
  async listDestinations(api: AuditLogsAPI, signal: AbortSignal): Promise<Destination[]> {
    return this.#listDestinations(api, {}, signal);
  }

  /** Returns the destinations with exactly this name: one small page, however many the organization has. It may be some seconds old, too. */
  async findDestinations(api: AuditLogsAPI, name: string, signal: AbortSignal): Promise<Destination[]> {
    const list = await this.#listDestinations(api, { 'filter[name][eq]': name }, signal);
    return list.filter((one) => one.name === name);
  }

  async #listDestinations(
    api: AuditLogsAPI,
    filter: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Destination[]> {
    const target: Target = {
      operation: 'list destinations',
      region: globalRegion,
      path: `${api}/${destinationsPath}`,
      signal,
    };
    const list = await allPages(async (query) => {
      const page = await this.#requests.read(
        target,
        destinationPageSchema,
        new URLSearchParams({ ...query, ...filter }),
      );
      return { entries: this.#valid(target, page.data), next: page.meta?.next };
    });
    if (list === undefined)
      throw new KonnectError({ kind: 'UnexpectedAnswer', operation: target.operation, status: 200 });
    return list;
  }

  /** Returns undefined if the destination is gone: Konnect answers 404, and a list that was requested afterwards lacks it too. */
  async getDestination(api: AuditLogsAPI, id: string, signal: AbortSignal): Promise<Destination | undefined> {
    const call: DestinationCall = { operation: 'get destination', api, id: checkedUUID(id), signal };
    return this.#atItsHost(call, (target) => this.#requests.read(target, destinationSchemaOf(call.id)));
  }

  /** Sends one POST. After an error with `mayHaveHappened`, the caller must look for the destination in a list before it sends another. */
  async createDestination(api: AuditLogsAPI, body: DestinationBody, signal: AbortSignal): Promise<Destination> {
    const target: Target = {
      operation: 'create destination',
      region: globalRegion,
      path: `${api}/${destinationsPath}`,
      signal,
    };
    const answer = await this.#requests.send('POST', target, destinationJSON(body));
    return parsed(destinationSchema, answer, target.operation, true);
  }

  /**
   * Returns the destination after the PATCH, as far as the answer shows it. Returns undefined if the answer has no body. Rejects with `NotFound` if the
   * destination is gone.
   */
  async updateDestination(
    api: AuditLogsAPI,
    id: string,
    body: DestinationBody,
    signal: AbortSignal,
  ): Promise<Destination | undefined> {
    const call: DestinationCall = { operation: 'update destination', api, id: checkedUUID(id), signal };
    const answer = await this.#atItsHost(call, (target) => this.#requests.send('PATCH', target, destinationJSON(body)));
    if (answer === undefined) throw new KonnectError({ kind: 'NotFound', operation: call.operation, status: 404 });
    if (answer.body === undefined) return undefined;
    return parsed(destinationSchemaOf(call.id), answer, call.operation, true);
  }

  /** Returns `in-use` if a webhook points at the destination, or did until some seconds ago, and `absent` if it is gone. */
  async deleteDestination(
    api: AuditLogsAPI,
    id: string,
    signal: AbortSignal,
  ): Promise<'deleted' | 'absent' | 'in-use'> {
    const call: DestinationCall = { operation: 'delete destination', api, id: checkedUUID(id), signal };
    const result = await this.#atItsHost(call, (target) => this.#requests.deleteExisting(target));
    return result === 'conflict' ? 'in-use' : (result ?? 'absent');
  }

  /** Returns at most a hundred portals that the token sees in this region. `page` counts from 1. */
  async listPortals(region: string, signal: AbortSignal, page = 1): Promise<readonly Identified[]> {
    const target: Target = { operation: 'list portals', region, path: 'v3/portals', signal };
    const query = new URLSearchParams({
      'page[size]': String(pageSize),
      ...(page === 1 ? {} : { 'page[number]': String(page) }),
    });
    const { data } = await this.#requests.read(target, portalPageSchema, query);
    return this.#valid(target, data).slice(0, pageSize);
  }

  /** Returns undefined if there is no such portal, or if the token may not see it: Konnect answers 404 for both. */
  async getPortal(region: string, id: string, signal: AbortSignal): Promise<Identified | undefined> {
    const target: Target = { operation: 'get portal', region, path: `v3/portals/${checkedUUID(id)}`, signal };
    return this.#requests.readIfThere(
      target,
      identifiedSchema.refine((answer) => answer.id === checkedUUID(id)),
    );
  }

  /** Returns undefined for a 404: there is no such portal, or its webhook was never configured. */
  async getPortalWebhook(region: string, id: string, signal: AbortSignal): Promise<Webhook | undefined> {
    return this.#requests.readIfThere(portalWebhook('get portal webhook', region, id, signal), webhookSchema);
  }

  async updatePortalWebhook(region: string, id: string, body: WebhookBody, signal: AbortSignal): Promise<void> {
    await this.#requests.send('PATCH', portalWebhook('update portal webhook', region, id, signal), webhookJSON(body));
  }

  async deletePortalWebhook(
    region: string,
    id: string,
    signal: AbortSignal,
  ): Promise<'deleted' | 'absent' | 'conflict'> {
    return this.#requests.delete(portalWebhook('delete portal webhook', region, id, signal));
  }

  /** Returns how a portal's webhook delivers, or undefined for a 404. */
  async getPortalWebhookStatus(region: string, id: string, signal: AbortSignal): Promise<WebhookStatus | undefined> {
    return this.#readStatus(portalWebhook('get portal webhook status', region, id, signal));
  }

  /** Returns how the organization's webhook delivers, or undefined for a 404. */
  async getOrganizationWebhookStatus(
    api: AuditLogsAPI,
    region: string,
    signal: AbortSignal,
  ): Promise<WebhookStatus | undefined> {
    return this.#readStatus({
      operation: 'get organization webhook status',
      region,
      path: `${api}/${webhookPath}`,
      signal,
    });
  }

  /** Returns the organization's webhook as v3 shows it, or undefined for a 404: it was never configured in this region. */
  async getOrganizationWebhook(region: string, signal: AbortSignal): Promise<Webhook | undefined> {
    return this.#requests.readIfThere(
      { operation: 'get organization webhook', region, path: `v3/${webhookPath}`, signal },
      webhookSchema,
    );
  }

  async updateOrganizationWebhook(region: string, body: WebhookBody, signal: AbortSignal): Promise<void> {
    const target: Target = { operation: 'update organization webhook', region, path: `v3/${webhookPath}`, signal };
    await this.#requests.send('PATCH', target, webhookJSON(body));
  }

  async deleteOrganizationWebhook(region: string, signal: AbortSignal): Promise<'deleted' | 'absent' | 'conflict'> {
    return this.#requests.delete({
      operation: 'delete organization webhook',
      region,
      path: `v3/${webhookPath}`,
      signal,
    });
  }

  /** Returns the organization's webhook as v2 shows it, or undefined for a 404. */
  async getInlineWebhook(region: string, signal: AbortSignal): Promise<InlineWebhook | undefined> {
    return this.#requests.readIfThere(
      { operation: 'get inline webhook', region, path: `v2/${webhookPath}`, signal },
      inlineWebhookSchema,
    );
  }

  /** Returns the webhook after the PATCH, or undefined if the answer has no body. */
  async updateInlineWebhook(
    region: string,
    body: InlineWebhookBody,
    signal: AbortSignal,
  ): Promise<InlineWebhook | undefined> {
    const target: Target = { operation: 'update inline webhook', region, path: `v2/${webhookPath}`, signal };
    const answer = await this.#requests.send('PATCH', target, inlineWebhookJSON(body));
    return answer.body === undefined ? undefined : parsed(inlineWebhookSchema, answer, target.operation, true);
  }

  /** Disables the webhook and changes nothing else of it: v2 has no DELETE, and the caller may not know the endpoint. */
  async disableInlineWebhook(region: string, signal: AbortSignal): Promise<void> {
    const target: Target = { operation: 'disable inline webhook', region, path: `v2/${webhookPath}`, signal };
    await this.#requests.send('PATCH', target, { enabled: false });
  }

  /** Returns the last replay job of a webhook, or undefined for a 404. */
  async getReplayJob(webhook: WebhookAddress, signal: AbortSignal): Promise<ReplayJob | undefined> {
    return this.#requests.readIfThere(replayTarget('get replay job', webhook, signal), replayJobSchema);
  }

  /**
   * Makes Konnect send the audit logs of a period again, and returns the job if the answer has it. Every call sends them once more. After an
   * error with `mayHaveHappened`, the caller must look at the job before it calls again. Rejects with `Conflict` while a job runs.
   */
  async startReplayJob(
    webhook: WebhookAddress,
    window: ReplayWindow,
    signal: AbortSignal,
  ): Promise<ReplayJob | undefined> {
    const target = replayTarget('start replay job', webhook, signal);
    const answer = await this.#requests.send('PUT', target, replayWindowJSON(window));
    return answer.body === undefined ? undefined : parsed(replayJobSchema, answer, target.operation, true);
  }

  #readStatus(webhook: Target): Promise<WebhookStatus | undefined> {
    return this.#requests.readIfThere({ ...webhook, path: `${webhook.path}/status` }, webhookStatusSchema);
  }

  #valid<T>({ operation }: Target, { valid, skipped }: Entries<T>): readonly T[] {
    if (skipped > 0) this.#onSkipped(operation, skipped);
    return valid;
  }

  /** Returns undefined if the destination is gone. */
  #atItsHost<T>(call: DestinationCall, send: (target: Target) => Promise<T>): Promise<T | undefined> {
    const { operation, id, signal } = call;
    return this.#destinationHosts.ask(call, ({ region, api }) =>
      send({ operation, region, path: `${api}/${destinationsPath}/${id}`, signal }),
    );
  }
}

/** A webhook in one region. Without a portal, it is the organization's. */
export interface WebhookAddress {
  api: AuditLogsAPI;
  region: string;
  portalID: string | undefined;
}

function replayTarget(
  operation: KonnectOperation,
  { api, region, portalID }: WebhookAddress,
  signal: AbortSignal,
): Target {
  const parent = portalID === undefined ? api : `v3/portals/${checkedUUID(portalID)}`;
  return { operation, region, path: `${parent}/${replayPath}`, signal };
}

function portalWebhook(operation: KonnectOperation, region: string, id: string, signal: AbortSignal): Target {
  return { operation, region, path: `v3/portals/${checkedUUID(id)}/${webhookPath}`, signal };
}

/** Returns the UUID in lower case. The nil UUID, which names nothing, is allowed: Konnect answers 404 for it. */
function checkedUUID(id: string): string {
  if (!hasFormOfUUID(id)) throw new TypeError('a Konnect ID must be a UUID');
  return id.toLowerCase();
}

function webhookJSON(body: WebhookBody): object {
  return { audit_log_destination_id: checkedUUID(body.destinationID), enabled: body.enabled };
}
