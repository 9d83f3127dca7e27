import type { Behavior } from '../../sandbox/konnect/behavior.ts';

/** What Konnect's documents leave open, in the less convenient way. */
export const inconvenient = {
  unconfiguredWebhook: 'not-found',
  duplicateNames: 'allowed',
  patchAnswersUpdatedAt: false,
  unknownDestination: 400,
  portalDeleteConflict: true,
  firstUpdatedAt: 'zero',
  shownEndpoints: 'canonical',
} as const satisfies Partial<Behavior>;

/** Less convenient variants of behavior. Every scenario also runs with each of them. */
export const behaviors = {
  /** Konnect lets clients make mistakes. */
  lenient: { usedDestination: 'deleted', duplicateNames: 'allowed' },
  harsh: { ...inconvenient, releaseDelayMs: 20_000 },
  /** The host `global` does not serve single destinations. A gateway answers that it has no such route. */
  'regional-v3': { destinationItems: 'region-v3', unservedDestinationItem: 'no-route' },
  /** Likewise, and Konnect itself answers 404. */
  'regional-v2': { destinationItems: 'region-v2', unservedDestinationItem: 'problem' },
} as const satisfies Readonly<Record<string, Partial<Behavior>>>;
export type BehaviorName = keyof typeof behaviors;

export const behaviorNames = [
  'lenient',
  'harsh',
  'regional-v3',
  'regional-v2',
] as const satisfies readonly BehaviorName[];

export function isBehaviorName(text: string): text is BehaviorName {
  return behaviorNames.some((name) => name === text);
}
