import type { Readable } from 'node:stream';
import { withTimeout } from '../runtime/timeout.ts';

/** The whole body as text; throws what `tooLong` answers, and stops reading, once it has more than `maxBytes`. */
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
  /** How long the body may stay silent while a line is waited for. */
  inactivityMs: number;
  tooLong: () => Error;
  silent: () => Error;
  /** For a body that ends amid a line. */
  cut: () => Error;
}

/** The body's lines as they come in; empty ones are passed over. Leaving the loop ends the body. */
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
  // A body that is ended early may report that as an error when nobody listens any more.
  body.on('error', () => undefined);
  for await (const chunk of body) yield Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
}
