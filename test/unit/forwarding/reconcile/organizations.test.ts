import { describe, expect, test } from '@jest/globals';
import { currentDestinations } from '../../../../sandbox/konnect/model/destinations.ts';
import { webhookIn } from '../../../../sandbox/konnect/model.ts';
import { key, type SpecChoice, specOf } from '../../../support/forwarding-spec.ts';
import { garden, green, shop, tokens } from '../../../support/konnect-fixtures.ts';
import type { Harness } from '../support/harness.ts';
import { useHarness } from '../support/use-harness.ts';

const { inPlace, open } = useHarness();

const organization = { enabled: true };
const here: SpecChoice = { organization, portals: [{ id: shop, enabled: true }] };
const there: SpecChoice = { organization, portals: [{ id: garden, enabled: true }] };

/** What is in each organization. */
function standing(harness: Harness) {
  const other = harness.organizationOf(green);
  const webhook = other.portals.get(garden)?.webhook;
  const names = new Map(currentDestinations(other).map(({ id, name }) => [id, name]));
  const at = ({ target, enabled }: ReturnType<typeof webhookIn>) =>
    `${target.kind === 'destination' ? (names.get(target.id) ?? 'what is gone') : 'nothing'} ${enabled ? 'on' : 'off'}`;
  return {
    blue: [
      ...harness.destinations.map(({ name }) => name),
      harness.pointsAt(harness.portal(shop)),
      harness.pointsAt(harness.webhook()),
    ],
    green: [...names.values(), webhook === undefined ? '' : at(webhook), at(webhookIn(other, 'us'))],
  };
}

const everything = [key, `${key} on`, `${key} on`];
const nothing = ['nothing off', 'nothing off'];

/** Replaces the token by one of the other organization, and names the portals of that one in spec. */
function move(harness: Harness): void {
  harness.cluster.putSecret('konnect', { token: tokens.green });
  harness.cluster.edit(() => specOf(there));
}

describe('a token of another organization, while the old one is still known', () => {
  test('moves everything: the operator creates the new objects, then removes the old ones with the old token', async () => {
    const harness = await inPlace(here);
    const seen: string[] = [];
    harness.onKonnectCall = () => seen.push(JSON.stringify(standing(harness)));
    move(harness);
    await harness.work();
    expect(harness.readiness).toBe('True InSync');
    expect(standing(harness)).toEqual({ blue: nothing, green: everything });
    expect(harness.status.cleanup).toBeUndefined();
    expect(harness.status.konnect).toEqual({ organizationID: green, region: 'us' });
    expect(seen).toContain(JSON.stringify({ blue: everything, green: everything }));
    const writes = harness.konnect.control.calls().filter(({ method }) => method !== 'GET');
    const [ours, theirs] = [tokens.blue, tokens.green].map((token) => token.slice(-4));
    const order = writes.map(({ token }) => (token === ours ? 'old' : token === theirs ? 'new' : token));
    expect(order).toEqual(['new', 'new', 'new', 'old', 'old', 'old']);
    harness.clearRecords();
    await harness.resync();
    expect([harness.konnectWrites, harness.cluster.writes]).toEqual([[], 0]);
    harness.delete();
    await harness.work();
    expect(standing(harness)).toEqual({ blue: nothing, green: nothing });
  });

  test('leaves the old objects unchanged until the new ones are in place', async () => {
    const harness = await inPlace(here);
    harness.konnect.control.fail({ kind: 'status', status: 503, match: { method: 'PATCH' } });
    move(harness);
    await harness.reconcile();
    expect(harness.readiness).toBe('False KonnectUnavailable Reconciling');
    expect(standing(harness).blue).toEqual(everything);
    expect(harness.status.cleanup).toHaveLength(3);
    harness.konnect.control.clearFaults();
    await harness.work();
    expect(standing(harness)).toEqual({ blue: nothing, green: everything });
  });

  test('first searches the old organization for a destination whose creation had no answer', async () => {
    const harness = await open(here);
    const match = { operation: 'create-audit-log-destination' };
    harness.konnect.control.fail({ kind: 'drop-after', match, times: 1 });
    await harness.reconcile();
    expect(harness.status.destination?.creating).toBeDefined();
    expect(standing(harness).blue).toEqual([key, ...nothing]);
    move(harness);
    await harness.work();
    expect(harness.readiness).toBe('True InSync');
    expect(standing(harness)).toEqual({ blue: nothing, green: everything });
  });

  test('waits in the old organization for a destination that may still show up', async () => {
    const harness = await open(here);
    harness.konnect.control.fail({
      kind: 'drop-before',
      match: { operation: 'create-audit-log-destination' },
      times: 1,
    });
    await harness.reconcile();
    move(harness);
    await harness.reconcile();
    expect(harness.readiness).toBe('False Creating Reconciling');
    await harness.settle();
    expect(harness.readiness).toBe('True InSync');
    expect(standing(harness)).toEqual({ blue: nothing, green: everything });
  });

  test('and back again', async () => {
    const harness = await inPlace(here);
    move(harness);
    await harness.work();
    harness.cluster.putSecret('konnect', { token: tokens.blueAgain });
    harness.cluster.edit(() => specOf(here));
    await harness.work();
    expect(harness.readiness).toBe('True InSync');
    expect(standing(harness)).toEqual({ blue: everything, green: nothing });
  });
});

