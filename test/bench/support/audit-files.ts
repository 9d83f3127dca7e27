/** Writes files of audit lines that look like Konnect's. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const beginMs = Date.parse('2026-01-02T03:04:05Z');
const userAgent = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36';
const organization = '11111111-2222-4333-8444-555555555555';
const principal = '87655c36-8d63-48fe-9a1e-53b28dfbc19b';

/** Returns an audit line without a signature. */
export function auditLine(index: number): string {
  const fields = `rt=${String(beginMs + index)} src=192.0.2.7 action=list granted=true org_id=${organization} principal_id=${principal}`;
  return `2026-01-02T03:04:05Z konghq.com CEF:0|KongInc|Konnect|1.0|konnect|Authz.portals|1|${fields} trace_id=${traceOf(index)} user_agent=${userAgent}`;
}

/** Returns the entry of Konnect's list about the same event. */
export function listEntry(index: number): string {
  return JSON.stringify({
    type: 'authorization',
    ts: new Date(beginMs + index).toISOString(),
    org_id: organization,
    action: 'list',
    granted: true,
    principal_id: principal,
    trace_id: traceOf(index),
    user_agent: userAgent,
  });
}

function traceOf(index: number): string {
  return String(1_000_000_000_000_000_000n + BigInt(index) * 7_919n);
}

/** Writes `count` lines. Resolves with the path. */
export async function writeLines(
  folder: string,
  name: string,
  count: number,
  line: (index: number) => string,
): Promise<string> {
  const file = join(folder, name);
  const atOnce = 2_000;
  const blocks = function* () {
    for (let from = 0; from < count; from += atOnce) {
      const length = Math.min(atOnce, count - from);
      yield Array.from({ length }, (_, index) => `${line(from + index)}\n`).join('');
    }
  };
  await pipeline(Readable.from(blocks()), createWriteStream(file));
  return file;
}

/** Writes the public key. Resolves with its path, and with a function that signs a line. */
export async function writeKey(folder: string): Promise<{ jwks: string; signed: (line: string) => string }> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const jwks = join(folder, 'jwks.json');
  await writeFile(jwks, JSON.stringify({ keys: [publicKey.export({ format: 'jwk' })] }));
  return {
    jwks,
    signed: (line) => `${line} sig=${sign(null, Buffer.from(line), privateKey).toString('base64url')}`,
  };
}
