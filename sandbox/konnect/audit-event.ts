/** One thing that happened and is audited, before it is written in any log format or signed. */
export interface AuditEvent {
  readonly at: Date;
  readonly product: 'Konnect' | 'Dev-Portal';
  readonly eventClassID: string;
  readonly name: string;
  readonly severity: number;
  /** In the order in which the line shows them, `rt` first and `user_agent` last; `sig` is for the delivering side to add. */
  readonly extension: Readonly<Record<string, string>>;
}

export type LogFormat = 'cef' | 'json' | 'cps';

/** Where lines go to, as the destination (or the inline webhook) says at the time of the event. */
export interface DeliveryTarget {
  readonly endpoint: string;
  readonly authorization: string;
  readonly logFormat: LogFormat;
  readonly skipSSLVerification: boolean;
}

/** One request that tried to deliver an event, with what came of it. */
export interface DeliveryAttempt {
  readonly at: Date;
  /** Status of the receiver's answer; absent when there was none. */
  readonly code?: number;
  /** Free text for `last_response_message`. */
  readonly message: string;
  readonly ok: boolean;
  /** True on the last attempt of a delivery that failed for good. */
  readonly givenUp: boolean;
}

/** The port to whatever signs, batches and sends audit lines. */
export interface Delivery {
  /** Returns at once; `onAttempt` is called for every attempt, from the first to the one that succeeds or gives up. */
  send(event: AuditEvent, target: DeliveryTarget, onAttempt: (attempt: DeliveryAttempt) => void): void;
  /** The public keys that lines are signed with. */
  jwks(): { readonly keys: readonly object[] };
  /** Resolves once nothing is under way any more. */
  stop(): Promise<void>;
}
