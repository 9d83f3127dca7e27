import { gzipSync } from 'node:zlib';

/** Returns a gzipped tar archive of these files. A path that ends with a slash is a folder. */
export function tarball(files: Readonly<Record<string, string | Buffer>>): Buffer {
  const blocks = Object.entries(files).flatMap(([path, text]) => {
    const content = Buffer.from(text);
    return [
      tarHeader(path, content.length),
      content,
      Buffer.alloc((blockSize - (content.length % blockSize)) % blockSize),
    ];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(2 * blockSize)]));
}

const blockSize = 512;

export function tarHeader(path: string, size: number): Buffer {
  const header = Buffer.alloc(blockSize);
  header.write(path, 0);
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  header.write(path.endsWith('/') ? '5' : '0', 156);
  return header;
}
