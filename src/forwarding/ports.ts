/** What the domain asks of the world. `operator.ts` hands the real things in; a test may count the calls and break any of them. */
import type { AuditLogForwarding, Status } from '../api/v1alpha1.ts';
import type { KonnectAccess } from '../konnect/access.ts';
import type { KonnectClient } from '../konnect/client.ts';

export interface Secret {
  readonly uid: string;
  readonly resourceVersion: string;
  /** Values in base64, as Kubernetes hands them out. */
  readonly data: Readonly<Record<string, string>>;
}

export interface Announcement {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  /** What the operator did, in a word. */
  readonly action: string;
  readonly note: string;
}

/** Kubernetes. Writes carry the uid and resourceVersion of what was read, so that a stale one is refused. They reject with KubeError. */
export interface Cluster {
  readSecret(namespace: string, name: string, signal: AbortSignal): Promise<Secret | 'absent' | 'forbidden'>;
  addFinalizer(forwarding: AuditLogForwarding, signal: AbortSignal): Promise<AuditLogForwarding>;
  removeFinalizer(forwarding: AuditLogForwarding, signal: AbortSignal): Promise<void>;
  /** Replaces the whole status. */
  writeStatus(forwarding: AuditLogForwarding, status: Status, signal: AbortSignal): Promise<AuditLogForwarding>;
  /** Never fails and never waits. */
  announce(forwarding: AuditLogForwarding, announcement: Announcement): void;
}

/** Konnect, seen with one token. Every method rejects with KonnectError alone. */
export interface Konnect extends Pick<KonnectAccess, 'organization' | 'destinations'> {
  readonly client: Omit<
    KonnectClient,
    'organization' | 'listDestinations' | 'portalWebhookStatus' | 'organizationWebhookStatus'
  >;
}
