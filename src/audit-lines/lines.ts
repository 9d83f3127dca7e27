/** Reads lines from a stream of bytes. */
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** A longer line is no audit line. Konnect's have less than a kilobyte, and a wrapped one a few. */
const maxLineBytes = 1024 * 1024;
const newline = 0x0a;
const gzipMagic = Buffer.of(0x1f, 0x8b);

/**
 * Yields the lines of a stream, many at a time: in latin1, one character for each byte, and without line ends. A line that is longer than 1 MiB is
 * empty. Memory is bounded by the size of a chunk and of a line, whatever the stream has. Reads gzip as well. Rejects with the error of the stream, or
 * of gzip.
 */
export async function* linesOf(source: AsyncIterable<Buffer>): AsyncGenerator<readonly string[]> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const chunk of inflated(source)) {
    const end = chunk.lastIndexOf(newline);
    if (end === -1) {
      // Of a line that is too long, the length is all that matters.
      if (restBytes <= maxLineBytes) rest.push(chunk);
      restBytes += chunk.length;
      continue;
    }
    const first = chunk.indexOf(newline);
    const line = joined([...rest, chunk.subarray(0, first)], restBytes + first);
    const lines = first === end ? [] : chunk.toString('latin1', first + 1, end).split('\n');
    yield [line, ...lines];
    rest = [chunk.subarray(end + 1)];
    restBytes = chunk.length - end - 1;
  }
  if (restBytes > 0) yield [joined(rest, restBytes)];
}

function joined(parts: readonly Buffer[], bytes: number): string {
  return bytes > maxLineBytes ? '' : Buffer.concat(parts).toString('latin1');
}

/** Yields the stream, inflated if it begins as gzip does. */
async function* inflated(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const iterator = source[Symbol.asyncIterator]();
  let start = Buffer.alloc(0);
  while (start.length < gzipMagic.length) {
    const { done, value } = await iterator.next();
    if (done === true) break;
    start = Buffer.concat([start, value]);
  }
  const whole = (async function* () {
    if (start.length > 0) yield start;
    yield* { [Symbol.asyncIterator]: () => iterator };
  })();
  if (!start.subarray(0, gzipMagic.length).equals(gzipMagic)) yield* whole;
  // An error of one stream ends both, and reaches the reader.
  else yield* pipeline(Readable.from(whole), createGunzip(), () => {});
}
