import type { IncomingMessage, ServerResponse } from 'node:http';
import * as z from 'zod';
import { answer, readJSON } from './http.ts';
import type { ReceivedRequest, Receiver, ReceiverStatus } from './receiver.ts';
import type { AccessKey, SearchAPI, SearchStatus } from './search-api.ts';
import type { SearchBehavior, SearchJobs } from './search-jobs.ts';
import type { SourceOptions, Sources, StoredLine } from './sources.ts';

export const controlPath = '/__sandbox/';

/** Changes sources and makes them fail, which SumoLogic itself does not offer. */
export interface SumoLogicControl {
  /**
   * With `times`, answers `status` to that many requests to the source, after earlier calls with `times` are used up. Without `times`, answers
   * `status` to all requests and cancels earlier calls. 200 processes the request. Throws if the source does not exist.
   */
  respond(code: string, status: ReceiverStatus, times?: number): void;
  /** Adds a source, or replaces the one with the same code. The budget starts again, and lines stay. */
  setSource(source: SourceOptions): void;
  /** Returns the number of lines that the source's budget dropped. 0 for an unknown code. */
  droppedLines(code: string): number;
  /** Answers `status` to the next `times` requests to the Search Job API that have a valid key. */
  respondToSearch(status: SearchStatus, times: number): void;
  /** Adds an access key, or replaces the one with the same ID. */
  setAccessKey(key: AccessKey): void;
  /** Changes how search jobs behave from now on. */
  behave(behavior: Partial<SearchBehavior>): void;
  /** Returns the IDs of the search jobs that exist now. */
  searchJobs(): readonly string[];
}

const respondBody = z.strictObject({
  code: z.string(),
  status: z.union([z.literal(200), z.literal(401), z.literal(408), z.literal(429), z.literal(503), z.literal(504)]),
  times: z.int().positive().max(1000).optional(),
});
const sourceBody = z.strictObject({
  code: z.string().regex(/^[\w=-]+$/),
  kind: z.enum(['presigned-url', 'auth-header']).exactOptional(),
  name: z.string().exactOptional(),
  category: z.string().exactOptional(),
  authorization: z.string().exactOptional(),
  budgetBytes: z.int().nonnegative().exactOptional(),
});

const searchBody = z.strictObject({
  status: z.union([z.literal(401), z.literal(403), z.literal(429), z.literal(500), z.literal(503)]),
  times: z.int().positive().max(1000).default(1),
});
const accessKeyBody = z.strictObject({
  id: z.string().min(1),
  key: z.string().min(1),
  deployment: z
    .string()
    .regex(/^[a-z][a-z0-9]*$/)
    .exactOptional(),
  maySearch: z.boolean().exactOptional(),
});

/** What the control changes. */
export interface Controlled {
  readonly sources: Sources;
  readonly receiver: Receiver;
  readonly search: SearchAPI;
  readonly jobs: SearchJobs;
  readonly behavior: SearchBehavior;
}

export function createControl({ sources, receiver, search, jobs, behavior }: Controlled): SumoLogicControl {
  return {
    respond: (code, status, times) => receiver.respond(code, status, times),
    setSource: (source) => sources.set(source),
    droppedLines: (code) => sources.get(code)?.droppedLines ?? 0,
    respondToSearch: (status, times) => search.respond(status, times),
    setAccessKey: (key) => search.setAccessKey(key),
    behave: (changes) => void Object.assign(behavior, changes),
    searchJobs: () => jobs.ids(),
  };
}

/** Returns the stored lines of a source, by default of all, in the order of arrival. */
export function storedLines(sources: Sources, code?: string): StoredLine[] {
  return sources
    .messages()
    .filter((message) => code === undefined || message.code === code)
    .map(({ line, receivedAt, source, category }) => ({ line, receivedAt, source, category }));
}

export function receivedRequests(receiver: Receiver, code?: string): ReceivedRequest[] {
  return receiver.requests().filter((request) => code === undefined || request.code === code);
}

/**
 * Serves the control as JSON: `GET /__sandbox/lines` and `/requests`, both with an optional `?code=`, `GET /__sandbox/sources` and `/search-jobs`.
 * `POST /__sandbox/respond` takes `{code, status, times?}`, `/sources` takes `{code, kind?, name?, category?, authorization?, budgetBytes?}`,
 * `/search` takes `{status, times?}`, and `/access-keys` takes `{id, key, deployment?, maySearch?}`.
 */
export async function handleControl(
  options: { readonly sources: Sources; readonly receiver: Receiver; readonly control: SumoLogicControl },
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  const { sources, receiver, control } = options;
  const code = url.searchParams.get('code') ?? undefined;
  switch (`${request.method ?? ''} ${url.pathname.slice(controlPath.length)}`) {
    case 'GET lines':
      return answer(response, 200, storedLines(sources, code));
    case 'GET requests':
      return answer(response, 200, receivedRequests(receiver, code));
    case 'GET sources':
      return answer(response, 200, describeSources(sources));
    case 'POST sources': {
      const body = sourceBody.safeParse(await readJSON(request));
      if (!body.success) return answer(response, 400, { message: z.prettifyError(body.error) });
      control.setSource(body.data);
      return answer(response, 200, describeSources(sources));
    }
    case 'POST respond': {
      const body = respondBody.safeParse(await readJSON(request));
      if (!body.success) return answer(response, 400, { message: z.prettifyError(body.error) });
      if (sources.get(body.data.code) === undefined)
        return answer(response, 404, { message: 'no source has this code' });
      control.respond(body.data.code, body.data.status, body.data.times);
      return answer(response, 204);
    }
    case 'GET search-jobs':
      return answer(response, 200, control.searchJobs());
    case 'POST search': {
      const body = searchBody.safeParse(await readJSON(request));
      if (!body.success) return answer(response, 400, { message: z.prettifyError(body.error) });
      control.respondToSearch(body.data.status, body.data.times);
      return answer(response, 204);
    }
    case 'POST access-keys': {
      const body = accessKeyBody.safeParse(await readJSON(request));
      if (!body.success) return answer(response, 400, { message: z.prettifyError(body.error) });
      control.setAccessKey(body.data);
      return answer(response, 204);
    }
    default:
      return answer(response, 404, {
        message: 'GET lines, requests, sources or search-jobs; POST sources, respond, search or access-keys',
      });
  }
}

function describeSources(sources: Sources): object[] {
  return sources.all().map(({ options, name, category, keptBytes, droppedLines }) => ({
    code: options.code,
    kind: options.kind ?? 'presigned-url',
    name,
    category,
    budgetBytes: options.budgetBytes,
    keptBytes,
    droppedLines,
  }));
}
