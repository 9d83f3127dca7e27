import { describe, expect, test } from '@jest/globals';
import { pointWebhook } from '../../../../sandbox/konnect/model/webhooks.ts';
import { forum, key, laden, type Stage, shop, siem, specOf, tokens, usual } from '../support/harness.ts';
import { useStages } from '../support/use-harness.ts';

const name = 'platform/sumologic';
const { open, inPlace } = useStages();

function webhooks(stage: Stage): string[] {
  return [stage.portal(shop), stage.portal(forum), stage.webhook()].map((one) => stage.pointsAt(one));
}

const detached = ['nothing off', 'nothing off', 'nothing off'];

/** What is left of a forwarding, in Kubernetes and in Konnect. */
function remains(stage: Stage) {
  return { object: stage.cluster.object, destinations: stage.destinations, webhooks: webhooks(stage) };
}

const nothing = { object: undefined, destinations: [], webhooks: detached };

test('deletion undoes everything, without the Secret of the SIEM', async () => {
  const stage = await inPlace();
  stage.cluster.secrets.delete('siem');
  stage.delete();
  expect(await stage.pass()).toEqual({ kind: 'done' });
  expect(remains(stage)).toEqual(nothing);
  expect(stage.konnectWrites).toHaveLength(4);
  expect(stage.reasons).toEqual(['WebhookDetached', 'WebhookDetached', 'WebhookDetached', 'DestinationDeleted']);
});

test.each(['v2 inline', 'v2 with portals'])('deletion undoes %s', async (what) => {
  const organization = { enabled: true };
  const stage = await inPlace({ ...(what === 'v2 inline' ? {} : usual), api: 'v2', organization });
  stage.delete();
  await stage.settle();
  expect(remains(stage)).toEqual(nothing);
  expect(stage.konnectWrites.filter((call) => call.includes('us/v2') || call.includes('us/v3/audit'))).toEqual([
    'PATCH us/v2/audit-log-webhook',
    'DELETE us/v3/audit-log-webhook',
  ]);
});

test('deletion has patience with a destination that Konnect holds in use for a while', async () => {
  const stage = await inPlace(usual, { releaseDelayMs: 45_000 });
  stage.delete();
  expect(await stage.pass()).toMatchObject({ kind: 'retry' });
  expect(stage.verdict).toBe('False DestinationInUse Reconciling');
  expect(webhooks(stage)).toEqual(detached);
  await stage.settle();
  expect(remains(stage)).toEqual(nothing);
});

describe('a destination that somebody else uses', () => {
  async function inUse(by = forum): Promise<{ stage: Stage; id: string }> {
    const stage = await inPlace({ portals: [{ id: shop, enabled: true }] });
    const id = stage.destinations[0]?.id ?? '';
    pointWebhook(stage.konnect.model, stage.organization, stage.portal(by), { kind: 'destination', id });
    stage.delete();
    await stage.pass();
    return { stage, id };
  }

  test('is looked into only once Konnect must have forgotten our own webhooks, and then its users are named', async () => {
    const { stage, id } = await inUse();
    expect(stage.condition('Ready')?.message).toContain('as it does for a while after webhooks were detached');
    expect(stage.calls).not.toContain('GET us/v3/portals');
    stage.clock.ms += 61_000;
    expect(await stage.pass()).toMatchObject({ kind: 'retry' });
    expect(stage.verdict).toBe('False DestinationInUse Reconciling');
    expect(stage.condition('Ready')?.message).toContain(
      `destination ${id} in use (HTTP 409) by portal ${forum} in region us, not this forwarding's`,
    );
  });

  test('is said to be used elsewhere, where none of its users is seen', async () => {
    const { stage } = await inUse(laden);
    stage.clock.ms += 61_000;
    await stage.pass();
    expect(stage.condition('Ready')?.message).toContain('by no webhook that the token sees in us');
  });

  test('is waited for all the same where the token may not look', async () => {
    const { stage } = await inUse();
    stage.clock.ms += 61_000;
    stage.konnect.control.fail({ kind: 'status', status: 403, match: { operation: 'list-portals' } });
    expect(await stage.pass()).toMatchObject({ kind: 'retry' });
    expect(stage.verdict).toBe('False DestinationInUse Reconciling');
  });

  test('is left after ten minutes, with its users, and an event says so', async () => {
    const { stage, id } = await inUse();
    stage.clock.ms += 9 * 60_000;
    await stage.pass();
    expect(stage.cluster.object).toBeDefined();
    stage.clock.ms += 2 * 60_000;
    expect(await stage.pass()).toEqual({ kind: 'done' });
    expect(stage.cluster.object).toBeUndefined();
    expect(stage.reasons.at(-1)).toBe('DestinationLeft');
    expect(stage.cluster.announcements.at(-1)?.note).toMatch(
      new RegExp(`^left in Konnect: destination ${id}\\. .* by portal ${forum} in region us`),
    );
    expect(stage.pointsAt(stage.portal(forum))).toBe(`${name} off`);
  });
});

