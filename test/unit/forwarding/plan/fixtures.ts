import type { DesiredState, OwnDestination } from '../../../../src/forwarding/desired/desired-state.ts';
import type {
  ObservedDestination,
  SeenDestination,
  SeenWebhook,
} from '../../../../src/forwarding/observed/observed-state.ts';
import { type Ownership, uncontested } from '../../../../src/forwarding/ownership/ownership.ts';

export const nowMs = Date.parse('2026-06-01T00:00:00Z');
/** What a plan is made with besides its input: no other forwarding, and a time. */
export const clock = {
  ageMs: (time: string) => nowMs - Date.parse(time),
  pendingCreationTimeoutMs: 30_000,
  ownership: uncontested,
};
/** Times before and after the end of the wait for a pending creation. */
export const longAgo = '2026-01-01T00:00:00Z';
export const justNow = '2026-05-31T23:59:45Z';

export function desiredOf(over: Partial<DesiredState> = {}): DesiredState {
  return {
    forwardingName: 'platform/sumologic',
    region: 'us',
    api: 'v3',
    own: ownWith(),
    reference: undefined,
    usesDestination: true,
    organization: undefined,
    portals: [{ id: 'p1', enabled: true, field: 'spec.portals[0]' }],
    unresolved: [],
    adoptionPolicy: 'Never',
    ...over,
  };
}

export function ownWith({
  name = 'n',
  endpointDigest = 'e1',
  secretVersion = 's1',
  endpointHoldsSecret = true,
} = {}): OwnDestination {
  const settings = {
    name,
    endpoint: 'https://e',
    authorization: 'a',
    logFormat: 'cef',
    skipSSLVerification: false,
  } as const;
  return { settings, endpointDigest, secretVersion, endpointHoldsSecret, isSuspicious: false };
}

export const ours: SeenDestination = {
  id: 'D',
  name: 'n',
  endpointDigest: 'e1',
  endpointHoldsSecret: true,
  isSuspicious: false,
  logFormat: 'cef',
  skipSSLVerification: false,
  updatedAt: longAgo,
};
export const ownDestination = { id: 'D', name: 'n', managed: true, secretVersion: 's1', updatedAt: longAgo };
export const creating = { name: 'n', since: justNow, secretVersion: 's1', endpointDigest: 'e1' };

export function known(over: Partial<Extract<ObservedDestination, { kind: 'known' }>> = {}): ObservedDestination {
  return { kind: 'known', ours: undefined, named: [], sameNameAsPending: [], ...over };
}

export function attachedTo(destinationID: string, enabled = true, destinationExists = true): SeenWebhook {
  return { kind: 'attached', destinationID, enabled, destinationExists };
}

export const inline = {
  kind: 'inline',
  endpointDigest: 'e1',
  enabled: true,
  logFormat: 'cef',
  skipSSLVerification: false,
  updatedAt: longAgo,
} satisfies SeenWebhook;

/** Returns an ownership in which another forwarding owns or hands over these webhooks, and perhaps owns the name. */
export function rivalsWith({
  held,
  yielded,
  nameIsHeld,
}: {
  held: string[];
  yielded: string[];
  nameIsHeld: boolean;
}): Ownership {
  return {
    webhook(which) {
      const place = which.kind === 'portal' ? which.id : 'organization';
      if (held.includes(place)) return { kind: 'held', by: 'n/rival' };
      return yielded.includes(place) ? { kind: 'yielded', by: 'n/rival' } : { kind: 'free' };
    },
    destination: () => (nameIsHeld ? { kind: 'held', by: 'n/rival' } : { kind: 'free' }),
  };
}
