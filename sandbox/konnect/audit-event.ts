/** An audited event, before it is formatted and signed. */
export interface AuditEvent {
  readonly at: Date;
  readonly product: 'Konnect' | 'Dev-Portal';
  readonly eventClassID: string;
  readonly name: string;
  readonly severity: number;
  /** In the order of the line: `rt` first, `user_agent` last. The delivery appends `sig`. */
  readonly extension: Readonly<Record<string, string>>;
}

export type LogFormat = 'cef' | 'json' | 'cps';

/** Where a line is sent, according to the destination or the inline webhook at the time of the event. */
export interface DeliveryTarget {
  readonly endpoint: string;
  readonly authorization: string;
  readonly logFormat: LogFormat;
  readonly skipSSLVerification: boolean;
}

/** One request that tried to deliver an event, and its result. */
export interface DeliveryAttempt {
  readonly at: Date;
  /** Status of the receiver's answer. Absent if there was no answer. */
  readonly code?: number;
  /** Text for `last_response_message`. */
  readonly message: string;
  readonly ok: boolean;
  /** True on the last attempt of a delivery that failed for good. */
  readonly givenUp: boolean;
}

/** Signs, batches and sends audit lines. */
export interface Delivery {
  /** Returns at once. Calls `onAttempt` after every attempt, until one succeeds or the delivery gives up. */
  send(event: AuditEvent, target: DeliveryTarget, onAttempt: (attempt: DeliveryAttempt) => void): void;
  /** Returns the public keys that verify the signatures. */
  jwks(): { readonly keys: readonly object[] };
  /** Aborts deliveries in flight. Resolves when they have ended. */
  stop(): Promise<void>;
}
