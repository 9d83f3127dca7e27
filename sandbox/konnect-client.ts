import * as z from 'zod';
import { type Sandbox, sandboxData } from './sandbox.ts';

const Destinations = z.object({
  data: z.array(z.object({ id: z.string(), name: z.string(), endpoint: z.string(), log_format: z.string() })),
});
const Webhook = z.object({ audit_log_destination_id: z.string().optional(), enabled: z.boolean() });
export type Webhook = z.infer<typeof Webhook>;
const Attempt = z.object({ last_response_code: z.number().optional() });
const ReplayJob = z.object({ status: z.string() });

/** The path of the organization's webhook. */
export const organizationWebhook = '/v3/audit-log-webhook';

/** Returns the path of a portal's webhook. */
export function webhookOf(portal: string): string {
  return `/v3/portals/${portal}/audit-log-webhook`;
}

/** Another client of Konnect: what a user does there without the operator. */
export interface KonnectClient {
  call(method: string, region: string, path: string, body?: object): Promise<unknown>;
  destinations(): Promise<z.infer<typeof Destinations>['data']>;
  /** Resolves with the webhook with this path. */
  webhook(path: string): Promise<Webhook>;
  /** Resolves with the HTTP status that the last delivery of the webhook with this path got. */
  lastAnswer(path: string): Promise<number | undefined>;
  /** Resolves with true if Konnect has completed a replay of the webhook with this path. */
  isReplayed(path: string): Promise<boolean>;
  login(portal: string): Promise<void>;
}

/** Returns a client with the token of the sandbox. */
export function createKonnectClient({ services }: Pick<Sandbox, 'services'>): KonnectClient {
  async function call(method: string, region: string, path: string, body?: object): Promise<unknown> {
    const answer = await fetch(services.konnect.urlTemplate.replace('{region}', region) + path, {
      method,
      headers: { authorization: `Bearer ${sandboxData.token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path} answered ${String(answer.status)}`);
    return answer.json();
  }
  return {
    call,
    destinations: async () => Destinations.parse(await call('GET', 'global', '/v3/audit-log-destinations')).data,
    webhook: async (path) => Webhook.parse(await call('GET', 'us', path)),
    lastAnswer: async (path) => Attempt.parse(await call('GET', 'us', `${path}/status`)).last_response_code,
    async isReplayed(path) {
      const job = ReplayJob.parse(await call('GET', 'us', path.replace(/webhook$/, 'replay-job')));
      return job.status === 'completed';
    },
    async login(portal) {
      const { email: username, password } = sandboxData.developer;
      await call('POST', 'us', `/__portals/${portal}/api/v2/developer/authenticate`, { username, password });
    },
  };
}