test('an outage during deletion is no patience with a destination in use: it is deleted when Konnect releases it', async () => {
  const stage = await inPlace();
  stage.delete();
  stage.konnect.control.fail({ kind: 'drop-before' });
  await stage.pass();
  stage.clock.ms += 11 * 60_000;
  stage.konnect.control.clearFaults();
  stage.konnect.control.fail({
    kind: 'status',
    status: 409,
    times: 1,
    match: { operation: 'delete-audit-log-destination' },
  });
  expect(await stage.pass()).toMatchObject({ kind: 'retry' });
  await stage.settle();
  expect(stage.reasons).not.toContain('DestinationLeft');
  expect(remains(stage)).toEqual(nothing);
});

test('deletion detaches a portal of spec that a hand has attached to our destination', async () => {
  const stage = await open();
  const { id: theirs } = stage.createForeign('theirs');
  pointWebhook(stage.konnect.model, stage.organization, stage.portal(forum), { kind: 'destination', id: theirs });
  await stage.pass();
  const id = stage.destinations.find((one) => one.name === name)?.id ?? '';
  pointWebhook(stage.konnect.model, stage.organization, stage.portal(forum), { kind: 'destination', id });
  stage.delete();
  await stage.settle();
  expect(stage.cluster.object).toBeUndefined();
  expect(stage.destinations.map((one) => one.name)).toEqual(['theirs']);
});

test('deletion detaches the organization webhook that a hand has attached to our destination', async () => {
  const stage = await open();
  const { id: theirs } = stage.createForeign('theirs');
  pointWebhook(stage.konnect.model, stage.organization, stage.webhook(), { kind: 'destination', id: theirs });
  await stage.pass();
  const id = stage.destinations.find((one) => one.name === name)?.id ?? '';
  pointWebhook(stage.konnect.model, stage.organization, stage.webhook(), { kind: 'destination', id });
  stage.delete();
  await stage.settle();
  expect(stage.destinations.map((one) => one.name)).toEqual(['theirs']);
  expect(webhooks(stage)).toEqual(detached);
});

test('deletion detaches an inline webhook that a hand has pointed at our destination', async () => {
  const stage = await inPlace({ ...usual, api: 'v2' });
  const id = stage.destinations[0]?.id ?? '';
  pointWebhook(stage.konnect.model, stage.organization, stage.webhook(), { kind: 'destination', id });
  stage.delete();
  await stage.settle();
  expect(remains(stage)).toEqual(nothing);
});

test('deletion does not touch a webhook that points elsewhere by now', async () => {
  const stage = await inPlace();
  const { id } = stage.createForeign('theirs');
  for (const webhook of [stage.portal(shop), stage.webhook()]) {
    pointWebhook(stage.konnect.model, stage.organization, webhook, { kind: 'destination', id });
  }
  stage.delete();
  await stage.settle();
  expect(stage.cluster.object).toBeUndefined();
  expect(webhooks(stage)).toEqual(['theirs on', 'nothing off', 'theirs on']);
  expect(stage.destinations.map((one) => one.name)).toEqual(['theirs']);
});

