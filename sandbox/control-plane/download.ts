import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { types } from 'node:util';
import { reporter } from './reporter.ts';

export interface DownloadOptions {
  /** Called with one line when the download begins, and every few seconds during it. */
  readonly progress: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
  /** Timeout until the first byte of the answer. Default 5 s. */
  readonly answerTimeoutMs?: number;
  /** Timeout between two parts of the answer. Default 30 s. */
  readonly stallTimeoutMs?: number;
  /** Timeout of the whole download. Default 30 min. */
  readonly downloadTimeoutMs?: number;
}

export interface Downloadable {
  /** For messages, such as `helm 4.2.3`. */
  readonly title: string;
  readonly url: string;
  /** The algorithm and hexadecimal digits. */
  readonly checksum: `${'sha256' | 'sha512'}:${string}`;
}

/**
 * Downloads `url` into `file` and verifies the checksum. Rejects with a message of one line if the checksum differs, or if the server does not
 * answer in time, stalls, closes the connection or answers with an error. `file` must not be used then.
 */
export async function download(source: Downloadable, file: string, options: DownloadOptions): Promise<void> {
  const { url, checksum } = source;
  const [algorithm = '', pinned] = checksum.split(':');
  const hash = createHash(algorithm);
  await writeFile(file, hashed(chunksOf(source, options), hash));
  const found = hash.digest('hex');
  if (found !== pinned)
    throw new Error(`${url} has the ${algorithm} ${found}, not the pinned ${pinned}; the file was not used`);
}

async function* hashed(chunks: AsyncIterable<Uint8Array>, hash: { update(chunk: Uint8Array): void }) {
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
}

async function* chunksOf({ title, url }: Downloadable, options: DownloadOptions): AsyncGenerator<Uint8Array> {
  const { progress, answerTimeoutMs = 5_000, stallTimeoutMs = 30_000, downloadTimeoutMs = 1_800_000 } = options;
  const { host } = new URL(url);
  const limits = new Limits();
  const answer = limits.set(answerTimeoutMs, `${host} did not answer within ${answerTimeoutMs / 1_000} s`);
  limits.set(downloadTimeoutMs, `the download from ${host} took longer than ${downloadTimeoutMs / 1_000} s`);
  let hasAnswered = false;
  try {
    const signal = options.signal === undefined ? limits.signal : AbortSignal.any([limits.signal, options.signal]);
    // Without a content encoding, the content length is the size of the file.
    const response = await fetch(url, { signal, headers: { 'accept-encoding': 'identity' } });
    hasAnswered = true;
    clearTimeout(answer);
    if (!response.ok) throw new Error(`${host} answered ${response.status}`);
    const stalled = limits.set(stallTimeoutMs, `the download from ${host} stalled for ${stallTimeoutMs / 1_000} s`);
    const size = Number(response.headers.get('content-length') ?? Number.NaN);
    const report = reporter(progress);
    report(() => `downloading ${title} from ${host} (${megabytes(size)}, once)`);
    let received = 0;
    for await (const chunk of response.body ?? []) {
      stalled.refresh();
      received += chunk.length;
      report(() => `downloading ${title}: ${megabytes(received)} of ${megabytes(size)}`);
      yield chunk;
    }
  } catch (error) {
    // fetch rejects with a TypeError if the network fails.
    if (!types.isNativeError(error) || error.name !== 'TypeError') throw error;
    throw new Error(hasAnswered ? `the download from ${host} broke off` : `${host} cannot be reached`, {
      cause: error,
    });
  } finally {
    limits.clear();
  }
}

function megabytes(bytes: number): string {
  return Number.isNaN(bytes) ? 'unknown size' : `${Math.ceil(bytes / 1e6)} MB`;
}

/** Aborts one signal by several timers, each with its own message. */
class Limits {
  readonly #controller = new AbortController();
  readonly #timers: NodeJS.Timeout[] = [];
  readonly signal = this.#controller.signal;

  set(ms: number, message: string): NodeJS.Timeout {
    const timer = setTimeout(() => this.#controller.abort(new Error(message)), ms);
    this.#timers.push(timer);
    return timer;
  }

  clear(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }
}
