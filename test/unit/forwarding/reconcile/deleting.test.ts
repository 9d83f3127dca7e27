import { describe, expect, test } from '@jest/globals';
import { pointWebhook } from '../../../../sandbox/konnect/model/webhooks.ts';
import { key, specOf, usual } from '../../../support/forwarding-spec.ts';
import { forum, laden, shop, siem, tokens } from '../../../support/konnect-fixtures.ts';
import type { Harness } from '../support/harness.ts';
import { useHarness } from '../support/use-harness.ts';

const name = 'platform/sumologic';
const { open, inPlace } = useHarness();

function webhooks(harness: Harness): string[] {
  return [harness.portal(shop), harness.portal(forum), harness.webhook()].map((one) => harness.pointsAt(one));
}

const detached = ['nothing off', 'nothing off', 'nothing off'];

/** What is left of a forwarding, in Kubernetes and in Konnect. */
function remains(harness: Harness) {
  return { object: harness.cluster.object, destinations: harness.destinations, webhooks: webhooks(harness) };
}

const nothing = { object: undefined, destinations: [], webhooks: detached };

test('deletion undoes everything, without the Secret of the SIEM', async () => {
  const harness = await inPlace();
  harness.cluster.secrets.delete('siem');
  harness.delete();
  expect(await harness.reconcile()).toEqual({ kind: 'done' });
  expect(remains(harness)).toEqual(nothing);
  expect(harness.konnectWrites).toHaveLength(4);
  expect(harness.reasons).toEqual(['WebhookDetached', 'WebhookDetached', 'WebhookDetached', 'DestinationDeleted']);
});

test('the webhooks of portals are read and detached at once', async () => {
  const harness = await inPlace({ portals: [shop, forum].map((id) => ({ id, enabled: true })) });
  harness.delete();
  await harness.reconcile();
  const webhookOf = (id: string) => `us/v3/portals/${id}/audit-log-webhook`;
  expect(harness.calls).toEqual([
    `GET ${webhookOf(shop)}`,
    `GET ${webhookOf(forum)}`,
    `DELETE ${webhookOf(shop)}`,
    `DELETE ${webhookOf(forum)}`,
    'DELETE global/v3/audit-log-destinations/ID',
  ]);
});

test.each(['v2 inline', 'v2 with portals'])('deletion undoes %s', async (what) => {
  const organization = { enabled: true };
  const harness = await inPlace({ ...(what === 'v2 inline' ? {} : usual), api: 'v2', organization });
  harness.delete();
  await harness.settle();
  expect(remains(harness)).toEqual(nothing);
  expect(harness.konnectWrites.filter((call) => call.includes('us/v2') || call.includes('us/v3/audit'))).toEqual([
    'PATCH us/v2/audit-log-webhook',
    'DELETE us/v3/audit-log-webhook',
  ]);
});

test('a deletion waits for a destination that Konnect keeps in use for a while', async () => {
  const harness = await inPlace(usual, { releaseDelayMs: 45_000 });
  harness.delete();
  expect(await harness.reconcile()).toMatchObject({ kind: 'retry' });
  expect(harness.readiness).toBe('False DestinationInUse Reconciling');
  expect(webhooks(harness)).toEqual(detached);
  await harness.settle();
  expect(remains(harness)).toEqual(nothing);
});

