/** Computes what a forwarding wants in Konnect, from its spec and Secrets. Pure. */
import { createHash } from 'node:crypto';
import type { AuditLogForwarding, AuditLogsAPI, PortalSpec, Spec } from '../../api/v1alpha1.ts';
import type { DestinationBody } from '../../konnect/schema.ts';
import type { DesiredScope } from '../../status/recorded-state.ts';
import type { Problem } from '../problems.ts';
import type { Credentials } from './credentials.ts';
import { holdsSecret, lacksCode } from './endpoint-secret.ts';

export interface DesiredState extends WantedPortals {
  /** `namespace/name` of the forwarding. */
  readonly forwardingName: string;
  readonly region: string;
  readonly api: AuditLogsAPI;
  /** The destination that the operator creates. Undefined if spec refers to an existing one. */
  readonly own: OwnDestination | undefined;
  readonly reference: { readonly id?: string | undefined; readonly name?: string | undefined } | undefined;
  /** False if spec wants only the organization's webhook, and v2 sends its endpoint inline. */
  readonly usesDestination: boolean;
  readonly organization: { readonly enabled: boolean } | undefined;
  readonly adoptionPolicy: Spec['adoptionPolicy'];
}

export interface OwnDestination {
  readonly settings: DestinationBody;
  readonly secretVersion: string;
  readonly endpointDigest: string;
  /** True if the endpoint itself holds a secret, so that only those who were given it know it. */
  readonly endpointHoldsSecret: boolean;
  /** True for the URL of a SumoLogic source that wants a header which Konnect cannot send. */
  readonly isSuspicious: boolean;
}

const maxNameLength = 128;

/** Returns what a forwarding wants. `credentials` is undefined if spec refers to an existing destination. */
export function desiredState(
  forwarding: AuditLogForwarding,
  credentials: Credentials | undefined,
  clusterName: string,
  wanted: WantedPortals,
): DesiredState {
  const { spec, metadata } = forwarding;
  const portals = wanted.portals.length + wanted.unresolved.length;
  return {
    forwardingName: `${metadata.namespace}/${metadata.name}`,
    region: spec.konnect.region,
    api: spec.konnect.auditLogsAPI,
    own: ownDestination(forwarding, credentials, metadata.uid, clusterName),
    reference: spec.destinationRef,
    usesDestination: portals > 0 || (spec.organization !== undefined && spec.konnect.auditLogsAPI === 'v3'),
    organization: spec.organization,
    ...wanted,
    adoptionPolicy: spec.adoptionPolicy,
  };
}

/** Returns true if the operator has to create and keep a destination. */
export function needsOwn({ own, usesDestination }: DesiredState): boolean {
  return own !== undefined && usesDestination;
}

/** Returns what decides about `cleanup`, for a token of this organization. */
export function scopeOf(desired: DesiredState, organizationID: string): DesiredScope {
  return { ...desired, needsOwn: needsOwn(desired), organizationID };
}

function ownDestination(
  forwarding: AuditLogForwarding,
  credentials: Credentials | undefined,
  uid: string,
  clusterName: string,
): OwnDestination | undefined {
  const { destination } = forwarding.spec;
  if (destination === undefined || credentials === undefined) return undefined;
  return {
    settings: {
      name: destinationName(forwarding, clusterName) ?? '',
      endpoint: credentials.endpoint,
      authorization: credentials.authorization,
      logFormat: destination.logFormat,
      skipSSLVerification: destination.skipSSLVerification,
    },
    secretVersion: credentials.secretVersion,
    endpointDigest: endpointDigest(uid, credentials.endpoint),
    endpointHoldsSecret: holdsSecret(credentials.endpoint),
    isSuspicious: lacksCode(credentials.endpoint),
  };
}

/** Returns the name of the destination that the operator creates, or undefined if spec refers to an existing one. */
export function destinationName({ metadata, spec }: AuditLogForwarding, clusterName: string): string | undefined {
  if (spec.destination === undefined) return undefined;
  return spec.destination.name ?? defaultDestinationName(clusterName, metadata.namespace, metadata.name);
}

/**
 * Returns `cluster/namespace/name`, or `namespace/name` if the cluster has no name. A name that is too long is cut and ends in ten hex
 * digits of its hash.
 */
export function defaultDestinationName(clusterName: string, namespace: string, name: string): string {
  const whole = clusterName === '' ? `${namespace}/${name}` : `${clusterName}/${namespace}/${name}`;
  if (whole.length <= maxNameLength) return whole;
  const hash = createHash('sha256').update(whole).digest('hex').slice(0, 10);
  return `${whole.slice(0, maxNameLength - hash.length - 1)}-${hash}`;
}

/** Returns a hash that tells endpoints apart without showing them. With the uid, digests of two forwardings cannot be compared. */
export function endpointDigest(uid: string, endpoint: string): string {
  const url = URL.parse(endpoint)?.href ?? endpoint;
  return createHash('sha256').update(uid).update('\0').update(url).digest('hex');
}

export interface WantedPortal extends PortalSpec {
  /** The field of spec that names it, such as `spec.portals[0]` or `spec.portalRefs[shop]`. */
  readonly field: string;
  /** The Portal object that its ID comes from. */
  readonly ref?: string | undefined;
  /** A problem with its entry in spec. The operator keeps the webhook all the same. */
  readonly problem?: Problem | undefined;
}

export interface WantedPortals {
  /** Each portal once, in the order of spec. */
  readonly portals: readonly WantedPortal[];
  /** One problem for each entry of `spec.portalRefs` whose ID is unknown. */
  readonly unresolved: readonly Problem[];
}
