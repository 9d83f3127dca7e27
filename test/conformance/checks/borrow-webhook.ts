import type { ContractClient, Json } from '../contract-client.ts';

/** Why a webhook is not borrowed. */
export class NotBorrowedError extends Error {}

export interface WebhookPlace {
  readonly kind: 'portal' | 'organization';
  /** Path below the host of the region. */
  readonly path: string;
}

const organizationV2 = '/v2/audit-log-webhook';

/**
 * Checks that a webhook may be changed, and registers how to restore it.
 *
 * Throws a NotBorrowedError if it is configured and may not be borrowed, or could not be restored.
 */
export async function borrow(client: ContractClient, { kind, path }: WebhookPlace): Promise<void> {
  const { ask, undo, settings } = client;
  const { status, body } = await ask('GET', 'region', path);
  if (status !== 200 && status !== 404) throw new NotBorrowedError(`GET ${path} answers ${status}`);
  const named = destinationIn(body);
  const enabled = body['enabled'] === true;
  const inline = kind === 'organization' && named === undefined ? await endpointIn(client) : undefined;
  if (inline !== undefined || (enabled && named === undefined)) {
    throw new NotBorrowedError(
      'it is configured inline; its authorization cannot be read, so it could not be restored. Remove it by hand first',
    );
  }
  if (named !== undefined && !settings.takeWebhooks) {
    throw new NotBorrowedError('it is configured already; --take-webhooks borrows it');
  }
  undo(named === undefined ? `webhook ${path}` : `webhook ${path}, back to destination ${named}`, async () => {
    await clear(client, { kind, path });
    if (named === undefined) return;
    const restored = await ask('PATCH', 'region', path, { body: { audit_log_destination_id: named, enabled } });
    if (restored.status >= 300) throw new Error(`PATCH answered ${restored.status}`);
  });
}

/** Switches a webhook off and removes its target, for both versions. */
export async function clear({ ask }: ContractClient, { kind, path }: WebhookPlace): Promise<void> {
  const before = await ask('GET', 'region', path);
  const named = destinationIn(before.body);
  if (kind === 'organization') await ask('PATCH', 'region', organizationV2, { body: { enabled: false } });
  else if (named !== undefined) {
    await ask('PATCH', 'region', path, { body: { audit_log_destination_id: named, enabled: false } });
  }
  const { status } = await ask('DELETE', 'region', path);
  if (status >= 300 && status !== 404) throw new Error(`DELETE answered ${status}`);
}

/** Returns the ID of the destination of a v3 webhook. Undefined for every form of no destination. */
export function destinationIn({ audit_log_destination_id: id }: Json): string | undefined {
  return typeof id === 'string' && id !== '' && !/^[0-]+$/.test(id) ? id : undefined;
}

async function endpointIn({ ask }: ContractClient): Promise<string | undefined> {
  const { endpoint } = (await ask('GET', 'region', organizationV2)).body;
  return typeof endpoint === 'string' && endpoint !== '' && endpoint !== 'unconfigured' ? endpoint : undefined;
}
