import { AuditLogForwarding, apiVersion, type CleanupStatus, kind, type Status } from '../../../../src/api/v1alpha1.ts';
import { destinationName } from '../../../../src/forwarding/desired/desired-state.ts';
import { type SpecChoice, specOf } from '../../../support/forwarding-spec.ts';
import { shop } from '../../../support/konnect-fixtures.ts';

export const organizationID = 'o';
export const wantsPortal: SpecChoice = { portals: [{ id: shop, enabled: true }] };
export const wantsBoth: SpecChoice = { ...wantsPortal, organization: { enabled: true } };

export interface Sketch {
  /** The smaller, the older. */
  readonly age: number;
  readonly spec?: SpecChoice;
  readonly status?: Status;
  readonly deleted?: boolean;
}

export function forwarding(
  name: string,
  { age, spec = wantsPortal, status = {}, deleted = false }: Sketch,
): AuditLogForwarding {
  return AuditLogForwarding.parse({
    apiVersion,
    kind,
    metadata: {
      namespace: 'n',
      name,
      uid: `uid-${name}`,
      resourceVersion: '1',
      creationTimestamp: `2026-01-0${String(age)}T00:00:00Z`,
      ...(deleted ? { deletionTimestamp: '2026-02-01T00:00:00Z', finalizers: ['x'] } : {}),
    },
    spec: specOf(spec),
    status: { konnect: { organizationID, region: 'us' }, ...status },
  });
}

export function attached(destinationID: string, state: 'on' | 'pending' | 'refused' = 'on'): Status {
  return { portals: [{ id: shop, destinationID, enabled: true, state }] };
}

export function stalledBy(reason: string): Status {
  return {
    conditions: [{ type: 'Stalled', status: 'True', reason, message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }],
  };
}

export const cleanup: CleanupStatus = {
  organizationID,
  region: 'us',
  api: 'v3',
  kind: 'portal',
  id: shop,
  destinationID: 'B',
};

/** What a webhook of v2 looks like in status after it was attached. */
export const inlineOn: Status = { organization: { api: 'v2', endpointDigest: 'x', enabled: true, state: 'on' } };

/** Returns the forwarding `self` beside others, as the decision about an owner sees them. */
export function contest(self: Sketch, others: Readonly<Record<string, Sketch>>) {
  const me = forwarding('a', self);
  const all = [me, ...Object.entries(others).map(([name, sketch]) => forwarding(name, sketch))];
  return { self: me, all, organizationID, destinationName: (one: AuditLogForwarding) => destinationName(one, '') };
}
