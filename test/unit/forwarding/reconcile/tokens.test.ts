import { describe, expect, test } from '@jest/globals';
import { own, usual } from '../../../support/forwarding-spec.ts';
import { blue, forum, green, kiosk, shop, tokens } from '../../../support/konnect-fixtures.ts';
import { nextResync, useHarness } from '../support/use-harness.ts';

const { open, inPlace } = useHarness();

describe('a token', () => {
  test('of another organization, which has none of the portals, leaves everything as it is', async () => {
    const harness = await inPlace({ portals: usual.portals ?? [] });
    harness.cluster.putSecret('konnect', { token: tokens.green });
    await nextResync(harness);
    expect(harness.readiness).toBe('False PortalNotFound Stalled');
    expect(harness.condition('Ready')?.message).toContain(
      `portal ${shop} does not exist in organization ${green}, to which the token in Secret konnect, key token belongs; ` +
        `this forwarding has objects in organization ${blue}: put a token of organization ${blue} back, or correct spec.portals[0].id`,
    );
    expect(harness.konnectWrites).toEqual([]);
    expect(harness.status.cleanup).toHaveLength(3);
    harness.cluster.putSecret('konnect', { token: tokens.blue });
    await nextResync(harness);
    expect(harness.readiness).toBe('True InSync');
    expect(harness.status.cleanup).toBeUndefined();
    expect(harness.status.portals).toHaveLength(2);
  });

  test.each(['Enforce', 'Observe'] as const)(
    'of another organization is named where a reference to a destination matches nothing there, with mode %s',
    async (mode) => {
      const harness = await open({ portals: [{ id: shop, enabled: true }], destinationRef: { name: 'theirs' } });
      harness.createForeign('theirs');
      await harness.settle();
      expect(harness.readiness).toBe('True InSync');
      harness.cluster.edit((spec) => ({ ...spec, mode }));
      harness.cluster.putSecret('konnect', { token: tokens.green });
      await nextResync(harness);
      const message = harness.condition('DestinationReady')?.message;
      expect(message).toMatch(`destination "theirs" does not exist in organization ${green}`);
      expect(message).toMatch(`put a token of organization ${blue} back, or correct spec.destinationRef`);
      expect(harness.condition('WebhooksReady')?.message).toMatch(
        `portal ${shop} does not exist in organization ${green}`,
      );
    },
  );

  test('of another organization changes nothing while a creation in this one is not answered, and its token forgotten', async () => {
    const harness = await open();
    harness.konnect.control.fail({ kind: 'drop-after', match: { method: 'POST' }, times: 1 });
    await harness.reconcile();
    harness.restart();
    harness.cluster.putSecret('konnect', { token: tokens.green });
    harness.clearRecords();
    await harness.reconcile();
    expect(harness.readiness).toBe('False OrganizationChanged Stalled');
    expect(harness.konnectWrites).toEqual([]);
  });

  test('that may not ask whose it is does nothing before, and goes on after it was proved', async () => {
    const harness = await open();
    harness.cluster.putSecret('konnect', { token: tokens.unproven });
    await harness.reconcile();
    expect(harness.readiness).toBe('False OrganizationUnproven Stalled');
    harness.cluster.putSecret('konnect', { token: tokens.blue });
    await harness.settle();
    harness.cluster.putSecret('konnect', { token: tokens.unproven });
    harness.portal(shop).enabled = false;
    await nextResync(harness);
    expect(harness.readiness).toBe('True InSync');
    expect(harness.portal(shop).enabled).toBe(true);
  });

  test('that is refused, or may not write, is named', async () => {
    const harness = await open();
    harness.cluster.putSecret('konnect', { token: 'kpat_unknownCANARY' });
    await harness.reconcile();
    expect(harness.readiness).toBe('False TokenRejected Stalled');
    expect(harness.condition('SecretsResolved')?.status).toBe('False');
    harness.cluster.putSecret('konnect', { token: tokens.readOnly });
    await harness.reconcile();
    expect(harness.readiness).toBe('False PermissionDenied Stalled');
    expect(harness.status.destination?.id).toBeUndefined();
    expect(harness.condition('Ready')?.message).toContain('Secret konnect, key token');
  });

  test('that may only read is Ready until the first write, which a rename of the destination is', async () => {
    const harness = await inPlace();
    harness.cluster.putSecret('konnect', { token: tokens.readOnly });
    await harness.settle();
    expect(harness.readiness).toBe('True InSync');
    harness.cluster.edit((spec) => ({ ...spec, destination: { ...own(spec), name: 'another' } }));
    await harness.settle();
    expect(harness.readiness).toBe('False PermissionDenied Stalled');
    expect(harness.condition('DestinationReady')?.message).toContain('HTTP 403');
  });
});

describe('while the operator cannot look at a webhook, status shows it as it was last seen', () => {
  const both = (entry: object) => [entry, entry];

  test.each([
    { why: 'the token is revoked', status: 401, reason: 'TokenRejected' },
    { why: 'the token has lost its role', status: 403, reason: 'PermissionDenied' },
  ])('$why', async ({ status, reason }) => {
    const harness = await inPlace();
    harness.konnect.control.fail({ kind: 'status', status, match: { method: 'GET', path: '*audit-log-webhook' } });
    await nextResync(harness);
    await harness.reconcile();
    expect(harness.readiness).toBe(`False ${reason} Stalled`);
    expect(harness.status).toMatchObject({
      portalsReady: '2/2',
      portals: both({ state: 'on', reason }),
      organization: { state: 'on', reason },
    });
    harness.konnect.control.clearFaults();
    await nextResync(harness);
    expect(harness.readiness).toBe('True InSync');
    expect(harness.status.portals).toEqual(both(expect.not.objectContaining({ reason: expect.anything() })));
  });

  test('the message about a rejected token says that webhooks keep sending', async () => {
    const harness = await inPlace();
    harness.konnect.control.fail({ kind: 'status', status: 401 });
    await nextResync(harness);
    expect(harness.condition('Ready')?.message).toMatch(/HTTP 401.*attached webhooks keep sending$/);
  });

  test('a portal that spec switches off counts as before until it is off', async () => {
    const harness = await inPlace();
    harness.konnect.control.fail({ kind: 'status', status: 401 });
    harness.cluster.edit((spec) => ({
      ...spec,
      portals: [
        { id: shop, enabled: false },
        { id: forum, enabled: true },
      ],
    }));
    await harness.reconcile();
    expect(harness.status).toMatchObject({ portalsReady: '1/2', portals: both({ state: 'on' }) });
  });

  test('a portal that was never attached does not count', async () => {
    const harness = await inPlace();
    harness.konnect.control.fail({ kind: 'status', status: 401 });
    harness.cluster.edit((spec) => ({ ...spec, portals: [...(spec.portals ?? []), { id: kiosk, enabled: true }] }));
    await harness.reconcile();
    expect(harness.status.portalsReady).toBe('2/3');
  });

  test.each([401, 503])('with mode Observe as well, after %i', async (status) => {
    const harness = await inPlace();
    harness.cluster.edit((spec) => ({ ...spec, mode: 'Observe' }));
    await harness.settle();
    harness.konnect.control.fail({ kind: 'status', status });
    await nextResync(harness);
    expect(harness.status.portalsReady).toBe('2/2');
  });
});
