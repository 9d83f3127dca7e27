/** Sends the requests of one token and reads their answers. */
import type * as z from 'zod';
import { isKonnectError, KonnectError, type KonnectOperation } from './errors.ts';
import { hostFor } from './konnect-url.ts';
import type { KonnectAnswer, KonnectRequest, KonnectTransport } from './transport.ts';

export interface RequestSenderOptions {
  http: KonnectTransport;
  urlTemplate: string;
  /** Undefined for what Konnect answers to anybody. */
  token: string | undefined;
}

export type Target = Pick<KonnectRequest, 'operation' | 'region'> & { path: string; signal: AbortSignal };

/** Every method sends one request, never repeats it, and rejects only with a KonnectError. */
export class RequestSender {
  readonly #options: RequestSenderOptions;

  constructor(options: RequestSenderOptions) {
    this.#options = options;
  }

  async read<T>(target: Target, schema: z.ZodType<T>, query?: URLSearchParams): Promise<T> {
    return parsed(schema, await this.send('GET', target, undefined, query), target.operation, false);
  }

  /** Returns undefined for a 404. */
  readIfThere<T>(target: Target, schema: z.ZodType<T>): Promise<T | undefined> {
    return unlessNotFound(this.read(target, schema));
  }

  async delete(target: Target): Promise<'deleted' | 'absent' | 'conflict'> {
    return (await unlessNotFound(this.deleteExisting(target))) ?? 'absent';
  }

  /** Rejects with `NotFound` for a 404. */
  async deleteExisting(target: Target): Promise<'deleted' | 'conflict'> {
    try {
      await this.send('DELETE', target);
      return 'deleted';
    } catch (error) {
      if (isKonnectError(error, 'Conflict')) return 'conflict';
      throw error;
    }
  }

  async send(
    method: KonnectRequest['method'],
    { operation, region, path, signal }: Target,
    body?: object,
    query?: URLSearchParams,
  ): Promise<KonnectAnswer> {
    const { http, urlTemplate, token } = this.#options;
    const url = new URL(path, hostFor(urlTemplate, region));
    if (query !== undefined) url.search = query.toString();
    return http.send({ operation, region, method, url, token, signal, ...(body === undefined ? {} : { body }) });
  }
}

async function unlessNotFound<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (isKonnectError(error, 'NotFound')) return undefined;
    throw error;
  }
}

/** Returns the answer as `schema` reads it. `mayHaveHappened`: true for the answer to a write. */
export function parsed<T>(
  schema: z.ZodType<T>,
  answer: KonnectAnswer,
  operation: KonnectOperation,
  mayHaveHappened: boolean,
): T {
  const result = schema.safeParse(answer.body);
  if (result.success) return result.data;
  throw new KonnectError({ kind: 'UnexpectedAnswer', operation, status: answer.status, mayHaveHappened });
}
