/** The ports of the domain: every call to Kubernetes and Konnect. A test can count the calls and let each of them fail. */
import type { AuditLogForwarding, Status } from '../api/v1alpha1.ts';
import type { KonnectClient } from '../konnect/client.ts';
import type { KonnectAccess } from '../konnect/session/konnect-access.ts';

export interface Secret {
  readonly uid: string;
  readonly resourceVersion: string;
  /** Values in base64, as the API server returns them. */
  readonly data: Readonly<Record<string, string>>;
}

/** A Portal of kong-operator: what its status says about the Dev Portal in Konnect. */
export type PortalObject =
  | {
      readonly kind: 'portal';
      /** A UUID in lower case. Undefined until the Dev Portal is created. */
      readonly id?: string | undefined;
      readonly organizationID?: string | undefined;
      /** The address of Konnect's API: a URL, or only a host. */
      readonly serverURL?: string | undefined;
    }
  | { readonly kind: 'absent' }
  /** The cluster does not serve this kind. */
  | { readonly kind: 'unserved' }
  | { readonly kind: 'forbidden' }
  /** The API server fails to return it. */
  | { readonly kind: 'unreadable'; readonly retryAfterMs?: number | undefined };

/** A KonnectAPIAuthConfiguration of kong-operator: where it has the token. `serverURL` is a URL, or only a host. */
export type AuthConfiguration =
  | { readonly kind: 'token'; readonly token: string; readonly serverURL?: string | undefined }
  | {
      readonly kind: 'secret';
      readonly name: string;
      /** Undefined for the namespace of the object itself. */
      readonly namespace?: string | undefined;
      readonly serverURL?: string | undefined;
    }
  /** It names no source that the operator knows. */
  | { readonly kind: 'empty'; readonly serverURL?: string | undefined }
  | { readonly kind: 'absent' }
  /** The cluster does not serve this kind. */
  | { readonly kind: 'unserved' }
  | { readonly kind: 'forbidden' };

export interface KubernetesEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  /** One word for what the operator did. */
  readonly action: string;
  readonly note: string;
}

/** What a forwarding names in Kubernetes. Reads reject with KubeError. */
export interface ClusterReads {
  readSecret(namespace: string, name: string, signal: AbortSignal): Promise<Secret | 'absent' | 'forbidden'>;
  readPortal(namespace: string, name: string, signal: AbortSignal): Promise<PortalObject>;
  readAuthConfiguration(namespace: string, name: string, signal: AbortSignal): Promise<AuthConfiguration>;
}

/**
 * Kubernetes. A write carries the uid and resourceVersion of the object that was read, so that the API server refuses a stale write.
 * Reads and writes reject with KubeError.
 */
export interface Cluster extends ClusterReads {
  addFinalizer(forwarding: AuditLogForwarding, signal: AbortSignal): Promise<AuditLogForwarding>;
  removeFinalizer(forwarding: AuditLogForwarding, signal: AbortSignal): Promise<void>;
  /** Replaces the whole status. */
  writeStatus(forwarding: AuditLogForwarding, status: Status, signal: AbortSignal): Promise<AuditLogForwarding>;
  /** Never fails and never waits. */
  recordEvent(forwarding: AuditLogForwarding, event: KubernetesEvent): void;
}

/** Konnect with one token. Every method rejects only with KonnectError. */
export interface Konnect extends Pick<KonnectAccess, 'organization' | 'destinations' | 'destinationsIfMany'> {
  readonly client: Omit<KonnectClient, 'organization' | 'listDestinations'>;
}
