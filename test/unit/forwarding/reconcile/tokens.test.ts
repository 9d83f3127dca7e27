import { describe, expect, test } from '@jest/globals';
import { shop, tokens, usual } from '../support/harness.ts';
import { nextPass, useStages } from '../support/use-harness.ts';

const { open, inPlace } = useStages();

describe('a token', () => {
  test('of another organization, where the portals are not, leaves everything as it stands', async () => {
    const stage = await inPlace({ portals: usual.portals ?? [] });
    stage.cluster.putSecret('konnect', { token: tokens.green });
    await nextPass(stage);
    expect(stage.verdict).toBe('False PortalNotFound Stalled');
    expect(stage.konnectWrites).toEqual([]);
    expect(stage.status.cleanup).toHaveLength(3);
    stage.cluster.putSecret('konnect', { token: tokens.blue });
    await nextPass(stage);
    expect(stage.verdict).toBe('True InSync');
    expect(stage.status.cleanup).toBeUndefined();
    expect(stage.status.portals).toHaveLength(2);
  });

  test('of another organization changes nothing while a creation in this one is not answered, and its token forgotten', async () => {
    const stage = await open();
    stage.konnect.control.fail({ kind: 'drop-after', match: { method: 'POST' }, times: 1 });
    await stage.pass();
    stage.restart();
    stage.cluster.putSecret('konnect', { token: tokens.green });
    stage.forget();
    await stage.pass();
    expect(stage.verdict).toBe('False OrganizationChanged Stalled');
    expect(stage.konnectWrites).toEqual([]);
  });

  test('that may not ask whose it is does nothing before, and goes on after it was proved', async () => {
    const stage = await open();
    stage.cluster.putSecret('konnect', { token: tokens.unproven });
    await stage.pass();
    expect(stage.verdict).toBe('False OrganizationUnproven Stalled');
    stage.cluster.putSecret('konnect', { token: tokens.blue });
    await stage.settle();
    stage.cluster.putSecret('konnect', { token: tokens.unproven });
    stage.portal(shop).enabled = false;
    await nextPass(stage);
    expect(stage.verdict).toBe('True InSync');
    expect(stage.portal(shop).enabled).toBe(true);
  });

  test('that is refused, or may not write, is named', async () => {
    const stage = await open();
    stage.cluster.putSecret('konnect', { token: 'kpat_unknownCANARY' });
    await stage.pass();
    expect(stage.verdict).toBe('False TokenRejected Stalled');
    expect(stage.condition('SecretsResolved')?.status).toBe('False');
    stage.cluster.putSecret('konnect', { token: tokens.readOnly });
    await stage.pass();
    expect(stage.verdict).toBe('False PermissionDenied Stalled');
    expect(stage.status.destination).toBeUndefined();
    expect(stage.condition('Ready')?.message).toContain('Secret konnect, key token');
  });
});
