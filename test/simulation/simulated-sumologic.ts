import { formatLine } from '../../sandbox/konnect/delivery/audit-line.ts';
import { type KonnectModel, type RecordedEvent, type ReplayJob, webhookIn } from '../../sandbox/konnect/model.ts';
import { createSearchAPI } from '../../sandbox/sumologic/search-api.ts';
import { createSearchJobs, defaultSearchBehavior, type SearchJobs } from '../../sandbox/sumologic/search-jobs.ts';
import { createSources, type Sources } from '../../sandbox/sumologic/sources.ts';
import type { HTTPOutcome, HTTPRequest } from '../../src/http/http-connections.ts';
import { blue } from '../support/konnect-fixtures.ts';
import type { Call, Fault } from './faults.ts';

export const accessKey = { id: 'suCANARYaccess', key: 'CANARYaccessKey' };
const source = { code: 'CANARYsource', name: 'Konnect' };
const region = 'us';
const gatheringMs = 1_000;
const deliveryMs = 1_000;

/** SumoLogic in the same process: it gets the lines of the organization blue in the region us, and has the search API of the local SumoLogic. */
export class SimulatedSumoLogic {
  /** Decides which lines it drops with HTTP 200. */
  drops: (recorded: RecordedEvent, isReplayed: boolean) => boolean = () => false;
  readonly #konnect: KonnectModel;
  readonly #sources: Sources;
  readonly #jobs: SearchJobs;
  readonly #api: ReturnType<typeof createSearchAPI>;
  /** The last event that Konnect has sent. */
  #sequence = 0;
  readonly #missing = new Set<RecordedEvent>();
  #replayed: ReplayJob | undefined;
  #receiptMs = 0;

  constructor(konnect: KonnectModel) {
    this.#konnect = konnect;
    const { clock } = konnect;
    this.#sources = createSources(() => new Date(this.#receiptMs));
    this.#sources.set(source);
    const messages = () => this.#sources.messages();
    // A job that no cookie hides has to be deleted, also by the next process.
    const behavior = { ...defaultSearchBehavior, needsCookies: false };
    this.#jobs = createSearchJobs({ messages, clock, gatheringMs, behavior });
    this.#api = createSearchAPI({ accessKeys: [accessKey], jobs: this.#jobs, clock, url: () => 'http://127.0.0.1' });
  }

  /** Returns the IDs of the search jobs that exist. */
  get jobs(): readonly string[] {
    return this.#jobs.ids();
  }

  async send({ method, url, headers, body }: HTTPRequest): Promise<HTTPOutcome> {
    this.#receive();
    const named = { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
    const answer = await this.#api.answer({ method, url, headers: named, body: () => Promise.resolve(body) });
    const cookies = [answer.headers?.['set-cookie'] ?? []].flat();
    const parsed: object = JSON.parse(JSON.stringify(answer.body));
    return { kind: 'answer', status: answer.status, body: parsed, headers: { 'set-cookie': cookies } };
  }

  /** Gets what Konnect has sent since the last time, also by a replay. */
  #receive(): void {
    const organization = this.#konnect.organizations.get(blue);
    if (organization === undefined) return;
    for (const recorded of organization.events) {
      if (recorded.sequence <= this.#sequence || recorded.region !== region) continue;
      this.#sequence = recorded.sequence;
      this.#keep(recorded, recorded.event.at.getTime() + deliveryMs, false);
    }
    const { replay } = webhookIn(organization, region);
    if (replay?.startedAt === undefined || replay === this.#replayed) return;
    this.#replayed = replay;
    for (const recorded of this.#missing) {
      const atMs = recorded.event.at.getTime();
      const isSent = Date.parse(replay.startAt) <= atMs && atMs <= Date.parse(replay.endAt);
      if (isSent) this.#keep(recorded, replay.startedAt.getTime(), true);
    }
  }

  #keep(recorded: RecordedEvent, receiptMs: number, isReplayed: boolean): void {
    const state = this.#sources.get(source.code);
    if (state === undefined || this.drops(recorded, isReplayed)) {
      this.#missing.add(recorded);
      return;
    }
    this.#receiptMs = receiptMs;
    this.#sources.keep(state, formatLine(recorded.event, 'cef'));
    this.#missing.delete(recorded);
  }
}

const requests: Readonly<Record<string, string>> = {
  POST: 'create search job',
  GET: 'look at search job',
  DELETE: 'delete search job',
};

/** Returns the call that a request to SumoLogic is. */
export function sumoLogicCall({ method, url }: Pick<HTTPRequest, 'method' | 'url'>): Call {
  const id = /\/search\/jobs\/([^/]+)/.exec(url.pathname)?.[1];
  return {
    system: 'sumologic',
    what: url.pathname.endsWith('/messages') ? 'read messages' : (requests[method] ?? method),
    kind: method === 'GET' ? 'read' : 'write',
    // A verification also creates a job when nothing has changed.
    isObservation: true,
    touchesDestinations: false,
    creates: false,
    hasBody: true,
    ...(id === undefined ? {} : { object: `search-job/${id}` }),
  };
}

/** What a client of SumoLogic gets for a fault without a crash. */
export class SumoLogicFault extends Error {
  override readonly name = 'SumoLogicFault';
  readonly outcome: HTTPOutcome;

  constructor(fault: Fault) {
    super(fault);
    const [, status] = /^http-(\d+)/.exec(fault) ?? [];
    if (status !== undefined) this.outcome = { kind: 'answer', status: Number(status), body: {}, headers: {} };
    else if (fault === 'truncated') this.outcome = { kind: 'answer', status: 200, body: 'unreadable', headers: {} };
    else this.outcome = { kind: 'none', code: fault === 'timeout' ? 'ETIMEDOUT' : 'ECONNRESET', isSent: true };
  }
}
