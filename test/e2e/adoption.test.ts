/** Objects that exist in Konnect before the operator: configured by hand with Kong's how-tos, or by another client. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { expectEvent, expectProblem } from './support/conditions.ts';
import { attachedTo, type Fixture, nothing } from './support/fixture.ts';
import { isReady } from './support/forwarding-object.ts';
import { oneEnvironment } from './support/one-environment.ts';
import {
  attachOrganization,
  attachPortal,
  createDestination,
  otherDestination,
  setInline,
} from './support/other-client.ts';
import { requestReconcile } from './support/reconciliations.ts';

const { environment, fixture } = oneEnvironment({ prefix: 'adoption' });

/** Returns the destination that the how-to's first command creates, with the endpoint of the forwarding's Secret. */
const asInTheHowTo = (name: string) => ({ ...environment().credentials, name, log_format: 'cef' as const });

describe('the how-to for Dev Portals was followed by hand', () => {
  test('with the name in spec: the operator adopts the destination, and sends only its authorization', async () => {
    const one = await fixture('by-hand-named');
    const name = 'sumologic by hand';
    const id = await createDestination(environment(), { ...asInTheHowTo(name), authorization: 'Bearer an-older-one' });
    await attachPortal(environment(), one.portals[0] ?? '', id);
    await one.apply({ destination: { secretRef: { name: one.siemSecret }, name } });
    const { status } = await environment().waitForReady(one.name);
    expect(status.destination).toMatchObject({ id, name, managed: true });
    expect(one.destinations(name)).toMatchObject([{ id, ...environment().credentials }]);
    expect(one.portalWebhook()).toMatchObject(attachedTo(id));
    expect(one.writes()).toEqual(['update-audit-log-destination']);
    await expectEvent(environment(), one.name, {
      type: 'Normal',
      reason: 'DestinationAdopted',
      note: `adopted destination ${id}, as spec.adoptionPolicy allows`,
    });
    await environment().remove(one.name);
    expect(one.destinations(name)).toEqual([]);
    expect(one.portalWebhook()).toMatchObject(nothing);
  });

  test('with another name: the operator adopts the webhook, and leaves the destination', async () => {
    const one = await fixture('by-hand');
    const name = 'made by hand';
    const id = await createDestination(environment(), asInTheHowTo(name));
    await attachPortal(environment(), one.portals[0] ?? '', id);
    const [before] = one.destinations(name);
    await one.apply();
    const { status } = await environment().waitForReady(one.name);
    expect(status.destination?.id).not.toBe(id);
    expect(one.portalWebhook()).toMatchObject(attachedTo(status.destination?.id));
    expect(one.writes()).toEqual(['create-audit-log-destination', 'update-portal-audit-log-webhook']);
    await expectEvent(environment(), one.name, {
      type: 'Normal',
      reason: 'WebhookAdopted',
      note: new RegExp(
        `^portal \\S+ now forwards to .* instead of destination ${id}, which the operator left unchanged`,
      ),
    });
    await environment().remove(one.name);
    expect(one.destinations(name)).toEqual([before]);
  });

  test('and switched off: the operator switches it on', async () => {
    const one = await fixture('by-hand-off');
    const id = await createDestination(environment(), asInTheHowTo(one.destinationName));
    await attachPortal(environment(), one.portals[0] ?? '', id, false);
    await one.apply();
    await environment().waitForReady(one.name);
    expect(one.portalWebhook()).toMatchObject(attachedTo(id));
    expect(one.destinations()).toMatchObject([{ id }]);
  });

  test('for one portal of two: the operator adopts that one and attaches the other', async () => {
    const one = await fixture('by-hand-half', { portals: 2 });
    const id = await createDestination(environment(), asInTheHowTo(one.destinationName));
    await attachPortal(environment(), one.portals[1] ?? '', id);
    await one.apply();
    await environment().waitForReady(one.name);
    expect([0, 1].map((index) => one.portalWebhook(index))).toMatchObject([attachedTo(id), attachedTo(id)]);
    expect(one.writes()).toEqual(['update-audit-log-destination', 'update-portal-audit-log-webhook']);
  });
});

/** Each case uses the organization's webhook of another organization or region. */
describe('the how-to for Konnect was followed by hand', () => {
  test.each([
    ['v3', 'v3', 'blue', 'us'],
    ['v2', 'v2', 'blue', 'eu'],
    ['v2', 'v3', 'green', 'us'],
    ['v3', 'v2', 'green', 'eu'],
  ] as const)('with %s, and the forwarding uses %s', async (byHand, api, whose, region) => {
    const organization = environment()[whose];
    const one = await fixture(`konnect-${byHand}-${api}`, { region, organization });
    const name = `of ${byHand} for ${api}`;
    const token = organization.otherClientToken;
    if (byHand === 'v2') await setInline(environment(), region, environment().credentials, token);
    else
      await attachOrganization(
        environment(),
        region,
        await createDestination(environment(), asInTheHowTo(name), token),
        token,
      );

    await one.apply({ konnect: one.konnect({ auditLogsAPI: api }), organization: {}, portals: [] });
    const { status } = await environment().waitForReady(one.name);
    expect(status.organization).toMatchObject({ api, state: 'on' });
    const { endpoint, authorization } = environment().credentials;
    const target =
      api === 'v2'
        ? { kind: 'inline', inline: { endpoint, authorization, logFormat: 'cef', skipSSLVerification: false } }
        : { kind: 'destination', id: status.destination?.id };
    expect(one.organizationWebhook()).toMatchObject({ enabled: true, target });
    expect(one.destinations(name)).toHaveLength(byHand === 'v3' ? 1 : 0);
    await expectEvent(environment(), one.name, {
      type: 'Normal',
      reason: 'WebhookAdopted',
      note: /^the organization's webhook/,
    });
    const writes = one.writes().length;
    await requestReconcile(environment(), one.name);
    expect(one.writes()).toHaveLength(writes);
    await environment().remove(one.name);
    expect(one.organizationWebhook()).toMatchObject({ enabled: false });
    expect(one.destinations(name)).toHaveLength(byHand === 'v3' ? 1 : 0);
  });
});