describe('a destination that another client uses', () => {
  async function inUse(by = forum): Promise<{ harness: Harness; id: string }> {
    const harness = await inPlace({ portals: [{ id: shop, enabled: true }] });
    const id = harness.destinations[0]?.id ?? '';
    pointWebhook(harness.konnect.model, harness.organization, harness.portal(by), { kind: 'destination', id });
    harness.delete();
    await harness.reconcile();
    return { harness, id };
  }

  test('names its users only after Konnect has had time to release the webhooks of the forwarding', async () => {
    const { harness, id } = await inUse();
    expect(harness.condition('Ready')?.message).toContain('which is normal for a while after webhooks were detached');
    expect(harness.calls).not.toContain('GET us/v3/portals');
    harness.clock.ms += 61_000;
    expect(await harness.reconcile()).toMatchObject({ kind: 'retry' });
    expect(harness.readiness).toBe('False DestinationInUse Reconciling');
    expect(harness.condition('Ready')?.message).toContain(
      `destination ${id} because it is in use (HTTP 409) by portal ${forum} in region us, which this forwarding does not own`,
    );
  });

  test('is used by something that the token does not see', async () => {
    const { harness } = await inUse(laden);
    harness.clock.ms += 61_000;
    await harness.reconcile();
    expect(harness.condition('Ready')?.message).toContain('no webhook that the token sees in us uses it');
  });

  test('is waited for even if the token may not read the webhooks', async () => {
    const { harness } = await inUse();
    harness.clock.ms += 61_000;
    harness.konnect.control.fail({ kind: 'status', status: 403, match: { operation: 'list-portals' } });
    expect(await harness.reconcile()).toMatchObject({ kind: 'retry' });
    expect(harness.readiness).toBe('False DestinationInUse Reconciling');
  });

  test('is left after ten minutes, with its users, and an event says so', async () => {
    const { harness, id } = await inUse();
    harness.clock.ms += 9 * 60_000;
    await harness.reconcile();
    expect(harness.cluster.object).toBeDefined();
    harness.clock.ms += 2 * 60_000;
    expect(await harness.reconcile()).toEqual({ kind: 'done' });
    expect(harness.cluster.object).toBeUndefined();
    expect(harness.reasons.at(-1)).toBe('DestinationLeft');
    expect(harness.cluster.announcements.at(-1)?.note).toMatch(
      new RegExp(`^left in Konnect: destination ${id}\\. .* by portal ${forum} in region us`),
    );
    expect(harness.pointsAt(harness.portal(forum))).toBe(`${name} off`);
  });
});

test('an outage during deletion is no patience with a destination in use: it is deleted when Konnect releases it', async () => {
  const harness = await inPlace();
  harness.delete();
  harness.konnect.control.fail({ kind: 'drop-before' });
  await harness.reconcile();
  harness.clock.ms += 11 * 60_000;
  harness.konnect.control.clearFaults();
  harness.konnect.control.fail({
    kind: 'status',
    status: 409,
    times: 1,
    match: { operation: 'delete-audit-log-destination' },
  });
  expect(await harness.reconcile()).toMatchObject({ kind: 'retry' });
  await harness.settle();
  expect(harness.reasons).not.toContain('DestinationLeft');
  expect(remains(harness)).toEqual(nothing);
});

test('deletion detaches a portal of spec that another client has attached to its destination', async () => {
  const harness = await open();
  const { id: theirs } = harness.createForeign('theirs');
  pointWebhook(harness.konnect.model, harness.organization, harness.portal(forum), { kind: 'destination', id: theirs });
  await harness.reconcile();
  const id = harness.destinations.find((one) => one.name === name)?.id ?? '';
  pointWebhook(harness.konnect.model, harness.organization, harness.portal(forum), { kind: 'destination', id });
  harness.delete();
  await harness.settle();
  expect(harness.cluster.object).toBeUndefined();
  expect(harness.destinations.map((one) => one.name)).toEqual(['theirs']);
});

test('deletion detaches the organization webhook that another client has attached to its destination', async () => {
  const harness = await open();
  const { id: theirs } = harness.createForeign('theirs');
  pointWebhook(harness.konnect.model, harness.organization, harness.webhook(), { kind: 'destination', id: theirs });
  await harness.reconcile();
  const id = harness.destinations.find((one) => one.name === name)?.id ?? '';
  pointWebhook(harness.konnect.model, harness.organization, harness.webhook(), { kind: 'destination', id });
  harness.delete();
  await harness.settle();
  expect(harness.destinations.map((one) => one.name)).toEqual(['theirs']);
  expect(webhooks(harness)).toEqual(detached);
});

test('deletion detaches an inline webhook that another client has pointed at its destination', async () => {
  const harness = await inPlace({ ...usual, api: 'v2' });
  const id = harness.destinations[0]?.id ?? '';
  pointWebhook(harness.konnect.model, harness.organization, harness.webhook(), { kind: 'destination', id });
  harness.delete();
  await harness.settle();
  expect(remains(harness)).toEqual(nothing);
});

