/** Where nobody knows which of several ways Konnect goes, or where it goes several. The first value named is the default. */
export interface Behavior {
  /**
   * What a webhook that names no destination looks like in v3: disabled with an empty id, without one, or with the nil UUID; or 404 on GET and DELETE.
   * In v2 it is always disabled with the endpoint `unconfigured`.
   */
  unconfiguredWebhook: 'disabled-empty' | 'disabled-absent' | 'disabled-nil' | 'not-found';
  /** Whether a second destination of one name is refused with 409, or made. */
  duplicateNames: 'conflict' | 'allowed';
  /** Whether DELETE of a destination that a webhook points at is refused with 409, or done: the webhook then points at what is gone. */
  usedDestination: 'conflict' | 'deleted';
  /** 0. For so long after its last webhook was detached, a destination still counts as in use. */
  releaseDelayMs: number;
  /** 0. Lists of destinations are served as they were that long ago, at most 15 minutes; single reads are always fresh. */
  staleListMs: number;
  /** true. Whether answers to PATCH carry `updated_at`. */
  patchAnswersUpdatedAt: boolean;
  /** 200. What a successful PATCH answers. */
  patchStatus: 200 | 201;
  /** 404. What a webhook's PATCH with the id of no destination answers. */
  unknownDestination: 404 | 400;
  /**
   * true. Whether what is left out of a PATCH takes its declared default, where one is declared, or keeps its value. The harsher way is the
   * default, so that a client which leaves fields out shows; Kong's own command line does, and its tests find the values kept.
   */
  fillPatchDefaults: boolean;
  /** 100. A greater `page[size]` is cut to this. */
  pageSizeMax: number;
  /** false. Whether DELETE of a portal's webhook answers 409 as long as that is enabled. */
  portalDeleteConflict: boolean;
  /** What `updated_at` of a destination shows before its first PATCH: when it was created, or the zero time, well formed or as Kong's document misspells it. */
  firstUpdatedAt: 'created' | 'zero' | 'malformed';
  /** 0. For so long a revoked token still works. */
  revokedTokenGraceMs: number;
  /** 0. A replay job runs at least so long. */
  replayDurationMs: number;
}

export const defaultBehavior: Readonly<Behavior> = {
  unconfiguredWebhook: 'disabled-empty',
  duplicateNames: 'conflict',
  usedDestination: 'conflict',
  releaseDelayMs: 0,
  staleListMs: 0,
  patchAnswersUpdatedAt: true,
  patchStatus: 200,
  unknownDestination: 404,
  fillPatchDefaults: true,
  pageSizeMax: 100,
  portalDeleteConflict: false,
  firstUpdatedAt: 'created',
  revokedTokenGraceMs: 0,
  replayDurationMs: 0,
};
