import { describe, expect, test } from '@jest/globals';
import { type SpecChoice, usual } from '../../../support/forwarding-spec.ts';
import { forum, shop } from '../../../support/konnect-fixtures.ts';
import type { Harness } from '../support/harness.ts';
import { nextResync, useHarness } from '../support/use-harness.ts';

const { open, inPlace } = useHarness();

const withoutForum: SpecChoice['portals'] = [{ id: shop, enabled: true }];
const mayForward = `the webhook of portal ${forum} in region us may still forward: Konnect answers HTTP 404`;

/** Removes the portal from Konnect, or from what the token sees: Konnect answers the same. Returns what shows it again. */
function hide(harness: Harness, id = forum): () => void {
  const { portals } = harness.organization;
  const hidden = portals.get(id);
  if (hidden === undefined) throw new TypeError('there is no such portal');
  portals.delete(id);
  return () => void portals.set(id, hidden);
}

function removeForum(harness: Harness): Promise<void> {
  harness.cluster.edit((spec) => ({ ...spec, portals: [...(withoutForum ?? [])] }));
  return harness.work();
}

describe('a portal that leaves spec while Konnect answers 404 for it', () => {
  test('stays in cleanup, in the message of Ready and in an event, until the token sees it again', async () => {
    const harness = await inPlace();
    const show = hide(harness);
    await removeForum(harness);
    expect(harness.readiness).toBe('True InSync');
    expect(harness.condition('Ready')?.message).toContain(mayForward);
    expect(harness.status.cleanup).toMatchObject([{ kind: 'portal', id: forum, reason: 'PortalNotFound' }]);
    expect(harness.cluster.announcements).toMatchObject([{ type: 'Warning', reason: 'PortalNotFound' }]);
    show();
    expect(harness.portal(forum).enabled).toBe(true);
    await nextResync(harness);
    expect(harness.pointsAt(harness.portal(forum))).toBe('nothing off');
    expect(harness.status.cleanup).toBeUndefined();
    expect(harness.condition('Ready')?.message).not.toContain('404');
    expect(harness.reasons.at(-1)).toBe('WebhookDetached');
  });

  test('is given up after 24 hours, with an event, and costs nothing but reads until then', async () => {
    const harness = await inPlace();
    hide(harness);
    await removeForum(harness);
    harness.clearRecords();
    await nextResync(harness);
    expect(harness.cluster.writes).toBe(0);
    expect(harness.konnectWrites).toEqual([]);
    expect(harness.reasons).toEqual([]);
    harness.clock.ms += 24 * 3_600_000;
    await nextResync(harness);
    expect(harness.status.cleanup).toBeUndefined();
    expect(harness.condition('Ready')?.message).not.toContain('404');
    expect(harness.cluster.announcements).toMatchObject([{ type: 'Warning', reason: 'PortalNotFound' }]);
    expect(harness.cluster.announcements[0]?.note).toContain(`gave up portal ${forum}`);
  });

  test('is given up after 24 hours although the operator restarts in between, and not before', async () => {
    const harness = await inPlace();
    hide(harness);
    await removeForum(harness);
    const since = harness.status.cleanup?.[0]?.unseenSince;
    expect(since).toBe(new Date(harness.clock.ms).toISOString());
    harness.clock.ms += 23 * 3_600_000;
    harness.restart();
    await nextResync(harness);
    expect(harness.status.cleanup).toMatchObject([{ unseenSince: since }]);
    harness.clock.ms += 3_600_000;
    harness.restart();
    await harness.reconcile();
    expect(harness.status.cleanup).toBeUndefined();
    expect(harness.cluster.announcements.at(-1)?.note).toContain(`gave up portal ${forum}`);
  });

  test.each([
    ['set back by two days', -48, true],
    ['set back by an hour', -1, false],
    ['set forward by two days', 48, true],
  ])('after the clock of the operator was %s: given up = %p', async (_title, hours, isGivenUp) => {
    const harness = await inPlace();
    hide(harness);
    await removeForum(harness);
    harness.clock.jumpMs = hours * 3_600_000;
    await harness.reconcile();
    expect(harness.status.cleanup === undefined).toBe(isGivenUp);
  });

  test('stays in cleanup while the token may not read it, and the condition says so', async () => {
    const harness = await inPlace();
    const refused = harness.konnect.control.fail({
      kind: 'status',
      status: 403,
      match: { path: `/v3/portals/${forum}*` },
    });
    await removeForum(harness);
    expect(harness.readiness).toBe('False PermissionDenied Stalled');
    refused.remove();
    await nextResync(harness);
    expect(harness.pointsAt(harness.portal(forum))).toBe('nothing off');
  });

  test('is attached again if spec wants it again', async () => {
    const harness = await inPlace();
    const show = hide(harness);
    await removeForum(harness);
    show();
    harness.cluster.edit((spec) => ({ ...spec, portals: [...(usual.portals ?? [])] }));
    await harness.work();
    expect(harness.readiness).toBe('True InSync');
    expect(harness.status.cleanup).toBeUndefined();
    expect(harness.portal(forum).enabled).toBe(true);
  });

  test('is finished at once if the portal exists, and its webhook shows as 404 because nothing is attached', async () => {
    const harness = await inPlace(usual, { unconfiguredWebhook: 'not-found' });
    harness.portal(forum).target = { kind: 'none' };
    await removeForum(harness);
    expect(harness.status.cleanup).toBeUndefined();
    expect(harness.reasons).toEqual([]);
  });

  test('is finished by the deletion of the destination, which Konnect refuses while a webhook uses it', async () => {
    const harness = await inPlace();
    hide(harness);
    harness.delete();
    await harness.settle();
    expect(harness.cluster.object).toBeUndefined();
    expect(harness.destinations).toEqual([]);
    expect(harness.reasons).not.toContain('PortalNotFound');
  });

  test('does not keep a deletion waiting if the destination stays, but an event names it', async () => {
    const harness = await open({ ...usual, destinationRef: { name: 'theirs' } });
    harness.createForeign('theirs');
    await harness.settle();
    hide(harness);
    harness.clearRecords();
    harness.delete();
    await harness.settle();
    expect(harness.cluster.object).toBeUndefined();
    const about = harness.cluster.announcements.filter(({ reason }) => reason === 'PortalNotFound');
    expect(about).toMatchObject([{ type: 'Warning', note: expect.stringContaining(`gave up portal ${forum}`) }]);
  });
});
