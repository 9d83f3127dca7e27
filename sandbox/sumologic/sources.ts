import { messageTime } from './time.ts';

/** An HTTP source. Every client that knows its code may send to it. */
export interface SourceOptions {
  /** Last part of the source's URL, and its credential: letters, digits, `_`, `-` and `=`. */
  readonly code: string;
  /** Default `presigned-url`. With `auth-header` the code is not in the URL but in the header `x-sumo-token`, which Konnect cannot send. */
  readonly kind?: 'presigned-url' | 'auth-header';
  /** Default `Http Input`. */
  readonly name?: string;
  /** Default `Http Input`. */
  readonly category?: string;
  /** If set, requests with another `Authorization` get 401. SumoLogic itself ignores the header. */
  readonly authorization?: string;
  /** Maximum bytes of stored lines. Further lines get 200 and are dropped. Default: no limit. */
  readonly budgetBytes?: number;
}

export interface StoredLine {
  readonly line: string;
  readonly receivedAt: Date;
  readonly source: string;
  readonly category: string;
}

/** A stored line with the data that a search needs. */
export interface StoredMessage extends StoredLine {
  /** Increases in the order of arrival. */
  readonly id: number;
  readonly code: string;
  /** Timestamp of the line, else the time of its arrival. */
  readonly messageTimeMs: number;
}

export interface SourceState {
  readonly options: SourceOptions;
  readonly name: string;
  readonly category: string;
  keptBytes: number;
  droppedLines: number;
}

/** The sources and their messages. */
export interface Sources {
  /** Adds a source or replaces the one with the same code. The budget starts again, and lines stay. Throws on a malformed code. */
  set(options: SourceOptions): void;
  get(code: string): SourceState | undefined;
  all(): readonly SourceState[];
  /** Stores the non-empty lines of a body. Drops lines that exceed the budget. */
  keep(source: SourceState, body: string): void;
  /** Returns all messages in the order of arrival. */
  messages(): readonly StoredMessage[];
}

export function createSources(clock: () => Date): Sources {
  const byCode = new Map<string, SourceState>();
  const messages: StoredMessage[] = [];

  function set(options: SourceOptions): void {
    if (!/^[\w=-]+$/.test(options.code))
      throw new Error('the code of a source may only contain letters, digits, _, - and =');
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
