/** An endpoint that several teams use proves no ownership: that of Splunk, or of a relay. */
import { describe, expect, test } from '@jest/globals';
import { changeDestination } from '../../../../sandbox/konnect/model/destinations.ts';
import { pointWebhook } from '../../../../sandbox/konnect/model/webhooks.ts';
import type { Destination, Webhook } from '../../../../sandbox/konnect/model.ts';
import { key, own, type SpecChoice, specOf, usual } from '../../../support/forwarding-spec.ts';
import { forum, sharedSiem, shop, siem, tokens } from '../../../support/konnect-fixtures.ts';
import type { Harness } from '../support/harness.ts';
import { nextResync, onlyDestination, recordTargets, useHarness } from '../support/use-harness.ts';

const { open } = useHarness();
const portals = [{ id: shop, enabled: true }];
const inline: SpecChoice = { api: 'v2', organization: { enabled: true } };
const cause = 'it has the same endpoint, but this endpoint contains no secret, so it does not show whose it is';

/** Endpoints that do not show whose an object is. */
const shared = [
  ['a Splunk', sharedSiem.endpoint],
  ['a relay', 'https://audit-relay.example.com/v1/logs'],
  ['a relay with a UUID in its path', 'https://audit-relay.example.com/in/3e551b39-227d-4297-b911-e68fd5d77c17'],
  ['a placeholder', 'https://collectors.sumologic.com/receiver/v1/http/replace-me'],
] as const;

async function openWith(endpoint: string, choice: SpecChoice, ...more: [object?]): Promise<Harness> {
  const harness = await open(choice, ...more);
  harness.cluster.putSecret('siem', { ...sharedSiem, endpoint });
  return harness;
}

function attach(harness: Harness, webhook: Webhook, { id }: Pick<Destination, 'id'>): void {
  pointWebhook(harness.konnect.model, harness.organization, webhook, { kind: 'destination', id });
  webhook.enabled = true;
}

function setInline(harness: Harness, endpoint: string, enabled: boolean): void {
  const theirs = { endpoint, authorization: 'theirs', logFormat: 'cef', skipSSLVerification: false } as const;
  pointWebhook(harness.konnect.model, harness.organization, harness.webhook(), { kind: 'inline', inline: theirs });
  harness.webhook().enabled = enabled;
}

describe.each(shared)('%s, of another team', (_title, endpoint) => {
  test('its portal is not pointed elsewhere, and the message says why and what to do', async () => {
    const harness = await openWith(endpoint, { portals });
    const theirs = harness.createForeign('of-the-other-team', endpoint);
    attach(harness, harness.portal(shop), theirs);
    await harness.settle();
    expect(harness.readiness).toBe('False WebhookInUse Stalled');
    for (const text of [theirs.id, cause, 'spec.adoptionPolicy: Always', 'remove spec.portals[0]'])
      expect(harness.condition('Ready')?.message).toContain(text);
    expect(harness.konnectWrites).toEqual([]);
    harness.clearRecords();
    await harness.resync();
    expect([harness.konnectWrites, harness.cluster.writes]).toEqual([[], 0]);
    harness.delete();
    await harness.work();
    expect(harness.pointsAt(harness.portal(shop))).toBe('of-the-other-team on');
    expect(harness.destinations).toEqual([theirs]);
  });

  test('its destination of our name is neither written nor deleted, and the message says why and what to do', async () => {
    const harness = await openWith(endpoint, { portals });
    const theirs = harness.createForeign(key, endpoint);
    const before = structuredClone(theirs);
    attach(harness, harness.portal(forum), theirs);
    await harness.settle();
    expect(harness.readiness).toBe('False NameInUse Stalled');
    for (const text of [theirs.id, cause, 'spec.adoptionPolicy: Always', 'set another spec.destination.name'])
      expect(harness.condition('Ready')?.message).toContain(text);
    harness.delete();
    await harness.work();
    expect(harness.konnectWrites).toEqual([]);
    expect(harness.destinations).toEqual([before]);
  });

  test('with another name and another portal, both teams forward', async () => {
    const harness = await openWith(endpoint, { portals });
    const theirs = harness.createForeign('of-the-other-team', endpoint);
    attach(harness, harness.portal(forum), theirs);
    await harness.settle();
    expect(harness.readiness).toBe('True InSync');
    expect([shop, forum].map((id) => harness.pointsAt(harness.portal(id)))).toEqual([
      `${key} on`,
      'of-the-other-team on',
    ]);
  });

  test('is adopted with Always', async () => {
    const harness = await openWith(endpoint, { portals });
    const theirs = harness.createForeign(key, endpoint);
    await harness.settle();
    harness.cluster.edit(() => specOf({ portals, adoptionPolicy: 'Always' }));
    await harness.settle();
    expect(harness.readiness).toBe('True InSync');
    expect(harness.destinations).toMatchObject([{ id: theirs.id, authorization: sharedSiem.authorization }]);
  });
});

describe("the organization's webhook of another team, with the same endpoint", () => {
  test.each([
    ['in v3, inline and on', { organization: { enabled: true } }, true],
    ['in v3, inline and off', { organization: { enabled: true } }, false],
    ['in v2, inline and on', inline, true],
    ['in v2, inline and off', inline, false],
  ] as const)('%s stays as it is', async (_title, choice, enabled) => {
    const harness = await openWith(sharedSiem.endpoint, choice);
    setInline(harness, sharedSiem.endpoint, enabled);
    const before = structuredClone(harness.webhook());
    await harness.settle();
    expect(harness.readiness).toBe('False WebhookInUse Stalled');
    expect(harness.condition('Ready')?.message).toContain(cause);
    harness.delete();
    await harness.work();
    expect(harness.konnectWrites).toEqual([]);
    expect(harness.webhook()).toEqual(before);
  });
});

