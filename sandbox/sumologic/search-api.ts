import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { JobOwner, SearchJobs } from './search-jobs.ts';
import { readPage, readSearchRequest } from './search-request.ts';
import type { StoredMessage } from './sources.ts';

export const searchPath = '/api/v1/search/jobs';
const requestsPerSecond = 4;
const maxRequestsAtATime = 10;
const sessionCookie = 'JSESSIONID';

/** An access key of the API. */
export interface AccessKey {
  readonly id: string;
  readonly key: string;
  /** The deployment of the key's organization, if it is another one than this. Every request gets 301 to its host. */
  readonly deployment?: string;
  /** Default true. Whether the key's role may run searches. Otherwise every request gets 403. */
  readonly maySearch?: boolean;
}

/** What a test can make the API answer. */
export type SearchStatus = 401 | 403 | 429 | 500 | 503;

/** A request to the API, independent of HTTP. */
export interface SearchAPIRequest {
  readonly method?: string | undefined;
  readonly headers: Pick<IncomingHttpHeaders, 'authorization' | 'content-type' | 'cookie'>;
  readonly url: URL;
  /** Resolves with the parsed JSON body. Undefined if it is not JSON. */
  readonly body: () => Promise<unknown>;
}

export interface SearchAPIAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

/** The fields of a message, with SumoLogic's type of each. */
const messageFields = {
  _messageid: 'long',
  _sourcename: 'string',
  _sourcecategory: 'string',
  _size: 'long',
  _messagetime: 'long',
  _receipttime: 'long',
  _raw: 'string',
  _source: 'string',
} as const;

export interface SearchAPI {
  readonly answer: (request: SearchAPIRequest) => Promise<SearchAPIAnswer>;
  /** Adds an access key, or replaces the one with the same ID. */
  readonly setAccessKey: (key: AccessKey) => void;
  /** Answers `status` to the next `times` requests with a valid key. */
  readonly respond: (status: SearchStatus, times: number) => void;
}

const failures: Readonly<Record<SearchStatus, readonly [code: string, message: string]>> = {
  401: ['unauthorized', 'Credential could not be verified.'],
  403: [
    'forbidden',
    'This operation is not allowed for your account type or the user does not have the role capability.',
  ],
  429: ['rate.limit.exceeded', 'More than 4 requests per second.'],
  500: ['internal.error', 'Internal server error.'],
  503: ['service.unavailable', 'Service unavailable.'],
};

