import type { KonnectModel, Organization, Token } from './model.ts';

/** An operation of Konnect's API. Its ID is Kong's operationId. */
export interface Operation {
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the region's host, with `{name}` for a segment. */
  readonly path: string;
  /** `destination-items`: as the behavior of that name says. */
  readonly hosts: 'global' | 'regional' | 'any' | 'destination-items';
  readonly access: 'read' | 'write';
  /** Resource and action in the operation's audit line. */
  readonly resource: string;
  readonly action: string;
  /** Names of its query parameters. Other parameters are rejected. */
  readonly query?: RegExp;
  readonly handle: (request: OperationRequest) => Answer;
}

/** An operation that needs no token. */
export interface PublicOperation extends Pick<Operation, 'id' | 'method' | 'path' | 'hosts' | 'query'> {
  readonly access: 'public';
  readonly handle: (request: PublicRequest) => Answer;
}

export interface PublicRequest {
  readonly model: KonnectModel;
  readonly region: string;
  /** As sent, below the region's host. */
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Parsed JSON of a POST, PUT or PATCH, else undefined. */
  readonly body: unknown;
  readonly source: string;
  readonly userAgent: string;
  readonly traceID: string;
}

export interface OperationRequest extends PublicRequest {
  readonly organization: Organization;
  readonly token: Token;
}

export interface Answer {
  readonly status: number;
  /** If absent, the answer has no content. */
  readonly body?: unknown;
}