test('a deletion does not change a webhook that points elsewhere by now', async () => {
  const harness = await inPlace();
  const { id } = harness.createForeign('theirs');
  for (const webhook of [harness.portal(shop), harness.webhook()]) {
    pointWebhook(harness.konnect.model, harness.organization, webhook, { kind: 'destination', id });
  }
  harness.delete();
  await harness.settle();
  expect(harness.cluster.object).toBeUndefined();
  expect(webhooks(harness)).toEqual(['theirs on', 'nothing off', 'theirs on']);
  expect(harness.destinations.map((one) => one.name)).toEqual(['theirs']);
});

test('a deletion does not change an inline webhook that points elsewhere by now', async () => {
  const harness = await inPlace({ api: 'v2', organization: { enabled: true } });
  const inline = { endpoint: 'https://theirs.example.com/', authorization: 'x', logFormat: 'cef' } as const;
  harness.webhook().target = { kind: 'inline', inline: { ...inline, skipSSLVerification: false } };
  harness.delete();
  await harness.settle();
  expect(harness.cluster.object).toBeUndefined();
  expect(harness.konnectWrites).toEqual([]);
});

test('a deletion leaves a destination of another client in the other view of the webhook', async () => {
  const harness = await inPlace({ api: 'v2', organization: { enabled: true } });
  const { id } = harness.createForeign('theirs', siem.endpoint);
  pointWebhook(harness.konnect.model, harness.organization, harness.webhook(), { kind: 'destination', id });
  harness.delete();
  await harness.settle();
  expect(harness.cluster.object).toBeUndefined();
  expect(harness.konnectWrites).toEqual([]);
  expect(harness.pointsAt(harness.webhook())).toBe('theirs on');
});

test('deletion detaches portals whose webhook Konnect only deletes when it is off', async () => {
  const harness = await inPlace(usual, { portalDeleteConflict: true });
  harness.delete();
  await harness.settle();
  expect(remains(harness)).toEqual(nothing);
});

test('a deletion succeeds if portals, webhooks and destination no longer exist', async () => {
  const harness = await inPlace();
  harness.organization.portals.clear();
  harness.organization.destinations.length = 0;
  harness.webhook().target = { kind: 'none' };
  harness.konnect.control.behave({ unconfiguredWebhook: 'not-found' });
  harness.delete();
  await harness.settle();
  expect(harness.cluster.object).toBeUndefined();
});

test('a deletion of a forwarding that owned nothing sends no request', async () => {
  const harness = await open({ portals: [{ id: laden, enabled: true }] });
  await harness.reconcile();
  harness.clearRecords();
  harness.delete();
  if (harness.cluster.object !== undefined) await harness.settle();
  expect(harness.cluster.object).toBeUndefined();
  expect(harness.konnectWrites).toEqual([]);
});

test('deletion looks for what a POST without an answer has created', async () => {
  const harness = await open();
  harness.konnect.control.fail({ kind: 'drop-after', match: { method: 'POST' }, times: 1 });
  await harness.reconcile();
  harness.delete();
  await harness.settle();
  expect(remains(harness)).toEqual(nothing);
});

test('deletion after a lost POST waits as long as lists may be stale', async () => {
  const harness = await open(usual, { staleListMs: 25_000 });
  harness.konnect.control.fail({ kind: 'drop-after', match: { method: 'POST' }, times: 1 });
  await harness.reconcile();
  harness.delete();
  await harness.settle();
  expect(remains(harness)).toEqual(nothing);
});

test('an event reports an emptied status at the deletion, since nothing says what is in Konnect', async () => {
  const harness = await inPlace();
  harness.cluster.wipeStatus();
  harness.delete();
  expect(await harness.reconcile()).toEqual({ kind: 'done' });
  expect(harness.cluster.object).toBeUndefined();
  expect(harness.reasons.at(-1)).toBe('StatusLost');
  expect(harness.cluster.announcements.at(-1)?.note).toContain(`destination "${name}"`);
});

