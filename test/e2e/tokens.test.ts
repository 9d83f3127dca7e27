/** Tokens that are invalid, revoked, read-only, or of another organization. */
import { describe, expect, test } from '@jest/globals';
import { expectProblem } from './support/conditions.ts';
import { isReady } from './support/forwarding-object.ts';
import { oneEnvironment } from './support/one-environment.ts';

const { environment, fixture, readyFixture } = oneEnvironment({ prefix: 'tokens' });

describe('tokens', () => {
  test('one that Konnect does not know: the forwarding is Stalled, and uses a valid token at once', async () => {
    const one = await fixture('token-rejected');
    await one.applySIEM();
    await one.applyToken(`${one.token}x`);
    await one.applyForwarding();
    await expectProblem(environment(), one.name, {
      reason: 'TokenRejected',
      mark: 'Stalled',
      part: 'SecretsResolved',
      says: ['HTTP 401', 'wrong, expired or revoked', `Secret ${one.tokenSecret}, key token`],
    });
    expect(one.destinations()).toEqual([]);
    await one.applyToken();
    await environment().waitForReady(one.name);
  });

  test('one that is revoked later: status says so, and the webhooks stay attached', async () => {
    const one = await readyFixture('token-revoked');
    const [before] = one.destinations();
    one.fail({ kind: 'status', status: 401 });
    await environment().patch(one.name, { spec: { interval: '23h' } });
    await expectProblem(environment(), one.name, {
      reason: 'TokenRejected',
      mark: 'Stalled',
      says: ['HTTP 401', `Secret ${one.tokenSecret}, key token`, 'attached webhooks keep sending'],
    });
    const { status } = await environment().forwarding(one.name);
    expect(status).toMatchObject({ portalsReady: '1/1', portals: [{ state: 'on' }] });
    await one.applyToken(one.newToken());
    await environment().waitForReady(one.name);
    expect(one.destinations()).toEqual([before]);
  });

  test('one without write permission: the forwarding is Stalled, and the message names the missing role', async () => {
    const one = await fixture('token-read-only', { access: 'read-only' });
    await one.apply();
    await expectProblem(environment(), one.name, {
      reason: 'PermissionDenied',
      mark: 'Stalled',
      part: 'DestinationReady',
      says: [`"${one.destinationName}"`, 'HTTP 403', `Secret ${one.tokenSecret}, key token`, 'manages audit logs'],
    });
    expect(one.destinations()).toEqual([]);
    await one.applyToken(one.newToken());
    await environment().waitForReady(one.name);
  });

  test('one of another organization without the portals: the operator changes nothing there, and the webhooks stay attached', async () => {
    const one = await readyFixture('token-of-another', undefined, { portals: 2 });
    const [before] = one.destinations();
    const foreign = one.newToken('full', environment().green);
    await one.applyToken(foreign);
    const object = await expectProblem(environment(), one.name, {
      reason: 'PortalNotFound',
      mark: 'Stalled',
      part: 'WebhooksReady',
      says: [
        `portal ${one.portals[0] ?? ''} does not exist in organization ${environment().green.id}`,
        `Secret ${one.tokenSecret}, key token`,
        `put a token of organization ${environment().blue.id} back`,
      ],
    });
    expect(object.status.konnect?.organizationID).toBe(environment().green.id);
    expect(object.status.cleanup?.map(({ organizationID, kind }) => `${kind} ${organizationID}`)).toEqual(
      ['portal', 'portal', 'destination'].map((kind) => `${kind} ${environment().blue.id}`),
    );
    const asked = environment()
      .services.konnect.control.calls()
      .filter(({ token }) => token === foreign.slice(-4));
    expect(asked.filter(({ method }) => method !== 'GET')).toEqual([]);
    expect([0, 1].map((index) => one.portalWebhook(index))).toMatchObject(
      [0, 1].map(() => ({ enabled: true, target: { id: before?.id } })),
    );
    await one.applyToken();
    await environment().waitFor(
      one.name,
      (now) => isReady(now) && now.status.konnect?.organizationID === environment().blue.id,
    );
    // Applied once more, since another client may have changed it meanwhile.
    expect(one.destinations()).toEqual([{ ...before, updatedAt: expect.any(Date) }]);
  });

  test('one that cannot read its organization: the operator writes nothing until an object of the forwarding proves the organization', async () => {
    const one = await fixture('token-unproven', { access: 'no-organization' });
    await one.apply();
    await expectProblem(environment(), one.name, {
      reason: 'OrganizationUnproven',
      mark: 'Stalled',
      part: 'SecretsResolved',
      says: [
        'organizations/me',
        `Secret ${one.tokenSecret}, key token`,
        'the operator changed nothing',
        "give the token's account a role",
      ],
    });
    expect(one.calls().map(({ operation }) => operation)).toEqual(['get-organizations-me']);
    await one.applyToken(one.newToken());
    await environment().waitForReady(one.name);
  });

  test('one that cannot read its organization: the operator continues if it finds the destination of the forwarding', async () => {
    const one = await readyFixture('token-anonymous');
    const anonymous = one.newToken('no-organization');
    await one.applyToken(anonymous);
    await environment().patch(one.name, { spec: { destination: { logFormat: 'json' } } });
    await environment().waitForReady(one.name);
    expect(one.destinations()).toMatchObject([{ logFormat: 'json' }]);
    await environment().kubectl(['delete', 'alf', one.name, '--timeout=90s']);
    expect(one.destinations()).toEqual([]);
  });
});
