/** In which conditions each reason of the runbook appears. */
import type { Condition } from '../../src/api/v1alpha1.ts';
import type { gapConditionTypes } from '../../src/status/conditions.ts';
import type { Problem } from '../../src/status/problem.ts';

type Part = 'SecretsResolved' | 'DestinationReady' | 'WebhooksReady';

/**
 * How a reason appears in conditions. `parts`: the conditions that can show it beside `Ready`; empty if it is about cleanup or deletion.
 * `says`: a part of the messages in the runbook that this situation covers; if absent, it covers all other messages of the reason.
 */
export type Situation = { readonly says?: string } & (
  | { readonly kind: Problem['severity'] | 'good' | 'unchecked'; readonly parts: readonly Part[] }
  | { readonly kind: 'pending' | 'working' | 'suspended' | 'drifted' | 'ready' }
  | { readonly kind: 'delivering' | 'verified'; readonly status: Condition['status'] }
  | { readonly kind: 'while-true'; readonly type: (typeof gapConditionTypes)[number] }
  /** No condition has this message: it is part of another message, or the message of an event. */
  | { readonly kind: 'elsewhere' }
);

/** One of them, or both. */
const either: readonly Part[] = ['DestinationReady', 'WebhooksReady'];
const onlyReady: readonly Part[] = [];

