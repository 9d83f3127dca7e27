/** What users write. */
import { apiVersion, kind } from '../../../src/api/v1alpha1.ts';

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
}

export function secret(name: string, stringData: Readonly<Record<string, string>>): Manifest & { stringData: object } {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData };
}

export interface ForwardingManifest extends Manifest {
  readonly spec: object;
}

/** The smallest forwarding, to Secrets `konnect` and `sumologic` in region us, with `spec` over it. It forwards nothing until `spec` says what. */
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
