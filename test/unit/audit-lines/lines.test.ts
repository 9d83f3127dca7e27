import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { linesOf } from '../../../src/audit-lines/lines.ts';
import { anyCharacter } from '../../support/any-character.ts';

async function read(chunks: readonly Buffer[]): Promise<string[]> {
  const lines: string[] = [];
  for await (const some of linesOf(Readable.from(chunks))) lines.push(...some);
  return lines;
}

/** Cuts bytes at random places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].toSorted((a, b) => a - b);
  return [...at, bytes.length].map((end, index) => bytes.subarray(at[index - 1] ?? 0, end));
}

describe('linesOf', () => {
  test('yields every line, however the stream is cut, with gzip or without', async () => {
    const line = fc.string({ unit: anyCharacter, maxLength: 20 }).map((text) => text.replaceAll('\n', ' '));
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { minLength: 1 }).filter((lines) => lines.at(-1) !== ''),
        fc.array(fc.nat(), { maxLength: 5 }),
        fc.boolean(),
        async (lines, places, isGzip) => {
          const bytes = Buffer.from(lines.join('\n'));
          const chunks = cut(isGzip ? gzipSync(bytes) : bytes, places);
          const expected = lines.map((text) => Buffer.from(text).toString('latin1'));
          expect(await read(chunks)).toEqual(expected);
        },
      ),
    );
  });

  test('reads several gzip members one after the other', async () => {
    expect(await read([gzipSync('a\nb\n'), gzipSync('c\n')])).toEqual(['a', 'b', 'c']);
  });

  test('yields an empty line instead of one that is too long, and keeps the others', async () => {
    const long = Buffer.alloc(300_000, 'x');
    expect(await read([Buffer.from('a\n'), long, long, long, long, Buffer.from('\nb\n')])).toEqual(['a', '', 'b']);
  });

  test('rejects when gzip is damaged, or ends too early', async () => {
    const whole = gzipSync(Buffer.alloc(100_000, 'line\n'));
    await expect(read([whole.subarray(0, -10)])).rejects.toThrow('unexpected end of file');
  });

  test('yields nothing for an empty stream', async () => {
    expect(await read([])).toEqual([]);
  });
});
