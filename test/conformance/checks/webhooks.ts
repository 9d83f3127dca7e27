import { randomUUID } from 'node:crypto';
import type { Answered, ContractClient } from '../contract-client.ts';
import { describeWebhook, type Finding, finding, howSoon } from '../finding.ts';
import { borrow, clear, destinationIn, type WebhookPlace } from './borrow-webhook.ts';

/** Checks a webhook with a destination: that of a portal, or that of the organization in v3. */
export async function* askWebhook(client: ContractClient, place: WebhookPlace): AsyncGenerator<Finding> {
  await borrow(client, place);
  await clear(client, place);
  yield* askUnconfigured(client, place);
  yield* askPatches(client, place);
  yield* askRelease(client, place);
}

function labeled({ kind }: WebhookPlace): (id: string, question: string, answer: string | number) => Finding {
  const whose = kind === 'portal' ? 'a portal’s webhook' : 'the organization’s webhook (v3)';
  return (id, question, answer) => finding(`${id}-${kind}`, question.replace('WEBHOOK', whose), answer);
}

async function* askUnconfigured({ ask }: ContractClient, place: WebhookPlace): AsyncGenerator<Finding> {
  const tell = labeled(place);
  const shown = await ask('GET', 'region', place.path);
  yield tell(
    'unconfigured',
    'How does WEBHOOK show that it is not configured?',
    describeWebhook(shown.status, shown.body),
  );
  const { status, body } = await ask('GET', 'region', `${place.path}/status`);
  yield tell(
    'unconfigured-status',
    'What is the status of WEBHOOK then?',
    status === 200 ? `${String(body['webhook_status'])}, enabled ${String(body['webhook_enabled'])}` : status,
  );
  yield tell(
    'delete-unconfigured',
    'What does DELETE of WEBHOOK answer then?',
    (await ask('DELETE', 'region', place.path)).status,
  );
  const unknown = await ask('PATCH', 'region', place.path, {
    body: { audit_log_destination_id: randomUUID(), enabled: false },
  });
  yield tell('unknown-destination', 'What does PATCH of WEBHOOK answer to the id of no destination?', unknown.status);
}

async function* askPatches(client: ContractClient, place: WebhookPlace): AsyncGenerator<Finding> {
  const { ask, make } = client;
  const tell = labeled(place);
  const first = String((await make()).body['id']);
  const second = String((await make()).body['id']);
  const on = await ask('PATCH', 'region', place.path, { body: { audit_log_destination_id: first, enabled: true } });
  yield tell('patch-status', 'What does PATCH of WEBHOOK answer?', on.status);
  if (on.status >= 300) throw new Error(`PATCH answered ${on.status}`);
  yield tell(
    'patch-answer',
    'What does that answer show?',
    `${describeWebhook(200, on.body)}${'updated_at' in on.body ? ', with updated_at' : ''}`,
  );
  const { body: status } = await ask('GET', 'region', `${place.path}/status`);
  yield tell(
    'status-on',
    'What is the status of WEBHOOK right after it was switched on?',
    `${String(status['webhook_status'])}, enabled ${String(status['webhook_enabled'])}`,
  );
  await ask('PATCH', 'region', place.path, { body: { audit_log_destination_id: second } });
  const moved = await ask('GET', 'region', place.path);
  yield tell(
    'patch-defaults',
    'Does PATCH of WEBHOOK fill in enabled where it is left out?',
    destinationIn(moved.body) !== second
      ? `it does nothing: ${describeWebhook(moved.status, moved.body)}`
      : moved.body['enabled'] === true
        ? 'no, it keeps it'
        : 'yes: it switches delivery off',
  );
  const alone = await ask('PATCH', 'region', place.path, { body: { enabled: true } });
  const kept = await ask('GET', 'region', place.path);
  yield tell(
    'id-left-out',
    'Does PATCH of WEBHOOK with enabled alone keep the destination?',
    alone.status >= 300 ? `refused, ${alone.status}` : destinationIn(kept.body) === second ? 'yes' : 'no',
  );
}

async function* askRelease(client: ContractClient, place: WebhookPlace): AsyncGenerator<Finding> {
  const { ask, make, polling } = client;
  const tell = labeled(place);
  const id = String((await make()).body['id']);
  const remove = (): Promise<Answered> => client.askItem('DELETE', id);
  await ask('PATCH', 'region', place.path, { body: { audit_log_destination_id: id, enabled: true } });
  const inUse = await remove();
  const says = /in use/i.test(String(inUse.body['detail'])) ? ', says that it is in use' : '';
  yield tell('delete-in-use', 'What does DELETE of a destination answer that WEBHOOK uses?', `${inUse.status}${says}`);
  if (inUse.status < 300) return;
  await ask('PATCH', 'region', place.path, { body: { audit_log_destination_id: id, enabled: false } });
  const off = await remove();
  yield tell('delete-switched-off', 'And while WEBHOOK is switched off?', off.status);
  if (off.status < 300) return;
  await ask('PATCH', 'region', place.path, { body: { audit_log_destination_id: id, enabled: true } });
  const detached = await ask('DELETE', 'region', place.path);
  yield tell('delete-enabled', 'What does DELETE of WEBHOOK answer while it is enabled?', detached.status);
  if (detached.status >= 300) await clear(client, place);
  const after = await ask('GET', 'region', place.path);
  yield tell('after-delete', 'How does WEBHOOK look after DELETE?', describeWebhook(after.status, after.body));
  const soon = await howSoon(async () => [204, 200, 404].includes((await remove()).status), polling, 1);
  yield tell('release', 'How soon after that can the destination be deleted?', soon);
}
