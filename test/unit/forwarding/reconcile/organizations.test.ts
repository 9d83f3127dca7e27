import { describe, expect, test } from '@jest/globals';
import { currentDestinations } from '../../../../sandbox/konnect/model/destinations.ts';
import { webhookIn } from '../../../../sandbox/konnect/model.ts';
import { garden, green, key, type SpecChoice, type Stage, shop, specOf, tokens } from '../support/harness.ts';
import { useStages } from '../support/use-harness.ts';

const { inPlace, open } = useStages();

const organization = { enabled: true };
const here: SpecChoice = { organization, portals: [{ id: shop, enabled: true }] };
const there: SpecChoice = { organization, portals: [{ id: garden, enabled: true }] };

/** What stands in either organization. */
function standing(stage: Stage) {
  const other = stage.organizationOf(green);
  const webhook = other.portals.get(garden)?.webhook;
  const names = new Map(currentDestinations(other).map(({ id, name }) => [id, name]));
  const at = ({ target, enabled }: ReturnType<typeof webhookIn>) =>
    `${target.kind === 'destination' ? (names.get(target.id) ?? 'what is gone') : 'nothing'} ${enabled ? 'on' : 'off'}`;
  return {
    blue: [
      ...stage.destinations.map(({ name }) => name),
      stage.pointsAt(stage.portal(shop)),
      stage.pointsAt(stage.webhook()),
    ],
    green: [...names.values(), webhook === undefined ? '' : at(webhook), at(webhookIn(other, 'us'))],
  };
}

const everything = [key, `${key} on`, `${key} on`];
const nothing = ['nothing off', 'nothing off'];

/** A token of the other organization takes the place of ours, and spec names the portals of that one. */
function move(stage: Stage): void {
  stage.cluster.putSecret('konnect', { token: tokens.green });
  stage.cluster.edit(() => specOf(there));
}

describe('a token of another organization, while the old one is still known', () => {
  test('moves everything: the new is made first, then the old is undone with the old token', async () => {
    const stage = await inPlace(here);
    const seen: string[] = [];
    stage.onKonnectCall = () => seen.push(JSON.stringify(standing(stage)));
    move(stage);
    await stage.work();
    expect(stage.verdict).toBe('True InSync');
    expect(standing(stage)).toEqual({ blue: nothing, green: everything });
    expect(stage.status.cleanup).toBeUndefined();
    expect(stage.status.konnect).toEqual({ organizationID: green, region: 'us' });
    expect(seen).toContain(JSON.stringify({ blue: everything, green: everything }));
    const writes = stage.konnect.control.calls().filter(({ method }) => method !== 'GET');
    const [ours, theirs] = [tokens.blue, tokens.green].map((token) => token.slice(-4));
    const order = writes.map(({ token }) => (token === ours ? 'old' : token === theirs ? 'new' : token));
    expect(order).toEqual(['new', 'new', 'new', 'old', 'old', 'old']);
    stage.forget();
    await stage.interval();
    expect([stage.konnectWrites, stage.cluster.writes]).toEqual([[], 0]);
    stage.delete();
    await stage.work();
    expect(standing(stage)).toEqual({ blue: nothing, green: nothing });
  });

  test('leaves the old as it is until the new is in place', async () => {
    const stage = await inPlace(here);
    stage.konnect.control.fail({ kind: 'status', status: 503, match: { method: 'PATCH' } });
    move(stage);
    await stage.pass();
    expect(stage.verdict).toBe('False KonnectUnavailable Reconciling');
    expect(standing(stage).blue).toEqual(everything);
    expect(stage.status.cleanup).toHaveLength(3);
    stage.konnect.control.clearFaults();
    await stage.work();
    expect(standing(stage)).toEqual({ blue: nothing, green: everything });
  });

  test('looks there first for what a lost creation has made', async () => {
    const stage = await open(here);
    const match = { operation: 'create-audit-log-destination' };
    stage.konnect.control.fail({ kind: 'drop-after', match, times: 1 });
    await stage.pass();
    expect(stage.status.destination?.creating).toBeDefined();
    expect(standing(stage).blue).toEqual([key, ...nothing]);
    move(stage);
    await stage.work();
    expect(stage.verdict).toBe('True InSync');
    expect(standing(stage)).toEqual({ blue: nothing, green: everything });
  });

  test('waits there for what a lost creation may still turn out to have made', async () => {
    const stage = await open(here);
    stage.konnect.control.fail({ kind: 'drop-before', match: { operation: 'create-audit-log-destination' }, times: 1 });
    await stage.pass();
    move(stage);
    await stage.pass();
    expect(stage.verdict).toBe('False Creating Reconciling');
    await stage.settle();
    expect(stage.verdict).toBe('True InSync');
    expect(standing(stage)).toEqual({ blue: nothing, green: everything });
  });

  test('and back again', async () => {
    const stage = await inPlace(here);
    move(stage);
    await stage.work();
    stage.cluster.putSecret('konnect', { token: tokens.blueAgain });
    stage.cluster.edit(() => specOf(here));
    await stage.work();
    expect(stage.verdict).toBe('True InSync');
    expect(standing(stage)).toEqual({ blue: everything, green: nothing });
  });
});

