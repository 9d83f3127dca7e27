import type { IncomingMessage, ServerResponse } from 'node:http';
import * as z from 'zod';
import { answer, readJSON } from './http.ts';
import type { ReceivedRequest, Receiver, ReceiverStatus } from './receiver.ts';
import type { SourceOptions, Sources, StoredLine } from './sources.ts';

export const controlPath = '/__sandbox/';

/** What SumoLogic itself lets nobody do: look into its sources and make them fail. */
export interface SumoLogicControl {
  /**
   * With `times`: the next so many requests to the source get `status`, after those asked for earlier. Without: every request from now on, and
   * what was asked for before is forgotten. 200 means the usual treatment. Throws if there is no such source.
   */
  respond(code: string, status: ReceiverStatus, times?: number): void;
  /** Adds a source, or replaces the one of the same code: its name, category, authorization and a new budget. Lines stay. */
  setSource(source: SourceOptions): void;
  /** Lines that the source's budget dropped; 0 for an unknown code. */
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

/** The lines a source (all, if none is named) has kept, in the order of arrival. */
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
 * The control for people, as JSON: `GET /__sandbox/lines`, `/requests` (both with `?code=` if wanted) and `/sources`; `POST /__sandbox/respond`
 * `{code, status, times?}` and `/sources` `{code, name?, category?, authorization?, budgetBytes?}`.
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
        return answer(response, 404, { message: 'no source of this code' });
      control.respond(body.data.code, body.data.status, body.data.times);
      return answer(response, 204);
    }
    default:
      return answer(response, 404, { message: 'lines, requests, sources (GET), sources, respond (POST)' });
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
