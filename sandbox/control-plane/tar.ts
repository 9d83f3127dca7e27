import { buffer } from 'node:stream/consumers';

export interface TarFile {
  readonly path: string;
  /** Read it to its end, or not at all, before the next file. */
  readonly content: AsyncIterable<Buffer>;
}

const blockSize = 512;

/** Yields the regular files of a tar archive (ustar: 512-byte headers, name at 0, size in octal at 124, type at 156). Rejects if it is cut off. */
export async function* tarFiles(archive: AsyncIterable<Buffer>): AsyncGenerator<TarFile> {
  const bytes = new ByteReader(archive);
  for (;;) {
    const header = await bytes.exactly(blockSize);
    if (header[0] === 0) break;
    const size = Number.parseInt(text(header, 124, 12), 8);
    if (!Number.isSafeInteger(size)) throw new Error(damaged);
    const type = text(header, 156, 1);
    const content = bytes.next(size);
    if (type === '0' || type === '') yield { path: text(header, 0, 100), content };
    for await (const _ of content);
    await bytes.exactly((blockSize - (size % blockSize)) % blockSize);
  }
  await bytes.drain();
}

const damaged = 'the archive is damaged';

/** Reads a stream of chunks by numbers of bytes. */
class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  async *next(size: number): AsyncGenerator<Buffer> {
    let missing = size;
    while (missing > 0) {
      if (this.#rest.length === 0 && !(await this.#fill())) throw new Error(damaged);
      const piece = this.#rest.subarray(0, missing);
      this.#rest = this.#rest.subarray(piece.length);
      missing -= piece.length;
      yield piece;
    }
  }

  async exactly(size: number): Promise<Buffer> {
    return buffer(this.next(size));
  }

  async drain(): Promise<void> {
    while (await this.#fill());
  }

  async #fill(): Promise<boolean> {
    const { done, value } = await this.#chunks.next();
    if (done === true) return false;
    this.#rest = value;
    return true;
  }
}

function text(header: Buffer, start: number, length: number): string {
  const field = header.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end === -1 ? length : end);
}