describe('a token of another organization, while no token of the old one is known', () => {
  async function stranded(): Promise<Stage> {
    const stage = await inPlace(here);
    stage.restart();
    move(stage);
    await stage.work();
    expect(standing(stage)).toEqual({ blue: everything, green: everything });
    return stage;
  }

  test('makes the new, and tells what is left where', async () => {
    const stage = await stranded();
    expect(stage.verdict).toBe('False LeftBehind Stalled');
    const message = stage.condition('Ready')?.message ?? '';
    expect(message).toContain(`portal ${shop} in region us still stands in organization ${stage.organization.id}`);
    expect(message).toContain("the organization's webhook in region us");
    expect(message).toContain(`destination ${stage.destinations[0]?.id ?? ''}`);
    expect(message).toContain('Retain');
    expect(stage.condition('WebhooksReady')?.status).toBe('True');
    stage.forget();
    await stage.interval();
    expect([stage.konnectWrites, stage.cluster.writes, stage.reasons]).toEqual([[], 0, []]);
  });

  test('lets go of it with Retain, and an event says of what', async () => {
    const stage = await stranded();
    stage.forget();
    stage.cluster.edit((spec) => ({ ...spec, deletionPolicy: 'Retain' }));
    await stage.work();
    expect(stage.verdict).toBe('True InSync');
    expect(stage.status.cleanup).toBeUndefined();
    expect(stage.konnectWrites).toEqual([]);
    const notes = stage.cluster.announcements.filter(({ reason }) => reason === 'LeftBehind').map(({ note }) => note);
    expect(notes.join()).toContain(shop);
    expect(notes).toHaveLength(3);
  });

  test('undoes it once a token of the old one was seen again', async () => {
    const stage = await stranded();
    stage.cluster.putSecret('konnect', { token: tokens.blue });
    await stage.interval();
    expect(stage.verdict).toBe('False PortalNotFound Stalled');
    expect(standing(stage).green).toEqual(everything);
    stage.cluster.putSecret('konnect', { token: tokens.green });
    await stage.interval();
    expect(stage.verdict).toBe('True InSync');
    expect(standing(stage)).toEqual({ blue: nothing, green: everything });
  });

  test('and deleted then, the forwarding undoes what it can, stays, and says what is left', async () => {
    const stage = await stranded();
    stage.delete();
    await stage.work();
    expect(standing(stage)).toEqual({ blue: everything, green: nothing });
    expect(stage.verdict).toBe('False LeftBehind Stalled');
    expect(stage.condition('Ready')?.message).toContain('Retain');
    stage.cluster.edit((spec) => ({ ...spec, deletionPolicy: 'Retain' }));
    await stage.work();
    expect(stage.cluster.object).toBeUndefined();
  });
});

test('the token of one organization is known per forwarding, not shared with others', async () => {
  const stage = await inPlace(here);
  stage.restart();
  stage.add({ ...there, token: 'other' }, 'platform/later');
  stage.cluster.putSecret('other', { token: tokens.green });
  stage.cluster.edit((spec) => ({ ...spec, suspend: true }));
  await stage.work();
  stage.cluster.putSecret('konnect', { token: tokens.green });
  stage.cluster.edit(() => specOf({ organization }));
  await stage.work();
  expect(stage.verdict).toBe('False Claimed Stalled');
  expect(standing(stage).blue).toEqual(everything);
});