/** Returns SumoLogic's Search Job API: Basic authentication, four requests per second and ten requests at a time for each key. */
export function createSearchAPI(options: {
  readonly accessKeys: readonly AccessKey[];
  readonly jobs: SearchJobs;
  readonly clock: () => Date;
  /** Returns the base of `Location`. */
  readonly url: () => string;
}): SearchAPI {
  const accessKeys = new Map(options.accessKeys.map((key) => [key.id, key]));
  const recentMs = new Map<string, number[]>();
  const inFlight = new Map<string, number>();
  const nextStatuses: SearchStatus[] = [];

  function isOverRate(accessID: string): boolean {
    const nowMs = options.clock().getTime();
    const recent = (recentMs.get(accessID) ?? []).filter((timeMs) => nowMs - timeMs < 1000);
    const isOver = recent.length >= requestsPerSecond;
    recentMs.set(accessID, isOver ? recent : [...recent, nowMs]);
    return isOver;
  }

  async function reply(request: SearchAPIRequest): Promise<SearchAPIAnswer> {
    const { url } = request;
    const key = authenticated(request, [...accessKeys.values()]);
    if (key === undefined) return failed(401);
    const { id: accessID, deployment, maySearch = true } = key;
    if (deployment !== undefined) return movedTo(deployment, url);
    const isOverConcurrency = (inFlight.get(accessID) ?? 0) >= maxRequestsAtATime;
    if (isOverConcurrency || isOverRate(accessID)) return failed(429);
    const injected = nextStatuses.shift();
    if (injected !== undefined) return failed(injected);
    if (!maySearch) return failed(403);
    inFlight.set(accessID, (inFlight.get(accessID) ?? 0) + 1);
    try {
      return await answerTo(request, accessID);
    } finally {
      inFlight.set(accessID, (inFlight.get(accessID) ?? 1) - 1);
    }
  }

  async function answerTo(request: SearchAPIRequest, accessID: string): Promise<SearchAPIAnswer> {
    const { url } = request;
    const session = cookie(request, sessionCookie);
    if (url.pathname === searchPath) return await create(request, accessID, session);
    const [id = '', resource, ...rest] = url.pathname.slice(searchPath.length + 1).split('/');
    if (rest.length > 0) return failure(404, 'notfound', 'Requested resource could not be found.');
    const owner = { accessID, session: session ?? '' };
    switch (`${request.method ?? ''} ${resource ?? ''}`) {
      case 'GET ':
        return status(owner, id);
      case 'DELETE ':
        return options.jobs.delete(owner, id) ? { status: 200, body: { id } } : unknownJob(404);
      case 'GET messages':
        return messages(owner, id, url.searchParams);
      case 'GET records':
        return failure(400, 'searchjob.no.records.not.an.aggregation.query', 'No records; query is not an aggregation');
      default:
        return failure(405, 'method.unsupported', 'Unsupported method for URL.');
    }
  }

  async function create(
    request: SearchAPIRequest,
    accessID: string,
    known: string | undefined,
  ): Promise<SearchAPIAnswer> {
    if (request.method !== 'POST') return failure(405, 'method.unsupported', 'Unsupported method for URL.');
    if (!/^application\/json(?:;|$)/i.test(request.headers['content-type'] ?? '')) {
      return failure(415, 'contenttype.invalid', 'Invalid content type.');
    }
    const search = readSearchRequest(await request.body());
    if (search.kind === 'rejected') return failure(400, search.code, search.message);
    const session = known ?? randomUUID();
    const job = options.jobs.create({ accessID, session }, search);
    if (job === undefined) return failure(429, 'rate.limit.exceeded', 'Too many active search jobs.');
    return {
      status: 202,
      body: { id: job.id, link: { rel: 'self', href: `${options.url()}${searchPath}/${job.id}` } },
      headers: {
        location: `${options.url()}${searchPath}/${job.id}`,
        'set-cookie': [`${sessionCookie}=${session}; Path=/api; Secure; HttpOnly`, 'AWSALB=sandbox; Path=/'],
      },
    };
  }

  function status(owner: JobOwner, id: string): SearchAPIAnswer {
    const found = options.jobs.status(owner, id);
    if (found === undefined) return unknownJob(404);
    const { state, messageCount } = found;
    const body = { state, messageCount, recordCount: 0, histogramBuckets: [], pendingErrors: [], pendingWarnings: [] };
    return { status: 200, body };
  }

  function messages(owner: JobOwner, id: string, parameters: URLSearchParams): SearchAPIAnswer {
    const page = readPage(parameters);
    if (page.kind === 'rejected') return failure(400, page.code, page.message);
    const found = options.jobs.messages(owner, id);
    if (found === undefined) return unknownJob(404);
    const fields = Object.entries(messageFields).map(([name, fieldType]) => ({ name, fieldType, keyField: false }));
    const maps = found.slice(page.offset, page.offset + page.limit).map((message) => ({ map: messageMap(message) }));
    return { status: 200, body: { fields, messages: maps } };
  }

  return {
    answer: reply,
    setAccessKey: (key) => void accessKeys.set(key.id, key),
    respond: (answered, times) => void nextStatuses.push(...Array.from({ length: times }, () => answered)),
  };
}

function failed(status: SearchStatus): SearchAPIAnswer {
  return failure(status, ...failures[status]);
}

function movedTo(deployment: string, { pathname, search }: URL): SearchAPIAnswer {
  const location = `https://api.${deployment}.sumologic.com${pathname}${search}`;
  return { ...failure(301, 'moved', `The requested resource is at ${location}.`), headers: { location } };
}

function messageMap(message: StoredMessage): Record<keyof typeof messageFields, string> {
  return {
    _messageid: String(message.id),
    _sourcename: message.source,
    _sourcecategory: message.category,
    _size: String(Buffer.byteLength(message.line)),
    _messagetime: String(message.messageTimeMs),
    _receipttime: String(message.receivedAt.getTime()),
    _raw: message.line,
    _source: message.source,
  };
}

function authenticated(request: Pick<SearchAPIRequest, 'headers'>, keys: readonly AccessKey[]): AccessKey | undefined {
  const [scheme = '', credentials = ''] = (request.headers.authorization ?? '').split(' ');
  if (scheme.toLowerCase() !== 'basic') return undefined;
  const decoded = Buffer.from(credentials, 'base64').toString();
  return keys.find(({ id, key }) => decoded === `${id}:${key}`);
}

function cookie(request: Pick<SearchAPIRequest, 'headers'>, name: string): string | undefined {
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}

function unknownJob(status: number): SearchAPIAnswer {
  return failure(status, 'searchjob.jobid.invalid', 'Job ID is invalid.');
}

function failure(status: number, code: string, message: string): SearchAPIAnswer {
  return { status, body: { status, id: errorID(), code, message } };
}

/** Returns an ID in the style of `IUUQI-DGH5I-TJ045`. */
function errorID(): string {
  const letters = randomBytes(15).map((byte) => 65 + (byte % 26));
  return Buffer.from(letters)
    .toString()
    .replaceAll(/(.{5})(?=.)/g, '$1-');
}
