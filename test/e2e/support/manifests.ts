/** Manifests as users write them. */
import { apiVersion, kind } from '../../../src/api/v1alpha1.ts';
import type { Manifest } from '../../support/kube-api.ts';

export function secret(name: string, stringData: Readonly<Record<string, string>>): Manifest & { stringData: object } {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData };
}

export interface ForwardingManifest extends Manifest {
  readonly spec: object;
}

/**
 * Returns the smallest forwarding: Secrets `konnect` and `sumologic`, region us. The fields of `spec` replace those of the smallest one. Without
 * portals or an organization in `spec`, it forwards nothing.
 */
export function forwarding(name: string, spec: Readonly<Record<string, unknown>>): ForwardingManifest {
  return {
    apiVersion,
    kind,
    metadata: { name },
    spec: {
      konnect: { region: 'us', tokenSecretRef: { name: 'konnect' } },
      destination: { secretRef: { name: 'sumologic' } },
      ...spec,
    },
  };
}
