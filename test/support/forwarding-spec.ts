/** Builds specs of forwardings from the choices of a test. */
import type { Spec } from '../../src/api/v1alpha1.ts';
import { forum, shop } from './konnect-fixtures.ts';

export interface SpecChoice {
  readonly region?: string;
  readonly api?: 'v2' | 'v3';
  readonly organization?: { readonly enabled: boolean };
  readonly portals?: readonly { readonly id: string; readonly enabled: boolean }[];
  readonly portalRefs?: readonly { readonly name: string; readonly enabled: boolean }[];
  readonly deletionPolicy?: 'Delete' | 'Retain';
  readonly adoptionPolicy?: Spec['adoptionPolicy'];
  readonly mode?: Spec['mode'];
  readonly suspend?: boolean;
  readonly interval?: string;
  readonly gapRecovery?: 'None' | 'Report' | 'Replay';
  readonly verification?: Spec['verification'];
  /** Replaces `destination`. */
  readonly destinationRef?: Spec['destinationRef'];
  /** The name of the destination in Konnect. */
  readonly name?: string;
  readonly authorizationScheme?: string;
  readonly logFormat?: 'cef' | 'json' | 'cps';
  /** Names of the Secrets. */
  readonly token?: string;
  readonly siem?: string;
}

export function specOf(choice: SpecChoice): Spec {
  const { region = 'us', api = 'v3', organization, portals, destinationRef, name, authorizationScheme } = choice;
  return {
    konnect: { region, tokenSecretRef: { name: choice.token ?? 'konnect', key: 'token' }, auditLogsAPI: api },
    ...(destinationRef === undefined
      ? {
          destination: {
            secretRef: {
              name: choice.siem ?? 'siem',
              endpointKey: 'endpoint',
              authorizationKey: 'authorization',
            },
            logFormat: choice.logFormat ?? 'cef',
            skipSSLVerification: false,
            ...(name === undefined ? {} : { name }),
            ...(authorizationScheme === undefined ? {} : { authorizationScheme }),
          },
        }
      : { destinationRef: { ...destinationRef } }),
    ...(organization === undefined ? {} : { organization: { ...organization } }),
    ...(portals === undefined ? {} : { portals: portals.map((portal) => ({ ...portal })) }),
    ...(choice.portalRefs === undefined ? {} : { portalRefs: choice.portalRefs.map((ref) => ({ ...ref })) }),
    adoptionPolicy: choice.adoptionPolicy ?? 'IfMatching',
    mode: choice.mode ?? 'Enforce',
    suspend: choice.suspend ?? false,
    ...(choice.gapRecovery === undefined ? {} : { gapRecovery: { mode: choice.gapRecovery } }),
    ...(choice.verification === undefined ? {} : { verification: structuredClone(choice.verification) }),
    deletionPolicy: choice.deletionPolicy ?? 'Delete',
    interval: choice.interval ?? '10m',
  };
}

/** Returns `destination` of a spec. Throws if the spec has none. */
export function own({ destination }: Spec): NonNullable<Spec['destination']> {
  if (destination === undefined) throw new TypeError('spec has no destination');
  return destination;
}

/** The organization and two portals. */
export const usual: SpecChoice = {
  organization: { enabled: true },
  portals: [
    { id: shop, enabled: true },
    { id: forum, enabled: true },
  ],
};

/** Namespace and name of the forwarding of most tests. */
export const key = 'platform/sumologic';
