import { type ContractClient, itemsOf, type Json } from '../contract-client.ts';
import { describeWebhook, type Finding, finding } from '../finding.ts';
import { borrow, clear, destinationIn, type WebhookPlace } from './borrow-webhook.ts';
import { carries } from './destinations.ts';

const v2 = '/v2/audit-log-webhook';
const v3 = '/v3/audit-log-webhook';
const place: WebhookPlace = { kind: 'organization', path: v3 };

/** Checks the organization's inline webhook of v2, and what v2 and v3 show of each other. */
export async function* askTwoViews(client: ContractClient): AsyncGenerator<Finding> {
  await borrow(client, place);
  await clear(client, place);
  yield* askNamed(client);
  await clear(client, place);
  yield* askInline(client);
  await clear(client, place);
}

async function* askNamed({ ask, make }: ContractClient): AsyncGenerator<Finding> {
  const idle = (await ask('GET', 'region', v2)).body;
  yield finding(
    'unconfigured-v2',
    'How does v2 show that nothing is configured?',
    `${idle['endpoint'] === 'unconfigured' ? 'unconfigured' : 'another endpoint'}, enabled ${String(idle['enabled'])}`,
  );
  const idleOff = await ask('PATCH', 'region', v2, { body: { enabled: false } });
  yield finding('v2-off-unconfigured', 'What does PATCH of v2 with enabled false alone answer then?', idleOff.status);
  const made = (await make()).body;
  const id = String(made['id']);
  await ask('PATCH', 'region', v3, { body: { audit_log_destination_id: id, enabled: true } });
  const seen = (await ask('GET', 'region', v2)).body;
  const one = seen['endpoint'] === made['endpoint'];
  yield finding(
    'v3-seen-in-v2',
    'Does v2 show what v3 set up?',
    one
      ? `yes, the destination’s endpoint, enabled ${String(seen['enabled'])}`
      : `no: enabled ${String(seen['enabled'])}`,
  );
  const off = await ask('PATCH', 'region', v2, { body: { enabled: false } });
  const after = await ask('GET', 'region', v3);
  yield finding(
    'v2-switches-v3-off',
    'Does PATCH of v2 with enabled false alone switch off what v3 set up?',
    off.status >= 300
      ? `refused, ${off.status}`
      : `${after.body['enabled'] === false ? 'yes' : 'no'}, and v3 ${destinationIn(after.body) === id ? 'still names the destination' : 'no longer names it'}`,
  );
}

async function* askInline({ ask, askItem, make, settings }: ContractClient): AsyncGenerator<Finding> {
  const id = String((await make()).body['id']);
  await ask('PATCH', 'region', v3, { body: { audit_log_destination_id: id, enabled: true } });
  const count = async () =>
    itemsOf((await ask('GET', 'global', '/v3/audit-log-destinations?page[size]=100')).body).length;
  const before = await count();
  const inline = {
    endpoint: `${settings.endpoint}-inline`,
    authorization: 'Bearer contract',
    log_format: 'json',
    skip_ssl_verification: true,
    enabled: true,
  };
  const patched = await ask('PATCH', 'region', v2, { body: inline });
  yield finding('v2-patch-status', 'What does PATCH of v2 answer?', patched.status);
  if (patched.status >= 300) throw new Error(`PATCH answered ${patched.status}`);
  const shown = (await ask('GET', 'region', v2)).body;
  yield finding(
    'v2-patch-updated-at',
    'Does that answer carry updated_at?',
    carries(patched.body['updated_at'], shown['updated_at']),
  );
  const seen = await ask('GET', 'region', v3);
  yield finding('v2-seen-in-v3', 'How does v3 show what v2 set up inline?', describeWebhook(seen.status, seen.body));
  const grown = (await count()) - before;
  yield finding('v2-makes-destination', 'Is it in the list of destinations?', grown > 0 ? 'yes' : 'no');
  const { status } = await askItem('DELETE', id);
  yield finding(
    'v2-takes-over',
    'Is the destination free that v3 named before?',
    status < 300 ? 'yes' : `no, ${status}`,
  );
  yield* askLeftOut(async (body) => {
    await ask('PATCH', 'region', v2, { body });
    return (await ask('GET', 'region', v2)).body;
  }, inline);
  const off = await ask('PATCH', 'region', v2, { body: { enabled: false } });
  const { endpoint } = (await ask('GET', 'region', v2)).body;
  yield finding(
    'v2-off',
    'What does v2 show after enabled false alone?',
    off.status >= 300
      ? `refused, ${off.status}`
      : endpoint === 'unconfigured'
        ? 'unconfigured'
        : 'the endpoint that was',
  );
  const deleted = await ask('DELETE', 'region', v3);
  const last = (await ask('GET', 'region', v2)).body;
  yield finding(
    'v3-delete-clears-v2',
    'Does DELETE of v3 clear what v2 set up?',
    `${last['endpoint'] === 'unconfigured' ? 'yes' : 'no'}, ${deleted.status}`,
  );
}

async function* askLeftOut(
  patch: (body: Json) => Promise<Json>,
  { endpoint, authorization, ...choices }: Json,
): AsyncGenerator<Finding> {
  const left = await patch({ endpoint, authorization });
  const filled = Object.keys(choices).filter((field) => left[field] !== choices[field]);
  yield finding(
    'v2-patch-defaults',
    'Does PATCH of v2 fill in what is left out?',
    filled.length === 0 ? 'no, it keeps it' : `yes: ${filled.join(', ')}`,
  );
}
