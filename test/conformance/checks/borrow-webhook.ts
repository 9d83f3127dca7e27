import type { Json, OrganizationHand } from '../contract-client.ts';

/** Why a webhook is not touched. */
export class LeftAlone extends Error {}

export interface WebhookPlace {
  readonly kind: 'portal' | 'organization';
  /** Below the region's host. */
  readonly path: string;
}

const organizationV2 = '/v2/audit-log-webhook';

/**
 * Makes sure that a webhook may be changed, and sees to it that it is put back.
 *
 * @throws {LeftAlone} where it is configured already and may not be borrowed, or could not be put back as it was
 */
export async function borrow(hand: OrganizationHand, { kind, path }: WebhookPlace): Promise<void> {
  const { ask, undo, settings } = hand;
  const { status, body } = await ask('GET', 'region', path);
  if (status !== 200 && status !== 404) throw new LeftAlone(`GET ${path} answers ${status}`);
  const named = destinationIn(body);
  const enabled = body['enabled'] === true;
  const inline = kind === 'organization' && named === undefined ? await endpointIn(hand) : undefined;
  if (inline !== undefined || (enabled && named === undefined)) {
    throw new LeftAlone(
      'it is configured inline; its authorization cannot be read, so it could not be put back. Remove it by hand first',
    );
  }
  if (named !== undefined && !settings.takeWebhooks) {
    throw new LeftAlone('it is configured already; --take-webhooks borrows it');
  }
  undo(named === undefined ? `webhook ${path}` : `webhook ${path}, back to destination ${named}`, async () => {
    await clear(hand, { kind, path });
    if (named === undefined) return;
    const restored = await ask('PATCH', 'region', path, { body: { audit_log_destination_id: named, enabled } });
    if (restored.status >= 300) throw new Error(`PATCH answered ${restored.status}`);
  });
}

/** Off, and pointing at nothing, whichever version set it up. */
export async function clear({ ask }: OrganizationHand, { kind, path }: WebhookPlace): Promise<void> {
  const before = await ask('GET', 'region', path);
  const named = destinationIn(before.body);
  if (kind === 'organization') await ask('PATCH', 'region', organizationV2, { body: { enabled: false } });
  else if (named !== undefined) {
    await ask('PATCH', 'region', path, { body: { audit_log_destination_id: named, enabled: false } });
  }
  const { status } = await ask('DELETE', 'region', path);
  if (status >= 300 && status !== 404) throw new Error(`DELETE answered ${status}`);
}

/** The id that a v3 webhook names; undefined for each way to name none. */
export function destinationIn({ audit_log_destination_id: id }: Json): string | undefined {
  return typeof id === 'string' && id !== '' && !/^[0-]+$/.test(id) ? id : undefined;
}

async function endpointIn({ ask }: OrganizationHand): Promise<string | undefined> {
  const { endpoint } = (await ask('GET', 'region', organizationV2)).body;
  return typeof endpoint === 'string' && endpoint !== '' && endpoint !== 'unconfigured' ? endpoint : undefined;
}
