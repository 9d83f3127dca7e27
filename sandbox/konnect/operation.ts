import type { KonnectModel, Organization, Token } from './model.ts';

/** One operation of Konnect's API, named as Kong's documents name it. */
export interface Operation {
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the region's host, with `{name}` for a segment. */
  readonly path: string;
  readonly hosts: 'global' | 'regional' | 'any';
  readonly access: 'read' | 'write';
  /** How the operation's audit line names what it is done to, and what is done. */
  readonly resource: string;
  readonly action: string;
  /** The names of query parameters that it knows; others are refused. */
  readonly query?: RegExp;
  readonly handle: (request: OperationRequest) => Answer;
}

/** An operation that anybody may call, without a token. */
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
  /** The parsed JSON of a POST, PUT or PATCH, else undefined. */
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
  /** Absent: no content. */
  readonly body?: unknown;
}