describe("what is the forwarding's own is found again without a secret in the endpoint:", () => {
  const choices: readonly SpecChoice[] = [usual, inline, { ...usual, api: 'v2' }];

  test.each(choices)('what status records, when another client changes it: %j', async (choice) => {
    const harness = await openWith(sharedSiem.endpoint, choice);
    await harness.settle();
    await harness.reconcile();
    expect(harness.readiness).toBe('True InSync');
    for (const webhook of [harness.portal(shop), harness.webhook()]) webhook.enabled = false;
    for (const { id } of harness.destinations)
      changeDestination(harness.konnect.model, harness.organization, id, { logFormat: 'json' });
    await nextResync(harness);
    expect(harness.readiness).toBe('True InSync');
    expect(harness.webhook().enabled).toBe(true);
    expect(harness.destinations.map(({ logFormat }) => logFormat).filter((one) => one !== 'cef')).toEqual([]);
    harness.delete();
    await harness.work();
    expect(harness.destinations).toEqual([]);
    expect(harness.webhook().enabled).toBe(false);
  });

  test('a destination whose creation was not confirmed', async () => {
    const harness = await openWith(sharedSiem.endpoint, usual, { staleListMs: 25_000, duplicateNames: 'allowed' });
    harness.konnect.control.fail({ kind: 'drop-after', match: { method: 'POST' }, times: 1 });
    await harness.reconcile();
    harness.restart();
    await harness.settle();
    expect(harness.readiness).toBe('True InSync');
    expect(harness.konnectWrites.filter((call) => call.startsWith('POST'))).toHaveLength(1);
    expect(harness.status.destination?.id).toBe(onlyDestination(harness));
  });

  test('the same, and it is deleted if spec no longer wants it', async () => {
    const harness = await openWith(sharedSiem.endpoint, usual);
    harness.konnect.control.fail({ kind: 'drop-after', match: { method: 'POST' }, times: 1 });
    await harness.reconcile();
    harness.delete();
    await harness.work();
    expect(harness.destinations).toEqual([]);
  });

  test.each([
    ['v2 to v3', inline, { organization: { enabled: true } }, `${key} on`],
    ['v3 to v2', { organization: { enabled: true } }, inline, `${sharedSiem.endpoint} on`],
  ] as const)('a change of auditLogsAPI, %s, also if the first write fails', async (_title, before, after, target) => {
    const harness = await openWith(sharedSiem.endpoint, before);
    await harness.settle();
    harness.cluster.edit(() => specOf(after));
    harness.konnect.control.fail({ kind: 'status', status: 503, match: { method: 'PATCH' }, times: 2 });
    await harness.settle();
    expect(harness.readiness).toBe('True InSync');
    expect(harness.pointsAt(harness.webhook())).toBe(target);
  });

  test('a webhook that another forwarding of the operator hands over', async () => {
    const later = 'other/later';
    const harness = await openWith(sharedSiem.endpoint, { portals });
    await harness.settle();
    harness.cluster.putSecret('other/konnect', { token: tokens.blueAgain });
    harness.cluster.putSecret('other/siem', sharedSiem);
    harness.add({ portals }, later);
    await harness.work();
    expect(harness.readinessOf(later)).toBe('False Claimed Stalled');
    const seen = recordTargets(harness, () => harness.pointsAt(harness.portal(shop)));
    harness.delete();
    await harness.work();
    expect(seen).toEqual([`${key} on`, `${later} on`]);
    expect(harness.readinessOf(later)).toBe('True InSync');
  });
});

describe('another team creates a destination of our name and endpoint while the operator does, so that Konnect answers 409', () => {
  async function refused(endpoint: string, choice: SpecChoice = { portals }): Promise<[Harness, Destination]> {
    const harness = await openWith(endpoint, choice, { staleListMs: 20_000 });
    const theirs = harness.createForeign(key, endpoint);
    await harness.reconcile();
    expect(harness.readiness).toBe('False NameInUse Reconciling');
    return [harness, structuredClone(theirs)];
  }

  test('and the operator leaves it to the other team', async () => {
    const [harness, theirs] = await refused(sharedSiem.endpoint);
    await harness.settle();
    expect(harness.readiness).toBe('False NameInUse Stalled');
    expect(harness.condition('Ready')?.message).toContain(cause);
    await harness.resync();
    expect(harness.konnectWrites).toEqual(['POST global/v3/audit-log-destinations']);
    expect(harness.destinations).toEqual([theirs]);
  });

  test.each([
    ['the forwarding is deleted', (harness: Harness) => harness.delete()],
    [
      'spec names another destination',
      (harness: Harness) => {
        harness.createForeign('siem-of-security');
        harness.cluster.edit(() => specOf({ portals, destinationRef: { name: 'siem-of-security' } }));
      },
    ],
    [
      'spec has another name',
      (harness: Harness) =>
        harness.cluster.edit((spec) => ({ ...spec, destination: { ...own(spec), name: 'renamed' } })),
    ],
  ])('and the operator does not delete it: %s', async (_title, change) => {
    for (const endpoint of [sharedSiem.endpoint, siem.endpoint]) {
      const [harness, theirs] = await refused(endpoint);
      change(harness);
      harness.clock.ms += 25_000;
      await harness.work();
      expect(harness.destinations).toContainEqual(theirs);
    }
  });

  test('but adopts it if the endpoint holds a secret and the policy allows', async () => {
    for (const [adoptionPolicy, readiness] of [
      ['IfMatching', 'True InSync'],
      ['Never', 'False NameInUse Stalled'],
    ] as const) {
      const [harness] = await refused(siem.endpoint, { portals, adoptionPolicy });
      await harness.settle();
      expect(harness.readiness).toBe(readiness);
    }
  });
});
