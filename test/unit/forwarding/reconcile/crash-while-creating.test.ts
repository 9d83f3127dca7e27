/** The process dies after any call of a creation, and spec is another one when the next process starts. */
import { expect, test } from '@jest/globals';
import type { Behavior } from '../../../../sandbox/konnect/behavior.ts';
import { type SpecChoice, specOf, usual } from '../../../support/forwarding-spec.ts';
import { forum, shop } from '../../../support/konnect-fixtures.ts';
import type { Harness } from '../support/harness.ts';
import { onlyDestination, useHarness } from '../support/use-harness.ts';

const { open } = useHarness();

/** Opens a forwarding and lets its process die after this call of the creation. Returns whether the creation needed fewer calls. */
async function crashed(call: number, behavior: Partial<Behavior>): Promise<{ harness: Harness; hadAllCalls: boolean }> {
  const harness = await open(usual, behavior);
  harness.crashAfter(call);
  await harness.reconcile().catch(() => undefined);
  const hadAllCalls = harness.outsideCalls < call;
  await harness.drain();
  return { harness, hadAllCalls };
}

/** Returns the destinations that the webhooks point at: of both portals and of the organization. */
function targets(harness: Harness): unknown[] {
  const webhooks = [harness.portal(shop), harness.portal(forum), harness.webhook()];
  return webhooks.map(({ target }) => (target.kind === 'destination' ? target.id : target.kind));
}

function edit(harness: Harness, choice: SpecChoice): void {
  harness.cluster.edit(() => specOf(choice));
}

const nothing = ['none', 'none', 'none'];
const changes: readonly [string, (harness: Harness) => void, (harness: Harness) => void][] = [
  [
    'nothing',
    () => undefined,
    (harness) => {
      const id = onlyDestination(harness);
      expect(targets(harness)).toEqual([id, id, id]);
    },
  ],
  [
    'fewer webhooks',
    (harness) => edit(harness, { portals: [{ id: forum, enabled: true }] }),
    (harness) => expect(targets(harness)).toEqual(['none', onlyDestination(harness), 'none']),
  ],
  [
    'a reference to another destination',
    (harness) => {
      const { id } = harness.createForeign('theirs');
      edit(harness, { ...usual, destinationRef: { id } });
    },
    (harness) => {
      const id = onlyDestination(harness);
      expect([targets(harness), harness.destinations]).toMatchObject([[id, id, id], [{ name: 'theirs' }]]);
    },
  ],
  [
    'version 2 without portals',
    (harness) => edit(harness, { api: 'v2', organization: { enabled: true } }),
    (harness) => expect([targets(harness), harness.destinations]).toEqual([['none', 'none', 'inline'], []]),
  ],
  [
    'a deletion',
    (harness) => harness.delete(),
    (harness) => {
      expect([targets(harness), harness.destinations]).toEqual([nothing, []]);
      expect(harness.cluster.objects.size).toBe(0);
    },
  ],
];

test.each(
  changes.flatMap(([what, change, check]) => [0, 25_000].map((staleListMs) => ({ what, staleListMs, change, check }))),
)('$what, with lists that are $staleListMs ms old', async ({ staleListMs, change, check }) => {
  for (let call = 1; ; call += 1) {
    const { harness, hadAllCalls } = await crashed(call, { staleListMs });
    change(harness);
    harness.restart();
    await harness.work();
    check(harness);
    expect(harness.konnectWrites.filter((one) => one.startsWith('POST')).length).toBeLessThanOrEqual(1);
    if (hadAllCalls) return;
  }
});