test('deletion does not touch an inline webhook that points elsewhere by now', async () => {
  const stage = await inPlace({ api: 'v2', organization: { enabled: true } });
  const inline = { endpoint: 'https://theirs.example.com/', authorization: 'x', logFormat: 'cef' } as const;
  stage.webhook().target = { kind: 'inline', inline: { ...inline, skipSSLVerification: false } };
  stage.delete();
  await stage.settle();
  expect(stage.cluster.object).toBeUndefined();
  expect(stage.konnectWrites).toEqual([]);
});

test('deletion of a forwarding that shares the webhook view with a foreign destination leaves that', async () => {
  const stage = await inPlace({ api: 'v2', organization: { enabled: true } });
  const { id } = stage.createForeign('theirs', siem.endpoint);
  pointWebhook(stage.konnect.model, stage.organization, stage.webhook(), { kind: 'destination', id });
  stage.delete();
  await stage.settle();
  expect(stage.cluster.object).toBeUndefined();
  expect(stage.konnectWrites).toEqual([]);
  expect(stage.pointsAt(stage.webhook())).toBe('theirs on');
});

test('deletion detaches portals whose webhook Konnect only deletes when it is off', async () => {
  const stage = await inPlace(usual, { portalDeleteConflict: true });
  stage.delete();
  await stage.settle();
  expect(remains(stage)).toEqual(nothing);
});

test('deletion succeeds where portals, webhooks and destination are gone already', async () => {
  const stage = await inPlace();
  stage.organization.portals.clear();
  stage.organization.destinations.length = 0;
  stage.webhook().target = { kind: 'none' };
  stage.konnect.control.behave({ unconfiguredWebhook: 'not-found' });
  stage.delete();
  await stage.settle();
  expect(stage.cluster.object).toBeUndefined();
});

test('deletion of one that never held anything asks nobody', async () => {
  const stage = await open({ portals: [{ id: laden, enabled: true }] });
  await stage.pass();
  stage.forget();
  stage.delete();
  if (stage.cluster.object !== undefined) await stage.settle();
  expect(stage.cluster.object).toBeUndefined();
  expect(stage.konnectWrites).toEqual([]);
});

test('deletion looks for what a lost POST has made', async () => {
  const stage = await open();
  stage.konnect.control.fail({ kind: 'drop-after', match: { method: 'POST' }, times: 1 });
  await stage.pass();
  stage.delete();
  await stage.settle();
  expect(remains(stage)).toEqual(nothing);
});

test('deletion after a lost POST waits as long as lists may be stale', async () => {
  const stage = await open(usual, { staleListMs: 25_000 });
  stage.konnect.control.fail({ kind: 'drop-after', match: { method: 'POST' }, times: 1 });
  await stage.pass();
  stage.delete();
  await stage.settle();
  expect(remains(stage)).toEqual(nothing);
});

test('an emptied status is told at the deletion, since nothing says any longer what stands in Konnect', async () => {
  const stage = await inPlace();
  stage.cluster.wipeStatus();
  stage.delete();
  expect(await stage.pass()).toEqual({ kind: 'done' });
  expect(stage.cluster.object).toBeUndefined();
  expect(stage.reasons.at(-1)).toBe('StatusLost');
  expect(stage.cluster.announcements.at(-1)?.note).toContain(`destination "${name}"`);
});