describe('a token of another organization, while no token of the old one is known', () => {
  async function stranded(): Promise<Harness> {
    const harness = await inPlace(here);
    harness.restart();
    move(harness);
    await harness.work();
    expect(standing(harness)).toEqual({ blue: everything, green: everything });
    return harness;
  }

  test('creates the new objects, and names the old ones with their organization', async () => {
    const harness = await stranded();
    expect(harness.readiness).toBe('False LeftBehind Stalled');
    const message = harness.condition('Ready')?.message ?? '';
    expect(message).toContain(`portal ${shop} in region us in organization ${harness.organization.id} because`);
    expect(message).toContain("the organization's webhook in region us");
    expect(message).toContain(`destination ${harness.destinations[0]?.id ?? ''}`);
    expect(message).toContain('Retain');
    expect(harness.condition('WebhooksReady')?.status).toBe('True');
    harness.clearRecords();
    await harness.resync();
    expect([harness.konnectWrites, harness.cluster.writes, harness.reasons]).toEqual([[], 0, []]);
  });

  test('gives them up with Retain, and names them in events', async () => {
    const harness = await stranded();
    harness.clearRecords();
    harness.cluster.edit((spec) => ({ ...spec, deletionPolicy: 'Retain' }));
    await harness.work();
    expect(harness.readiness).toBe('True InSync');
    expect(harness.status.cleanup).toBeUndefined();
    expect(harness.konnectWrites).toEqual([]);
    const notes = harness.cluster.announcements.filter(({ reason }) => reason === 'LeftBehind').map(({ note }) => note);
    expect(notes.join()).toContain(shop);
    expect(notes).toHaveLength(3);
  });

  test('removes them when a token of the old organization was seen again', async () => {
    const harness = await stranded();
    harness.cluster.putSecret('konnect', { token: tokens.blue });
    await harness.resync();
    expect(harness.readiness).toBe('False PortalNotFound Stalled');
    expect(standing(harness).green).toEqual(everything);
    harness.cluster.putSecret('konnect', { token: tokens.green });
    await harness.resync();
    expect(harness.readiness).toBe('True InSync');
    expect(standing(harness)).toEqual({ blue: nothing, green: everything });
  });

  test('and a deletion then removes what it can, waits, and names the rest', async () => {
    const harness = await stranded();
    harness.delete();
    await harness.work();
    expect(standing(harness)).toEqual({ blue: everything, green: nothing });
    expect(harness.readiness).toBe('False LeftBehind Stalled');
    expect(harness.condition('Ready')?.message).toContain('Retain');
    harness.cluster.edit((spec) => ({ ...spec, deletionPolicy: 'Retain' }));
    await harness.work();
    expect(harness.cluster.object).toBeUndefined();
  });
});

test('a known token belongs to one forwarding, and is not used for others', async () => {
  const harness = await inPlace(here);
  harness.restart();
  harness.add({ ...there, token: 'other' }, 'platform/later');
  harness.cluster.putSecret('other', { token: tokens.green });
  harness.cluster.edit((spec) => ({ ...spec, suspend: true }));
  await harness.work();
  harness.cluster.putSecret('konnect', { token: tokens.green });
  harness.cluster.edit(() => specOf({ organization }));
  await harness.work();
  expect(harness.readiness).toBe('False Claimed Stalled');
  expect(standing(harness).blue).toEqual(everything);
});
