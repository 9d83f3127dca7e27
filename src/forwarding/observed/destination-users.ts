/** Finds the webhooks that use a destination. Konnect has no call for this, so the operator reads webhook by webhook. */
import { KonnectError } from '../../konnect/errors.ts';
import type { ReconcileContext } from '../reconcile-context.ts';

const maxListed = 5;

export interface DestinationUsers {
  /** At most five webhooks, then how many more there are. */
  readonly webhooks: readonly string[];
  /** The regions in which the operator looked: those that the forwarding knows. */
  readonly regions: readonly string[];
}

/** Returns the webhooks that point at a destination. It leaves out what the token may not read. */
export async function destinationUsers(context: ReconcileContext, destinationID: string): Promise<DestinationUsers> {
  const { konnect, status, signal } = context;
  const { spec } = status.forwarding;
  const { client } = konnect;
  const known = [spec.konnect.region, ...(status.recorded.cleanup ?? []).map(({ region }) => region)];
  const regions = [...new Set(known)].toSorted();
  const found: string[] = [];

  async function readOrSkip<T>(read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof KonnectError) || signal.aborted) throw error;
      return undefined;
    }
  }

  for (const region of regions) {
    const webhook = await readOrSkip(() => client.getOrganizationWebhook(region, signal));
    if (webhook?.destinationID === destinationID) found.push(`the organization's webhook in region ${region}`);
    for (const { id } of (await readOrSkip(() => client.listPortals(region, signal))) ?? []) {
      const { destinationID: other } = (await readOrSkip(() => client.getPortalWebhook(region, id, signal))) ?? {};
      if (other === destinationID) found.push(`portal ${id} in region ${region}`);
    }
  }
  const more = found.length - maxListed;
  return { webhooks: more > 0 ? [...found.slice(0, maxListed), `${String(more)} more`] : found, regions };
}
