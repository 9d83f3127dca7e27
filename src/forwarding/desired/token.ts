/** Finds the Konnect token of a forwarding: in a Secret that spec names, or by a KonnectAPIAuthConfiguration of kong-operator. */
import type { AuditLogForwarding } from '../../api/v1alpha1.ts';
import type { AuthConfiguration, ClusterReads } from '../ports.ts';
import { type Problem, reasons, stalled, waiting } from '../problems.ts';
import { type Resolved, validated, valueOf } from './credentials.ts';
import { checkToken } from './secret-values.ts';
import { regionOf } from './server-url.ts';

const field = 'spec.konnect.authRef';
/** The key that kong-operator reads in a Secret. */
export const keyOfKongOperator = 'token';

/** Returns where the Konnect token is, for messages. */
export function tokenSource({ spec }: AuditLogForwarding): string {
  const { tokenSecretRef, authRef } = spec.konnect;
  return tokenSecretRef === undefined
    ? `KonnectAPIAuthConfiguration ${authRef?.name ?? ''}`
    : `Secret ${tokenSecretRef.name}, key ${tokenSecretRef.key}`;
}

/** Returns what forwardings with the same token have in common: the namespace and the place of the token. */
export function tokenPlace(forwarding: AuditLogForwarding): string {
  return `${forwarding.metadata.namespace}/${tokenSource(forwarding)}`;
}

/** Returns `namespace/name` of the KonnectAPIAuthConfiguration that a forwarding names, if it names one. */
export function authConfigurationsOf({ metadata, spec }: AuditLogForwarding): readonly string[] {
  const { authRef } = spec.konnect;
  return authRef === undefined ? [] : [`${metadata.namespace}/${authRef.name}`];
}

/** Returns the Konnect token, or the problem with its source. Rejects with KubeError if the source cannot be read. */
export async function resolveToken(
  forwarding: AuditLogForwarding,
  cluster: ClusterReads,
  signal: AbortSignal,
): Promise<Resolved<string>> {
  const { namespace } = forwarding.metadata;
  const { tokenSecretRef, authRef } = forwarding.spec.konnect;
  if (tokenSecretRef !== undefined) {
    const secret = await cluster.readSecret(namespace, tokenSecretRef.name, signal);
    return valueOf(secret, { ...tokenSecretRef, field: 'spec.konnect.tokenSecretRef' }, checkToken);
  }
  const name = authRef?.name ?? '';
  const configuration = await cluster.readAuthConfiguration(namespace, name, signal);
  const problem = problemOf(configuration, forwarding, name);
  if (problem !== undefined) return { kind: 'problem', problem };
  if (configuration.kind === 'token')
    return validated(checkToken(Buffer.from(configuration.token)), `KonnectAPIAuthConfiguration ${name}, token`);
  if (configuration.kind !== 'secret') {
    const message = `KonnectAPIAuthConfiguration ${name} has neither a token nor the name of a Secret: set spec.token or spec.secretRef there`;
    return { kind: 'problem', problem: waiting(reasons.secretNotFound, message) };
  }
  if (configuration.namespace !== undefined && configuration.namespace !== namespace) {
    const message = `the operator does not read Secret ${configuration.name}, named by KonnectAPIAuthConfiguration ${name}, because it is in namespace ${configuration.namespace}: name a Secret of this namespace there, or use spec.konnect.tokenSecretRef`;
    return { kind: 'problem', problem: stalled(reasons.secretForbidden, message) };
  }
  const secret = await cluster.readSecret(namespace, configuration.name, signal);
  return valueOf(
    secret,
    { name: configuration.name, key: keyOfKongOperator, field: `KonnectAPIAuthConfiguration ${name}` },
    checkToken,
  );
}

function problemOf(
  configuration: AuthConfiguration,
  forwarding: AuditLogForwarding,
  name: string,
): Problem | undefined {
  switch (configuration.kind) {
    case 'absent':
      return waiting(
        reasons.authRefNotFound,
        `KonnectAPIAuthConfiguration ${name}, named by ${field}, does not exist in this namespace: create it, or correct the name`,
      );
    case 'unserved':
      return stalled(
        reasons.authRefNotServed,
        `the operator cannot read KonnectAPIAuthConfiguration ${name}, named by ${field}, because this cluster does not serve konnectapiauthconfigurations of konnect.konghq.com/v1alpha1: install the CRDs of kong-operator, or set spec.konnect.tokenSecretRef instead`,
      );
    case 'forbidden':
      return stalled(
        reasons.authRefForbidden,
        `the operator may not read KonnectAPIAuthConfiguration ${name}, named by ${field}: set the value authRefs of the chart to true, or allow its ServiceAccount to get konnectapiauthconfigurations.konnect.konghq.com in this namespace`,
      );
    case 'token':
    case 'secret':
    case 'empty':
      return mismatch(configuration.serverURL, forwarding, name);
  }
}

/** Returns the problem if the KonnectAPIAuthConfiguration is for another region. */
function mismatch(
  serverURL: string | undefined,
  { metadata, spec }: AuditLogForwarding,
  name: string,
): Problem | undefined {
  const region = regionOf(serverURL);
  const wanted = spec.konnect.region;
  // A token is valid in every region, so a deletion does not depend on this.
  const isDeleted = metadata.deletionTimestamp !== undefined;
  if (isDeleted || region === undefined || region === wanted) return undefined;
  return stalled(
    reasons.authRefMismatch,
    `KonnectAPIAuthConfiguration ${name}, named by ${field}, is for region ${region}, but spec.konnect.region is ${wanted}: name a KonnectAPIAuthConfiguration for region ${wanted}, or set spec.konnect.region to ${region}`,
  );
}
