/** Audit logs that are not delivered, and their replay. */
import { clearWebhook, deliveryTarget, recordAttempt } from '../../../sandbox/konnect/model/webhooks.ts';
import type { Webhook } from '../../../sandbox/konnect/model.ts';
import { replayAnnotation } from '../../../src/api/v1alpha1.ts';
import { key, type SpecChoice } from '../../support/forwarding-spec.ts';
import { otherSiem, shop } from '../../support/konnect-fixtures.ts';
import type { Scenario } from '../scenario.ts';
import type { SimulatedWorld } from '../simulated-world.ts';
import { inline, inlineOn, ownDestination, shopOnly } from './common.ts';

const replayed: SpecChoice = { ...shopOnly, gapRecovery: 'Replay' };

/** Konnect delivers nothing from a webhook that is off or has no target. */
function attempt(world: SimulatedWorld, code: number, webhook: Webhook = world.portal(shop)): void {
  if (!webhook.enabled || deliveryTarget(world.organization(), webhook) === undefined) return;
  recordAttempt(world.konnect, webhook, { at: new Date(world.clock.ms), code, message: '', ok: code < 300 });
  world.told(`the SIEM answers ${String(code)}`);
}

/** Delivers if a gap or a replay waits for that. */
function deliverIfAwaited(world: SimulatedWorld, which: string, webhook: Webhook): void {
  const { state, gap } = world.statusOf(key).delivery?.find((one) => one.key === which) ?? {};
  if (state !== 'Delivered' || (gap !== undefined && gap.to === undefined)) attempt(world, 200, webhook);
}

/** The last delivery before everything else, which status knows. */
async function deliverFirst(world: SimulatedWorld): Promise<void> {
  attempt(world, 200);
  await world.resync();
}

const done = {
  after: { 'blue/shop': `${key} on` },
  destinations: ownDestination,
  replayed: ['blue/shop'],
  traffic: (world: SimulatedWorld) => deliverIfAwaited(world, shop, world.portal(shop)),
  resyncsBeforeRest: 4,
};

export const replays: readonly Scenario[] = [
  {
    title: 'replay',
    deletable: true,
    before: replayed,
    prepare: deliverFirst,
    change: (world) => attempt(world, 503),
    later: [(world) => attempt(world, 200)],
    ...done,
  },
  {
    title: 'replay-v2',
    deletable: true,
    behavior: { replayTimes: 'with-offset' },
    before: { ...inline, gapRecovery: 'Replay' },
    async prepare(world) {
      attempt(world, 200, world.webhook());
      await world.resync();
    },
    change: (world) => attempt(world, 503, world.webhook()),
    later: [(world) => attempt(world, 200, world.webhook())],
    after: { 'blue/us': inlineOn },
    destinations: [],
    replayed: ['blue/us'],
    traffic: (world) => deliverIfAwaited(world, 'organization', world.webhook()),
    resyncsBeforeRest: 4,
  },
  {
    title: 'replay-twice',
    before: replayed,
    behavior: { replayDurationMs: 11 * 60_000 },
    prepare: deliverFirst,
    change: (world) => attempt(world, 503),
    later: [(world) => attempt(world, 200), (world) => attempt(world, 503), (world) => attempt(world, 200)],
    ...done,
  },
  {
    title: 'replay-after-drift',
    deletable: true,
    before: replayed,
    prepare: deliverFirst,
    change: (world) => clearWebhook(world.konnect, world.organization(), world.portal(shop)),
    later: [(world) => attempt(world, 200)],
    ...done,
  },
  {
    title: 'replay-after-suspend',
    before: replayed,
    async prepare(world) {
      await deliverFirst(world);
      world.edit({ ...replayed, suspend: true });
      await world.work();
    },
    change(world) {
      clearWebhook(world.konnect, world.organization(), world.portal(shop));
      world.edit(replayed);
    },
    later: [(world) => attempt(world, 200)],
    ...done,
  },
  {
    title: 'replay-after-rotation',
    deletable: true,
    before: replayed,
    prepare: deliverFirst,
    change(world) {
      attempt(world, 401);
      world.putSecret('siem', otherSiem);
    },
    later: [(world) => attempt(world, 200)],
    ...done,
  },
  {
    title: 'replay-by-hand',
    deletable: true,
    before: shopOnly,
    prepare: deliverFirst,
    change: (world) => world.annotate(replayAnnotation, '2026-01-02T02:00:00Z/2026-01-02T03:00:00Z'),
    ...done,
  },
];
