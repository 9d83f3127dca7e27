/** The public keys that Konnect signs audit lines with. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import * as z from 'zod';

/** More keys would make every line with a wrong signature slow. Konnect publishes one, and two while it rotates. */
const maxKeys = 16;

/** Says what is wrong with a JWKS. */
export class InvalidKeysError extends Error {
  override readonly name = 'InvalidKeysError';
}

const jwksSchema = z.object({ keys: z.array(z.record(z.string(), z.unknown())) });

/**
 * Returns the Ed25519 keys of a JWKS. The name of the algorithm is not read, because libraries disagree about it (`EdDSA`, `Ed25519`). Throws an
 * InvalidKeysError.
 */
export function toSigningKeys(jwks: unknown): readonly KeyObject[] {
  const parsed = jwksSchema.safeParse(jwks);
  if (!parsed.success) throw new InvalidKeysError('they are not an object with a list of keys');
  const keys = parsed.data.keys.flatMap((jwk) => toKey(jwk) ?? []);
  if (keys.length === 0) throw new InvalidKeysError('there is no Ed25519 key (kty OKP, crv Ed25519, x)');
  if (keys.length > maxKeys) throw new InvalidKeysError(`there are ${keys.length} keys, more than ${maxKeys}`);
  return keys;
}

function toKey({ kty, crv, x }: Readonly<Record<string, unknown>>): KeyObject | undefined {
  if (kty !== 'OKP' || crv !== 'Ed25519' || typeof x !== 'string') return undefined;
  try {
    return createPublicKey({ key: { kty, crv, x }, format: 'jwk' });
  } catch {
    return undefined;
  }
}
