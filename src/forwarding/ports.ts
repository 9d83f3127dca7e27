/** What the domain asks of the world. `operator.ts` hands the real things in; a test may count the calls and break any of them. */
import type { AuditLogForwarding, Status } from '../api/v1alpha1.ts';
import type { KonnectClient } from '../konnect/client.ts';
import type { KonnectAccess } from '../konnect/session/konnect-access.ts';

export interface Secret {
  readonly uid: string;
  readonly resourceVersion: string;
  /** Values in base64, as Kubernetes hands them out. */
  readonly data: Readonly<Record<string, string>>;
}

/** A Portal of kong-operator, as far as its status tells where in Konnect the Dev Portal stands. */
export type PortalObject =
  | {
      readonly kind: 'portal';
      /** A UUID in lower case; undefined as long as the Dev Portal is not made. */
      readonly id?: string | undefined;
      readonly organizationID?: string | undefined;
      /** Of Konnect's API: a URL, or a host alone. */
      readonly serverURL?: string | undefined;
    }
  | { readonly kind: 'absent' }
  /** The cluster has no such kind. */
  | { readonly kind: 'unserved' }
  | { readonly kind: 'forbidden' }
  /** The API server is in trouble with it. */
  | { readonly kind: 'unreadable'; readonly retryAfterMs?: number | undefined };

export interface KubernetesEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  /** What the operator did, in a word. */
  readonly action: string;
  readonly note: string;
}

/** Kubernetes. Writes carry the uid and resourceVersion of what was read, so that a stale one is refused. They reject with KubeError. */
export interface Cluster {
  readSecret(namespace: string, name: string, signal: AbortSignal): Promise<Secret | 'absent' | 'forbidden'>;
  readPortal(namespace: string, name: string, signal: AbortSignal): Promise<PortalObject>;
  addFinalizer(forwarding: AuditLogForwarding, signal: AbortSignal): Promise<AuditLogForwarding>;
  removeFinalizer(forwarding: AuditLogForwarding, signal: AbortSignal): Promise<void>;
  /** Replaces the whole status. */
  writeStatus(forwarding: AuditLogForwarding, status: Status, signal: AbortSignal): Promise<AuditLogForwarding>;
  /** Never fails and never waits. */
  recordEvent(forwarding: AuditLogForwarding, announcement: KubernetesEvent): void;
}

/** Konnect, seen with one token. Every method rejects with KonnectError alone. */
export interface Konnect extends Pick<KonnectAccess, 'organization' | 'destinations'> {
  readonly client: Omit<KonnectClient, 'organization' | 'listDestinations'>;
}
