import { type DestinationState, pointsAt, type WebhookState } from './konnect-snapshot.ts';
import type { SimulatedWorld } from './simulated-world.ts';

/** Returns what two equal states have in common. */
export function digestOf(
  world: SimulatedWorld,
  title: string,
  webhooks: readonly WebhookState[],
  destinations: readonly DestinationState[],
): string {
  const objects = [...world.kubernetes.objects].map(([of, { metadata, status }]) => {
    const { destination, portals, organization, cleanup } = status;
    const creating = destination?.creating !== undefined;
    const readiness = world.readinessOf(of);
    return [
      of,
      metadata.finalizers.length,
      metadata.deletionTimestamp !== undefined,
      creating,
      destination?.id,
      portals,
      organization?.state,
      organization?.api,
      organization?.destinationID,
      cleanup,
      readiness,
    ];
  });
  return JSON.stringify([
    title,
    webhooks.map((one) => [one.name, one.webhook.target, one.webhook.enabled]),
    destinations.map(({ destination }) => [
      destination.id,
      destination.name,
      destination.endpoint,
      destination.authorization,
    ]),
    objects,
  ]);
}

/** Returns a state of Konnect as a line of the history. */
export function stateInWords(webhooks: readonly WebhookState[], destinations: readonly DestinationState[]): string {
  const pointed = webhooks
    .filter((one) => pointsAt(one) !== 'nothing off')
    .map((one) => `${one.name} → ${pointsAt(one)}`);
  return `${pointed.join(', ')}; destinations: ${destinations.map(({ name, destination }) => `${name} (${destination.id.slice(0, 8)})`).join(', ')}`;
}
