/** Verifies the lines of a file with `crypto.verify` and nothing else. Prints how much processor time that took, in seconds. */
import { createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';

const [, , file = '', jwks = ''] = process.argv;
const key = createPublicKey({ key: JSON.parse(readFileSync(jwks, 'utf8')).keys[0], format: 'jwk' });
const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
const pairs = lines.map((line) => {
  const [signed = '', signature = ''] = line.split(' sig=');
  return { signed: Buffer.from(signed), signature: Buffer.from(signature, 'base64url') };
});
const before = process.cpuUsage();
if (!pairs.every(({ signed, signature }) => verify(null, signed, key, signature))) throw new Error('invalid signature');
const { user, system } = process.cpuUsage(before);
process.stdout.write(`${String((user + system) / 1_000_000)}\n`);