describe('Retain', () => {
  test('leaves everything as it is, and names it in an event', async () => {
    const harness = await inPlace({ ...usual, deletionPolicy: 'Retain' });
    harness.cluster.secrets.clear();
    harness.delete();
    expect(await harness.reconcile()).toEqual({ kind: 'done' });
    expect(harness.cluster.object).toBeUndefined();
    expect(harness.calls).toEqual([]);
    expect(webhooks(harness)).toEqual([`${name} on`, `${name} on`, `${name} on`]);
    expect(harness.cluster.announcements).toMatchObject([{ reason: 'Retained' }]);
    expect(harness.cluster.announcements[0]?.note).toContain(harness.destinations[0]?.id);
  });

  test('marks attachments that may not exist, and omits what the operator never owned', async () => {
    const harness = await open({ ...usual, deletionPolicy: 'Retain' });
    const { id } = harness.createForeign('theirs');
    pointWebhook(harness.konnect.model, harness.organization, harness.webhook(), { kind: 'destination', id });
    const path = `/v3/portals/${shop}/audit-log-webhook`;
    harness.konnect.control.fail({ kind: 'status', status: 503, match: { method: 'PATCH', path } });
    await harness.reconcile();
    harness.delete();
    await harness.reconcile();
    const note = harness.cluster.announcements.at(-1)?.note;
    expect(note).toContain(`the webhook of portal ${shop} (perhaps), the webhook of portal ${forum}`);
    expect(note).not.toContain('organization');
  });

  test('is a way out of a deletion that hangs', async () => {
    const harness = await inPlace();
    harness.cluster.secrets.clear();
    harness.restart();
    harness.delete();
    await harness.reconcile();
    harness.cluster.edit(() => specOf({ ...usual, deletionPolicy: 'Retain' }));
    await harness.reconcile();
    expect(harness.cluster.object).toBeUndefined();
  });
});

describe('the token is missing', () => {
  test('the last good one in memory serves for deletion', async () => {
    const harness = await inPlace();
    harness.cluster.secrets.clear();
    harness.delete();
    await harness.settle();
    expect(remains(harness)).toEqual(nothing);
  });

  test('the one of another object of the same name is not its own', async () => {
    const harness = await inPlace();
    const { object } = harness.cluster;
    if (object === undefined) throw new TypeError('there is no forwarding');
    harness.cluster.objects.set(key, { ...object, metadata: { ...object.metadata, uid: 'restored' } });
    harness.cluster.secrets.clear();
    harness.delete();
    await harness.reconcile();
    expect(harness.readiness).toBe('False TokenGone Reconciling');
  });

  test('after a restart it says which Secret and key to create again, then what Retain leaves', async () => {
    const harness = await inPlace();
    harness.cluster.secrets.clear();
    harness.restart();
    harness.delete();
    expect(await harness.reconcile()).toMatchObject({ kind: 'requeue' });
    expect(harness.readiness).toBe('False TokenGone Reconciling');
    const message = harness.condition('Ready')?.message ?? '';
    expect(message.indexOf('Secret konnect, key token')).toBeGreaterThan(0);
    expect(message.indexOf('Retain')).toBeGreaterThan(message.indexOf('Secret konnect, key token'));
    expect(message).toContain(harness.destinations[0]?.id);
    expect(harness.calls).toEqual([]);
    const writes = harness.cluster.writes;
    await harness.reconcile();
    expect(harness.cluster.writes).toBe(writes);
    harness.cluster.putSecret('konnect', { token: tokens.blueAgain });
    await harness.settle();
    expect(remains(harness)).toEqual(nothing);
  });

  test('if a token of another organization replaced it, the operator uses the last valid one in memory', async () => {
    const harness = await inPlace();
    harness.cluster.putSecret('konnect', { token: tokens.green });
    harness.delete();
    await harness.settle();
    expect(remains(harness)).toEqual(nothing);
  });

  test('one of another organization deletes nothing after a restart', async () => {
    const harness = await inPlace();
    harness.cluster.putSecret('konnect', { token: tokens.green });
    harness.restart();
    harness.delete();
    await harness.reconcile();
    expect(harness.readiness).toBe('False OrganizationChanged Stalled');
    expect(harness.konnectWrites).toEqual([]);
    expect(harness.cluster.object).toBeDefined();
  });

  test('a token that Konnect rejects keeps the forwarding, with a message', async () => {
    const harness = await inPlace();
    harness.cluster.putSecret('konnect', { token: 'kpat_revokedCANARY' });
    harness.delete();
    await harness.reconcile();
    expect(harness.readiness).toBe('False TokenRejected Stalled');
    expect(harness.cluster.object).toBeDefined();
  });
});