/** By reason. A test compares the severities with the code. */
export const situations: Readonly<Record<string, readonly Situation[]>> = {
  SecretNotFound: [{ kind: 'waiting', parts: ['SecretsResolved'] }],
  SecretKeyNotFound: [{ kind: 'waiting', parts: ['SecretsResolved'] }],
  SecretInvalid: [{ kind: 'stalled', parts: ['SecretsResolved'] }],
  SecretForbidden: [{ kind: 'stalled', parts: ['SecretsResolved'] }],
  AuthRefNotFound: [{ kind: 'waiting', parts: ['SecretsResolved'] }],
  AuthRefNotServed: [{ kind: 'stalled', parts: ['SecretsResolved'] }],
  AuthRefForbidden: [{ kind: 'stalled', parts: ['SecretsResolved'] }],
  AuthRefMismatch: [{ kind: 'stalled', parts: ['SecretsResolved'] }],
  TokenRejected: [{ kind: 'stalled', parts: ['SecretsResolved', ...either] }],
  TokenGone: [{ kind: 'waiting', parts: onlyReady }],
  PermissionDenied: [{ kind: 'stalled', parts: ['SecretsResolved', ...either] }],
  OrganizationUnproven: [{ kind: 'stalled', parts: ['SecretsResolved'] }],
  OrganizationChanged: [{ kind: 'stalled', parts: ['SecretsResolved'] }],
  LeftBehind: [
    { kind: 'elsewhere', says: 'gave up … in' },
    { kind: 'elsewhere', says: 'without its finalizer' },
    { kind: 'elsewhere', says: 'missing in a list' },
    { kind: 'stalled', parts: onlyReady },
  ],
  RequestRefused: [
    { kind: 'stalled', parts: ['WebhooksReady'], says: "the organization's webhook does not exist" },
    { kind: 'stalled', parts: ['SecretsResolved', ...either] },
  ],
  NameInUse: [
    { kind: 'waiting', parts: ['DestinationReady'], says: 'looks for it to say whose it is' },
    { kind: 'elsewhere', says: 'delete that destination' },
    { kind: 'elsewhere', says: 'delete what has this name' },
    { kind: 'stalled', parts: ['DestinationReady'] },
  ],
  WebhookInUse: [{ kind: 'stalled', parts: ['WebhooksReady'] }],
  PortalNotFound: [
    { kind: 'elsewhere', says: 'spec no longer wants' },
    { kind: 'elsewhere', says: 'gave up' },
    { kind: 'stalled', parts: ['WebhooksReady'] },
  ],
  DestinationNotFound: [{ kind: 'stalled', parts: ['DestinationReady'] }],
  PortalRefNotFound: [{ kind: 'waiting', parts: ['WebhooksReady'] }],
  PortalRefNotReady: [{ kind: 'waiting', parts: ['WebhooksReady'] }],
  PortalRefMismatch: [{ kind: 'stalled', parts: ['WebhooksReady'] }],
  PortalRefNotServed: [{ kind: 'stalled', parts: ['WebhooksReady'] }],
  PortalRefForbidden: [{ kind: 'stalled', parts: ['WebhooksReady'] }],
  PortalRefUnreadable: [{ kind: 'unavailable', parts: ['WebhooksReady'] }],
  PortalRefConflict: [{ kind: 'stalled', parts: ['WebhooksReady'] }],
  Claimed: [
    { kind: 'stalled', parts: ['DestinationReady'], says: 'the name of this destination belongs' },
    { kind: 'stalled', parts: ['WebhooksReady'], says: 'or the same webhook' },
    { kind: 'stalled', parts: either },
  ],
  Contested: [{ kind: 'stalled', parts: either }],
  HandingOver: [{ kind: 'waiting', parts: onlyReady }],
  Pending: [{ kind: 'pending' }],
  Applying: [{ kind: 'waiting', parts: ['WebhooksReady'], says: 'Konnect does not show' }, { kind: 'working' }],
  Creating: [
    { kind: 'waiting', parts: either, says: 'looks for it to delete it' },
    { kind: 'waiting', parts: either, says: 'Konnect may have created' },
    { kind: 'waiting', parts: either },
  ],
  Detaching: [
    { kind: 'waiting', parts: onlyReady, says: 'refuses to detach' },
    { kind: 'waiting', parts: either, says: 'deleted forwarding of this name' },
    { kind: 'waiting', parts: either },
  ],
  DestinationInUse: [{ kind: 'waiting', parts: either }],
  Deleting: [{ kind: 'elsewhere', says: 'deletion waits' }, { kind: 'working' }],
  Suspended: [{ kind: 'suspended' }],
  Drifted: [{ kind: 'drifted' }],
  Observed: [{ kind: 'good', parts: either }],
  RateLimited: [{ kind: 'unavailable', parts: either }],
  KonnectUnavailable: [{ kind: 'unavailable', parts: either }],
  UnexpectedAnswer: [{ kind: 'unavailable', parts: either }],
  Delivered: [{ kind: 'delivering', status: 'True' }],
  NoAttemptYet: [{ kind: 'delivering', status: 'True' }],
  EndpointRejected: [{ kind: 'delivering', status: 'False' }],
  EndpointUnreachable: [{ kind: 'delivering', status: 'False' }],
  SwitchedOff: [{ kind: 'delivering', status: 'False' }],
  StatusUnavailable: [{ kind: 'delivering', status: 'Unknown' }],
  GapOpen: [{ kind: 'while-true', type: 'LogsUndelivered' }],
  ReplayAvailable: [{ kind: 'while-true', type: 'LogsUndelivered' }],
  Replaying: [{ kind: 'while-true', type: 'LogsUndelivered' }],
  ReplayFailed: [{ kind: 'while-true', type: 'LogsUndelivered' }],
  GapSixDaysOld: [{ kind: 'while-true', type: 'LogLossImminent' }],
  LogsLost: [
    { kind: 'elsewhere', says: 'are lost' },
    { kind: 'while-true', type: 'LogLossImminent' },
  ],
  AllFound: [{ kind: 'verified', status: 'True' }],
  NewestFound: [{ kind: 'verified', status: 'True' }],
  LinesMissing: [{ kind: 'verified', status: 'False' }],
  SignatureInvalid: [{ kind: 'verified', status: 'False' }],
  ForeignLines: [{ kind: 'verified', status: 'False' }],
  NotSearchedYet: [{ kind: 'verified', status: 'Unknown' }],
  SumoLogicUnavailable: [{ kind: 'verified', status: 'Unknown' }],
  SearchRefused: [{ kind: 'verified', status: 'Unknown' }],
  InSync: [{ kind: 'ready' }],
  Resolved: [{ kind: 'good', parts: ['SecretsResolved'] }],
  InPlace: [{ kind: 'good', parts: ['DestinationReady'] }],
  NotNeeded: [{ kind: 'good', parts: ['DestinationReady'] }],
  Attached: [{ kind: 'good', parts: ['WebhooksReady'] }],
  NotChecked: [
    { kind: 'unchecked', parts: ['DestinationReady', 'WebhooksReady'], says: 'see SecretsResolved' },
    { kind: 'unchecked', parts: ['WebhooksReady'], says: 'the webhooks wait for the destination' },
    { kind: 'unchecked', parts: ['DestinationReady'], says: 'the operator creates the destination' },
    { kind: 'unchecked', parts: ['SecretsResolved', 'DestinationReady', 'WebhooksReady'] },
  ],
};
