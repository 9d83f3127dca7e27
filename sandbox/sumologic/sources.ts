import { messageTime } from './time.ts';

/** An HTTP source: whoever knows its code may send to it. */
export interface SourceOptions {
  /** The last part of the source's URL, and the credential in it: letters, digits, `_`, `-` and `=`. */
  readonly code: string;
  /** Default `Http Input`. */
  readonly name?: string;
  /** Default `Http Input`. */
  readonly category?: string;
  /** If set, requests with another `Authorization` get 401. SumoLogic itself does not look at it. */
  readonly authorization?: string;
  /** Bytes of lines that are kept; what comes above is answered 200 and dropped. Default: no limit. */
  readonly budgetBytes?: number;
}

export interface StoredLine {
  readonly line: string;
  readonly receivedAt: Date;
  readonly source: string;
  readonly category: string;
}

/** A stored line with what a search needs. */
export interface StoredMessage extends StoredLine {
  /** Counts up in the order of arrival. */
  readonly id: number;
  readonly code: string;
  /** The time the line tells, or that of its arrival if it tells none. */
  readonly messageTimeMs: number;
}

export interface SourceState {
  readonly options: SourceOptions;
  readonly name: string;
  readonly category: string;
  keptBytes: number;
  droppedLines: number;
}

/** The sources and everything that was sent to them. */
export interface Sources {
  /** Adds a source; one of the same code is replaced, its budget starts anew and its lines stay as they were. Throws on a malformed code. */
  set(options: SourceOptions): void;
  get(code: string): SourceState | undefined;
  all(): readonly SourceState[];
  /** Keeps the non-empty lines of a body, or drops those over the budget. */
  keep(source: SourceState, body: string): void;
  /** In the order of arrival. */
  messages(): readonly StoredMessage[];
}

export function createSources(clock: () => Date): Sources {
  const byCode = new Map<string, SourceState>();
  const messages: StoredMessage[] = [];

  function set(options: SourceOptions): void {
    if (!/^[\w=-]+$/.test(options.code)) throw new Error('a source code is made of letters, digits, _, - and =');
    const { name = 'Http Input', category = 'Http Input' } = options;
    byCode.set(options.code, { options, name, category, keptBytes: 0, droppedLines: 0 });
  }

  function keep(source: SourceState, body: string): void {
    const receivedAt = clock();
    for (const line of body.split(/\r?\n/)) {
      if (line === '') continue;
      const bytes = Buffer.byteLength(line);
      if (source.keptBytes + bytes > (source.options.budgetBytes ?? Infinity)) {
        source.droppedLines += 1;
        continue;
      }
      source.keptBytes += bytes;
      messages.push({
        id: messages.length + 1,
        code: source.options.code,
        line,
        receivedAt,
        messageTimeMs: messageTime(line) ?? receivedAt.getTime(),
        source: source.name,
        category: source.category,
      });
    }
  }

  return { set, keep, get: (code) => byCode.get(code), all: () => [...byCode.values()], messages: () => messages };
}
