/** Who uses a destination: what no call of Konnect's answers is found out webhook by webhook. */
import { KonnectError } from '../../konnect/errors.ts';
import type { ReconcileContext } from '../reconcile-context.ts';

const mostNamed = 5;

export interface DestinationUsers {
  /** At most five by name, then how many more. */
  readonly webhooks: readonly string[];
  /** Where was looked: all that this forwarding knows. */
  readonly regions: readonly string[];
}

/** The webhooks that point at a destination, as far as the pass's token sees them. What it may not read is passed over. */
export async function destinationUsers(context: ReconcileContext, destinationID: string): Promise<DestinationUsers> {
  const { konnect, status, signal } = context;
  const { spec } = status.forwarding;
  const { client } = konnect;
  const known = [spec.konnect.region, ...(status.recorded.cleanup ?? []).map(({ region }) => region)];
  const regions = [...new Set(known)].toSorted();
  const found: string[] = [];

  async function seen<T>(read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof KonnectError) || signal.aborted) throw error;
      return undefined;
    }
  }

  for (const region of regions) {
    const webhook = await seen(() => client.getOrganizationWebhook(region, signal));
    if (webhook?.destinationID === destinationID) found.push(`the organization's webhook in region ${region}`);
    for (const { id } of (await seen(() => client.listPortals(region, signal))) ?? []) {
      const { destinationID: other } = (await seen(() => client.getPortalWebhook(region, id, signal))) ?? {};
      if (other === destinationID) found.push(`portal ${id} in region ${region}`);
    }
  }
  const more = found.length - mostNamed;
  return { webhooks: more > 0 ? [...found.slice(0, mostNamed), `${String(more)} more`] : found, regions };
}
