import { promisify } from 'node:util';
import { inflateRaw } from 'node:zlib';

/** Resolves with one file of a ZIP archive (deflated or stored, no ZIP64, no encryption). Rejects if it is missing or the archive is damaged. */
export async function zipEntry(zip: Buffer, path: string): Promise<Buffer> {
  const entry = findEntry(zip, path);
  // The local header states its own lengths of the name and the extra field.
  const start = entry.offset + 30 + zip.readUInt16LE(entry.offset + 26) + zip.readUInt16LE(entry.offset + 28);
  const packed = zip.subarray(start, start + entry.packedSize);
  const content = entry.method === 0 ? packed : await promisify(inflateRaw)(packed);
  if (content.length !== entry.size) throw new Error(`the archive is damaged: ${path} does not have its stated size`);
  return content;
}

interface Entry {
  method: number;
  packedSize: number;
  size: number;
  /** Position of the local header. */
  offset: number;
}

const endSignature = Buffer.from('PK\x05\x06', 'latin1');
const entrySignature = 0x02014b50;

function findEntry(zip: Buffer, path: string): Entry {
  const end = zip.lastIndexOf(endSignature);
  if (end === -1) throw new Error('not a ZIP archive');
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left -= 1) {
    if (zip.readUInt32LE(at) !== entrySignature) throw new Error('the archive is damaged');
    const nameLength = zip.readUInt16LE(at + 28);
    if (zip.toString('utf8', at + 46, at + 46 + nameLength) === path) {
      return {
        method: zip.readUInt16LE(at + 10),
        packedSize: zip.readUInt32LE(at + 20),
        size: zip.readUInt32LE(at + 24),
        offset: zip.readUInt32LE(at + 42),
      };
    }
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  throw new Error(`the archive does not contain ${path}`);
}
