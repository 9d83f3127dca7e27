/** Reads from Konnect and writes nothing: what would be written is recorded, and later reads show it. */
import { randomUUID } from 'node:crypto';
import { isKonnectError, KonnectError, type KonnectOperation } from '../konnect/errors.ts';
import type { KonnectAnswer, KonnectRequest, KonnectTransport } from '../konnect/transport.ts';

type Fields = Readonly<Record<string, unknown>>;

/** A write that was not sent. */
export interface RecordedWrite {
  readonly operation: KonnectOperation;
  readonly method: Exclude<KonnectRequest['method'], 'GET'>;
  readonly region: string;
  /** The path from the version of the API on, such as `v3/portals/ID/audit-log-webhook`. */
  readonly path: string;
  /** What Konnect has, as far as it shows it. Undefined if the write creates it. */
  readonly before: Fields | undefined;
  /** What it would have. Undefined if the write deletes it. */
  readonly after: Fields | undefined;
}

/** Sends every GET. Every other request changes only what this object answers from then on. */
export class RecordingTransport implements KonnectTransport {
  readonly writes: RecordedWrite[] = [];
  readonly #http: KonnectTransport;
  /** By region and path, what was written. Undefined stands for what was deleted. */
  #written = new Map<string, Fields | undefined>();

  constructor(http: KonnectTransport) {
    this.#http = http;
  }

  async send(request: KonnectRequest): Promise<KonnectAnswer> {
    const { operation, method, region, body = {} } = request;
    if (method === 'GET') return this.#read(request);
    const path = pathOf(request);
    if (method === 'POST') {
      const after = { id: randomUUID(), ...body };
      this.#record({ operation, method, region, path, before: undefined, after });
      return { status: 201, body: after };
    }
    const before = await this.#before(request);
    const after = method === 'DELETE' ? undefined : { ...before, ...body };
    this.#record({ operation, method, region, path, before, after });
    return after === undefined ? { status: 204, body: undefined } : { status: 200, body: after };
  }

  /** Forgets all but the first `count` writes. */
  forgetAfter(count: number): void {
    const kept = this.writes.splice(0).slice(0, count);
    this.#written = new Map();
    for (const write of kept) this.#record(write);
  }

  #record(write: RecordedWrite): void {
    const { method, region, path, after } = write;
    this.writes.push(write);
    this.#written.set(keyOf(region, method === 'POST' ? `${path}/${String(after?.['id'])}` : path), after);
  }

  async #read(request: KonnectRequest): Promise<KonnectAnswer> {
    const key = keyOf(request.region, pathOf(request));
    if (!this.#written.has(key)) return this.#http.send(request);
    const body = this.#written.get(key);
    if (body !== undefined) return { status: 200, body };
    throw new KonnectError({ kind: 'NotFound', operation: request.operation, status: 404 });
  }

  /** Returns what the write would change. A host that does not serve a destination answers as it does to a read. */
  async #before(request: KonnectRequest): Promise<Fields> {
    const { operation, region, url, token, signal } = request;
    try {
      const { body } = await this.#read({ operation, region, method: 'GET', url, token, signal });
      return typeof body === 'object' ? { ...body } : {};
    } catch (error) {
      if (isKonnectError(error, 'NotFound') && !isDestination(pathOf(request))) return {};
      throw error;
    }
  }
}

function pathOf({ url }: KonnectRequest): string {
  return url.pathname.replace(/^.*?\/(?=v\d\/)/, '');
}

function isDestination(path: string): boolean {
  return /\/audit-log-destinations\/[^/]+$/.test(path);
}

/** Destinations belong to no region, and both versions of the API show them. */
function keyOf(region: string, path: string): string {
  return isDestination(path) ? path.replace(/^v\d/, '') : `${region} ${path}`;
}
