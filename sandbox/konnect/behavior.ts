/** What Konnect does in cases that its documentation leaves open, or where it varies. Each comment begins with the default. */
export interface Behavior {
  /**
   * `disabled-empty`. How v3 shows a webhook without a destination: disabled with an empty ID, without an ID or with the nil UUID, or as 404
   * on GET and DELETE. v2 always shows it as disabled, with the endpoint `unconfigured`.
   */
  unconfiguredWebhook: 'disabled-empty' | 'disabled-absent' | 'disabled-nil' | 'not-found';
  /** `conflict`. Whether creating a second destination with the same name answers 409 or succeeds. */
  duplicateNames: 'conflict' | 'allowed';
  /** `conflict`. Whether DELETE of a destination that a webhook uses answers 409 or succeeds. The webhook keeps the ID of a deleted one. */
  usedDestination: 'conflict' | 'deleted';
  /**
   * `everywhere`. Which hosts serve GET, PATCH and DELETE of one destination: all of them in both versions, `global` alone in both versions, or only the
   * hosts of regions in one version. All hosts serve lists and POST.
   */
  destinationItems: 'everywhere' | 'global' | 'region-v3' | 'region-v2';
  /** `problem`. What the other hosts answer: Konnect's own 404, the 404 of a gateway that has no such route, or 405. */
  unservedDestinationItem: 'problem' | 'no-route' | 'method-not-allowed';
  /** 0. How long a destination still counts as in use after its last webhook was detached. */
  releaseDelayMs: number;
  /** 0. How old the lists of destinations are, at most 15 minutes. A GET of one destination is always up to date. */
  staleListMs: number;
  /** true. Whether answers to PATCH carry `updated_at`. */
  patchAnswersUpdatedAt: boolean;
  /** 200. What a successful PATCH answers. */
  patchStatus: 200 | 201;
  /** 404. What a PATCH of a webhook with an unknown destination answers. */
  unknownDestination: 404 | 400;
  /**
   * true. Whether a field that is absent from a PATCH takes its documented default, if it has one. Else the field keeps its value. The default
   * is the stricter case, so that tests reveal a client that omits fields. Kong's own command line omits them, and its tests expect that the
   * values stay.
   */
  fillPatchDefaults: boolean;
  /** 100. Upper limit of `page[size]`. A greater value is replaced by it. */
  pageSizeMax: number;
  /** false. Whether DELETE of a portal's webhook answers 409 while the webhook is enabled. */
  portalDeleteConflict: boolean;
  /**
   * `created`. `updated_at` of a destination before its first PATCH: its creation, the zero time, or the zero time as Kong's document
   * misspells it.
   */
  firstUpdatedAt: 'created' | 'zero' | 'malformed';
  /** `as-sent`. How answers show endpoints: as they were sent, or with the host in lower case, without the default port and with a path. */
  shownEndpoints: 'as-sent' | 'canonical';
  /** 0. After how many failed attempts in a row Konnect switches a webhook off. 0: never. */
  switchOffAfter: number;
  /**
   * `failed`. What the status `inactive` of a webhook says. `failed`, as in Kong's documentation: the last attempt failed. A webhook that Konnect
   * switched off is then disabled. `switched-off`, as in Kong's OpenAPI document: Konnect switched the webhook off, which stays enabled and sends
   * nothing until the next PATCH.
   */
  inactiveWebhook: 'failed' | 'switched-off';
  /** 0. How long a revoked token still works. */
  revokedTokenGraceMs: number;
  /** `on`. Whether the list of audit logs is there: it is behind a feature flag, and without that it answers 403 or 404. */
  auditLogsList: 'on' | 'forbidden' | 'not-found';
  /** `nested`. Whether the list of audit logs has its cursors in `meta.page` or in `meta`. */
  auditLogsMeta: 'nested' | 'flat';
  /** 0. How long a replay job waits before it runs. It is `accepted` in the first half of this time, then `pending`. */
  replayQueueMs: number;
  /** 0. Minimum duration of a replay job. */
  replayDurationMs: number;
  /** `delivered`. Whether a replay job completes if the endpoint accepts its lines, or always fails. */
  replayOutcome: 'delivered' | 'failed';
  /** `as-sent`. How GET shows the times of a replay job: as they were sent, or with milliseconds and an offset. */
  replayTimes: 'as-sent' | 'with-offset';
  /** `below-2^63`. The trace IDs of new events. Whether Konnect issues IDs that need all 64 bits is unknown. */
  traceIDs: 'below-2^63' | 'above-2^63';
}

export const defaultBehavior: Readonly<Behavior> = {
  unconfiguredWebhook: 'disabled-empty',
  duplicateNames: 'conflict',
  usedDestination: 'conflict',
  destinationItems: 'everywhere',
  unservedDestinationItem: 'problem',
  releaseDelayMs: 0,
  staleListMs: 0,
  patchAnswersUpdatedAt: true,
  patchStatus: 200,
  unknownDestination: 404,
  fillPatchDefaults: true,
  pageSizeMax: 100,
  portalDeleteConflict: false,
  firstUpdatedAt: 'created',
  shownEndpoints: 'as-sent',
  switchOffAfter: 0,
  inactiveWebhook: 'failed',
  revokedTokenGraceMs: 0,
  auditLogsList: 'on',
  auditLogsMeta: 'nested',
  replayQueueMs: 0,
  replayDurationMs: 0,
  replayOutcome: 'delivered',
  replayTimes: 'as-sent',
  traceIDs: 'below-2^63',
};