describe('adoptionPolicy', () => {
  type Made = { readonly one: Fixture; readonly id: string };

  /** Creates a destination of our name, or attaches our portal, with the endpoint of our Secret or another one. */
  async function set(
    name: string,
    what: 'destination' | 'webhook',
    endpoint: 'same' | 'other',
    policy: string,
  ): Promise<Made> {
    const one = await fixture(name);
    const called = what === 'destination' ? one.destinationName : `points at it: ${name}`;
    const id = await createDestination(
      environment(),
      endpoint === 'same' ? asInTheHowTo(called) : otherDestination(called),
    );
    if (what === 'webhook') await attachPortal(environment(), one.portals[0] ?? '', id);
    await one.apply({ adoptionPolicy: policy });
    return { one, id };
  }

  test.each([
    ['Never', 'same', 'IfMatching'],
    ['Never', 'other', 'Always'],
    ['IfMatching', 'other', 'Always'],
  ] as const)(
    '%s does not change a destination with the name of the forwarding (%s endpoint) and says so; %s adopts it',
    async (refuses, endpoint, takes) => {
      const { one, id } = await set(`named-${refuses}-${endpoint}`.toLowerCase(), 'destination', endpoint, refuses);
      const [before] = one.destinations();
      await expectProblem(environment(), one.name, {
        reason: 'NameInUse',
        mark: 'Stalled',
        part: 'DestinationReady',
        says: [
          `"${one.destinationName}"`,
          id,
          'spec.destination.name',
          'spec.adoptionPolicy: Always',
          'the operator changed nothing',
        ],
      });
      expect(one.writes()).toEqual([]);
      expect(one.destinations()).toEqual([before]);
      await environment().patch(one.name, { spec: { adoptionPolicy: takes } });
      await environment().waitForReady(one.name);
      expect(one.destinations()).toMatchObject([{ id, ...environment().credentials }]);
      expect(one.portalWebhook()).toMatchObject(attachedTo(id));
    },
  );

  test.each([
    ['Never', 'same', 'IfMatching'],
    ['Never', 'other', 'Always'],
    ['IfMatching', 'other', 'Always'],
  ] as const)(
    '%s leaves a webhook in use (%s endpoint) unchanged and says so; %s adopts it',
    async (refuses, endpoint, takes) => {
      const { one, id } = await set(`used-${refuses}-${endpoint}`.toLowerCase(), 'webhook', endpoint, refuses);
      await expectProblem(environment(), one.name, {
        reason: 'WebhookInUse',
        mark: 'Stalled',
        part: 'WebhooksReady',
        says: [
          `portal ${one.portals[0] ?? ''}`,
          `destination ${id}`,
          'spec.adoptionPolicy: Always',
          'the operator changed nothing',
        ],
      });
      expect(one.writes()).toEqual([]);
      expect(one.portalWebhook()).toMatchObject(attachedTo(id));
      await environment().patch(one.name, { spec: { adoptionPolicy: takes } });
      await environment().waitForReady(one.name);
      expect(one.portalWebhook()).toMatchObject(attachedTo(one.destinations()[0]?.id));
    },
  );

  test('with several destinations of one name, the forwarding is Stalled and names their IDs, for every policy', async () => {
    environment().services.konnect.control.behave({ duplicateNames: 'allowed' });
    const one = await fixture('named-twice');
    const ids = [1, 2].map(async () => createDestination(environment(), asInTheHowTo(one.destinationName)));
    await one.apply({ adoptionPolicy: 'Always' });
    await expectProblem(environment(), one.name, {
      reason: 'NameInUse',
      mark: 'Stalled',
      part: 'DestinationReady',
      says: [...(await Promise.all(ids)), 'delete what has this name', 'the operator changed nothing'],
    });
    expect(one.writes()).toEqual([]);
  });
});

describe('an object of another client stays unchanged in every reconciliation', () => {
  let one: Fixture;

  beforeAll(async () => {
    one = await fixture('untouched');
    await createDestination(environment(), otherDestination(one.destinationName));
    await one.apply();
    await expectProblem(environment(), one.name, { reason: 'NameInUse', mark: 'Stalled', says: ['did not create'] });
  });

  test('until it is deleted, and then the operator uses the name', async () => {
    const [theirs] = one.destinations();
    await requestReconcile(environment(), one.name);
    await requestReconcile(environment(), one.name);
    expect(one.writes()).toEqual([]);
    expect(one.destinations()).toEqual([theirs]);
    await environment().asOtherClient('DELETE', `/global/v3/audit-log-destinations/${theirs?.id ?? ''}`);
    expect(isReady(await requestReconcile(environment(), one.name))).toBe(true);
    expect(one.destinations()).toMatchObject([environment().credentials]);
  });
});
