import { destinationsOf, pointsAt, webhooksOf } from './konnect-snapshot.ts';
import type { Scenario } from './scenario.ts';
import type { SimulatedWorld } from './simulated-world.ts';

/** Objects of other clients and of the neighbor, which the operator must not change. */
export interface ForeignObjects {
  readonly destinations: ReadonlyMap<string, { readonly name: string; readonly text: string }>;
  /** Webhooks that must keep their target. */
  readonly webhooks: ReadonlyMap<string, string>;
}

/** Records the present objects of other clients and of the neighbor. */
export function snapshotForeign(world: SimulatedWorld, { after }: Scenario): ForeignObjects {
  const webhooks = webhooksOf(world).filter((one) => {
    const is = pointsAt(one);
    return is !== 'nothing off' && (after[one.name] ?? is) === is;
  });
  return {
    destinations: new Map(
      destinationsOf(world).map(({ destination }) => [
        destination.id,
        { name: destination.name, text: JSON.stringify(destination) },
      ]),
    ),
    webhooks: new Map(webhooks.map(({ name, webhook }) => [name, JSON.stringify(webhook)])),
  };
}