describe('Retain', () => {
  test('lets go of everything as it is, and says what stays', async () => {
    const stage = await inPlace({ ...usual, deletionPolicy: 'Retain' });
    stage.cluster.secrets.clear();
    stage.delete();
    expect(await stage.pass()).toEqual({ kind: 'done' });
    expect(stage.cluster.object).toBeUndefined();
    expect(stage.calls).toEqual([]);
    expect(webhooks(stage)).toEqual([`${name} on`, `${name} on`, `${name} on`]);
    expect(stage.cluster.announcements).toMatchObject([{ reason: 'Retained' }]);
    expect(stage.cluster.announcements[0]?.note).toContain(stage.destinations[0]?.id);
  });

  test('says perhaps of what may never have come to pass, and nothing of what was never ours', async () => {
    const stage = await open({ ...usual, deletionPolicy: 'Retain' });
    const { id } = stage.createForeign('theirs');
    pointWebhook(stage.konnect.model, stage.organization, stage.webhook(), { kind: 'destination', id });
    const path = `/v3/portals/${shop}/audit-log-webhook`;
    stage.konnect.control.fail({ kind: 'status', status: 503, match: { method: 'PATCH', path } });
    await stage.pass();
    stage.delete();
    await stage.pass();
    const note = stage.cluster.announcements.at(-1)?.note;
    expect(note).toContain(`the webhook of portal ${shop} (perhaps), the webhook of portal ${forum}`);
    expect(note).not.toContain('organization');
  });

  test('is a way out of a deletion that hangs', async () => {
    const stage = await inPlace();
    stage.cluster.secrets.clear();
    stage.restart();
    stage.delete();
    await stage.pass();
    stage.cluster.edit(() => specOf({ ...usual, deletionPolicy: 'Retain' }));
    await stage.pass();
    expect(stage.cluster.object).toBeUndefined();
  });
});

describe('the token is gone', () => {
  test('the last good one in memory serves for deletion', async () => {
    const stage = await inPlace();
    stage.cluster.secrets.clear();
    stage.delete();
    await stage.settle();
    expect(remains(stage)).toEqual(nothing);
  });

  test('the one of another object of the same name is not its own', async () => {
    const stage = await inPlace();
    const { object } = stage.cluster;
    if (object === undefined) throw new TypeError('there is no forwarding');
    stage.cluster.objects.set(key, { ...object, metadata: { ...object.metadata, uid: 'restored' } });
    stage.cluster.secrets.clear();
    stage.delete();
    await stage.pass();
    expect(stage.verdict).toBe('False TokenGone Reconciling');
  });

  test('after a restart it says which Secret and key to create again, then what Retain leaves', async () => {
    const stage = await inPlace();
    stage.cluster.secrets.clear();
    stage.restart();
    stage.delete();
    expect(await stage.pass()).toMatchObject({ kind: 'requeue' });
    expect(stage.verdict).toBe('False TokenGone Reconciling');
    const message = stage.condition('Ready')?.message ?? '';
    expect(message.indexOf('Secret konnect, key token')).toBeGreaterThan(0);
    expect(message.indexOf('Retain')).toBeGreaterThan(message.indexOf('Secret konnect, key token'));
    expect(message).toContain(stage.destinations[0]?.id);
    expect(stage.calls).toEqual([]);
    const writes = stage.cluster.writes;
    await stage.pass();
    expect(stage.cluster.writes).toBe(writes);
    stage.cluster.putSecret('konnect', { token: tokens.blueAgain });
    await stage.settle();
    expect(remains(stage)).toEqual(nothing);
  });

  test('where one of another organization took its place, the last good one in memory serves', async () => {
    const stage = await inPlace();
    stage.cluster.putSecret('konnect', { token: tokens.green });
    stage.delete();
    await stage.settle();
    expect(remains(stage)).toEqual(nothing);
  });

  test('one of another organization deletes nothing after a restart', async () => {
    const stage = await inPlace();
    stage.cluster.putSecret('konnect', { token: tokens.green });
    stage.restart();
    stage.delete();
    await stage.pass();
    expect(stage.verdict).toBe('False OrganizationChanged Stalled');
    expect(stage.konnectWrites).toEqual([]);
    expect(stage.cluster.object).toBeDefined();
  });

  test('one that Konnect refuses keeps the forwarding, and says so', async () => {
    const stage = await inPlace();
    stage.cluster.putSecret('konnect', { token: 'kpat_revokedCANARY' });
    stage.delete();
    await stage.pass();
    expect(stage.verdict).toBe('False TokenRejected Stalled');
    expect(stage.cluster.object).toBeDefined();
  });
});
