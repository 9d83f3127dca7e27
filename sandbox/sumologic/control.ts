import type { IncomingMessage, ServerResponse } from 'node:http';
import * as z from 'zod';
import { answer, readJSON } from './http.ts';
import type { ReceivedRequest, Receiver, ReceiverStatus } from './receiver.ts';
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
}

const respondBody = z.strictObject({
  code: z.string(),
  status: z.union([z.literal(200), z.literal(401), z.literal(408), z.literal(429), z.literal(503), z.literal(504)]),
  times: z.int().positive().max(1000).optional(),
});
const sourceBody = z.strictObject({
  code: z.string().regex(/^[\w=-]+$/),
  name: z.string().optional(),
  category: z.string().optional(),
  authorization: z.string().optional(),
  budgetBytes: z.int().nonnegative().optional(),
});

export function createControl(sources: Sources, receiver: Receiver): SumoLogicControl {
  return {
    respond: (code, status, times) => receiver.respond(code, status, times),
    setSource: (source) => sources.set(source),
    droppedLines: (code) => sources.get(code)?.droppedLines ?? 0,
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
 * Serves the control as JSON: `GET /__sandbox/lines` and `/requests`, both with an optional `?code=`, and `GET /__sandbox/sources`.
 * `POST /__sandbox/respond` takes `{code, status, times?}`, `/sources` takes `{code, name?, category?, authorization?, budgetBytes?}`.
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
      control.setSource(withoutUndefined(body.data));
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
    default:
      return answer(response, 404, { message: 'GET lines, requests or sources; POST sources or respond' });
  }
}

function describeSources(sources: Sources): object[] {
  return sources.all().map(({ options, name, category, keptBytes, droppedLines }) => ({
    code: options.code,
    name,
    category,
    budgetBytes: options.budgetBytes,
    keptBytes,
    droppedLines,
  }));
}

function withoutUndefined({
  code,
  name,
  category,
  authorization,
  budgetBytes,
}: z.infer<typeof sourceBody>): SourceOptions {
  return {
    code,
    ...(name === undefined ? {} : { name }),
    ...(category === undefined ? {} : { category }),
    ...(authorization === undefined ? {} : { authorization }),
    ...(budgetBytes === undefined ? {} : { budgetBytes }),
  };
}
