import type { Readable } from 'node:stream';
import { withTimeout } from '../runtime/timeout.ts';

/** Returns the whole body as text. If it has more than `maxBytes`, stops reading and throws the error of `tooLong`. */
export async function readText(body: Readable, maxBytes: number, tooLong: () => Error): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunksOf(body)) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

export interface LineLimits {
  maxLineBytes: number;
  /** How long the body may send no data. */
  inactivityMs: number;
  tooLong: () => Error;
  silent: () => Error;
  /** Returns the error for a body that ends within a line. */
  cut: () => Error;
}

/** Yields the lines of the body as they arrive, without empty ones. Leaving the loop closes the body. */
export async function* readLines(body: Readable, limits: LineLimits): AsyncGenerator<string, void> {
  const { maxLineBytes, inactivityMs, tooLong, silent, cut } = limits;
  const chunks = chunksOf(body);
  let parts: Buffer[] = [];
  let bytes = 0;
  const add = (part: Buffer) => {
    bytes += part.length;
    if (bytes > maxLineBytes) throw tooLong();
    if (part.length > 0) parts.push(part);
  };
  try {
    for (;;) {
      const next = await withTimeout({ timeoutMs: inactivityMs, timedOut: silent }, () => chunks.next());
      if (next.done === true) break;
      let rest = next.value;
      for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
        add(rest.subarray(0, end));
        const line = Buffer.concat(parts).toString('utf8');
        parts = [];
        bytes = 0;
        rest = rest.subarray(end + 1);
        if (line.trim() !== '') yield line;
      }
      add(rest);
    }
    if (bytes > 0) throw cut();
  } finally {
    body.destroy();
  }
}

async function* chunksOf(body: Readable): AsyncGenerator<Buffer, void> {
  // A body that is closed early may emit an error when no other listener is left.
  body.on('error', () => undefined);
  for await (const chunk of body) yield Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
}
