/** What a forwarding asks for, worked out from its spec and Secrets. */
import { createHash } from 'node:crypto';
import type { AuditLogForwarding, AuditLogsAPI, PortalSpec } from '../api/v1alpha1.ts';
import type { DestinationBody } from '../konnect/schema.ts';
import type { Credentials } from './secrets.ts';

export interface Desired {
  readonly region: string;
  readonly api: AuditLogsAPI;
  readonly settings: DestinationBody;
  readonly secretVersion: string;
  readonly endpointDigest: string;
  /** False where only the organisation's webhook is wanted and v2 sends it inline. */
  readonly needsDestination: boolean;
  readonly organization: { readonly enabled: boolean } | undefined;
  readonly portals: readonly PortalSpec[];
}

const maxNameLength = 128;

export function desire(forwarding: AuditLogForwarding, credentials: Credentials, clusterName: string): Desired {
  const { spec, metadata } = forwarding;
  const portals = spec.portals ?? [];
  return {
    region: spec.konnect.region,
    api: spec.konnect.auditLogsAPI,
    settings: {
      name: spec.destination.name ?? defaultDestinationName(clusterName, metadata.namespace, metadata.name),
      endpoint: credentials.endpoint,
      authorization: credentials.authorization,
      logFormat: spec.destination.logFormat,
      skipSSLVerification: spec.destination.skipSSLVerification,
    },
    secretVersion: credentials.secretVersion,
    endpointDigest: endpointDigest(metadata.uid, credentials.endpoint),
    needsDestination: portals.length > 0 || (spec.organization !== undefined && spec.konnect.auditLogsAPI === 'v3'),
    organization: spec.organization,
    portals,
  };
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
