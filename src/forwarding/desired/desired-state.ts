/** What a forwarding asks for, worked out from its spec and Secrets. */
import { createHash } from 'node:crypto';
import type { AuditLogForwarding, AuditLogsAPI, PortalSpec, Spec } from '../../api/v1alpha1.ts';
import type { DestinationBody } from '../../konnect/schema.ts';
import type { Problem } from '../problems.ts';
import type { Credentials } from './credentials.ts';

export interface DesiredState extends WantedPortals {
  readonly region: string;
  readonly api: AuditLogsAPI;
  /** The destination of our own; undefined where webhooks are attached to somebody else's. */
  readonly own: OwnDestination | undefined;
  readonly reference: { readonly id?: string | undefined; readonly name?: string | undefined } | undefined;
  /** False where only the organization's webhook is wanted and v2 sends it inline. */
  readonly usesDestination: boolean;
  readonly organization: { readonly enabled: boolean } | undefined;
  readonly adoptionPolicy: Spec['adoptionPolicy'];
}

export interface OwnDestination {
  readonly settings: DestinationBody;
  readonly secretVersion: string;
  readonly endpointDigest: string;
}

const maxNameLength = 128;

/** `credentials`: undefined where spec names a destination of somebody else's. */
export function desiredState(
  forwarding: AuditLogForwarding,
  credentials: Credentials | undefined,
  clusterName: string,
  wanted: WantedPortals,
): DesiredState {
  const { spec, metadata } = forwarding;
  const portals = wanted.portals.length + wanted.unresolved.length;
  return {
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
  };
}

/** The name that the forwarding's own destination has in Konnect; undefined where it has none of its own. */
export function destinationName({ metadata, spec }: AuditLogForwarding, clusterName: string): string | undefined {
  if (spec.destination === undefined) return undefined;
  return spec.destination.name ?? defaultDestinationName(clusterName, metadata.namespace, metadata.name);
}

/** `cluster/namespace/name`, the cluster where it has a name. A long one is cut and ends in ten hex digits of its hash. */
export function defaultDestinationName(clusterName: string, namespace: string, name: string): string {
  const whole = clusterName === '' ? `${namespace}/${name}` : `${clusterName}/${namespace}/${name}`;
  if (whole.length <= maxNameLength) return whole;
  const hash = createHash('sha256').update(whole).digest('hex').slice(0, 10);
  return `${whole.slice(0, maxNameLength - hash.length - 1)}-${hash}`;
}

/** Tells endpoints apart without showing them. The uid keeps digests of two resources from being compared. */
export function endpointDigest(uid: string, endpoint: string): string {
  return createHash('sha256').update(uid).update('\0').update(endpoint).digest('hex');
}

export interface WantedPortal extends PortalSpec {
  /** Where spec names it, such as `spec.portals[0]` or `spec.portalRefs[shop]`. */
  readonly field: string;
  /** The Portal object that its ID comes from. */
  readonly ref?: string | undefined;
  /** Kept as it is wanted although this is wrong. */
  readonly problem?: Problem | undefined;
}

export interface WantedPortals {
  /** Each portal once, in the order of spec. */
  readonly portals: readonly WantedPortal[];
  /** One for each entry of `spec.portalRefs` that no ID is known of. */
  readonly unresolved: readonly Problem[];
}
