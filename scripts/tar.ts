/** A tar archive whose bytes depend on nothing but its files. */
import { gzipSync } from 'node:zlib';

export interface TarFile {
  readonly path: string;
  readonly content: Buffer;
  readonly executable?: boolean;
}

const blockSize = 512;

/** Returns the gzipped archive. All files belong to root and have the given time. */
export function tarGz(files: readonly TarFile[], time: Date): Buffer {
  const blocks = files.flatMap((file) => {
    const padding = (blockSize - (file.content.length % blockSize)) % blockSize;
    return [header(file, time), file.content, Buffer.alloc(padding)];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(2 * blockSize)]), { level: 9 });
}

/** Returns the header of the format ustar. */
function header({ path, content, executable = false }: TarFile, time: Date): Buffer {
  if (Buffer.byteLength(path) > 100) throw new Error(`${path} is too long for a tar archive`);
  const block = Buffer.alloc(blockSize);
  const octal = (value: number, offset: number, length: number) =>
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, offset);
  block.write(path, 0);
  octal(executable ? 0o755 : 0o644, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(content.length, 124, 12);
  octal(Math.floor(time.getTime() / 1_000), 136, 12);
  // The checksum is computed as if it consisted of blanks.
  block.write('        ', 148);
  block.write('0', 156);
  block.write('ustar\u000000', 257);
  const checksum = block.reduce((sum, byte) => sum + byte, 0);
  block.write(`${checksum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}
