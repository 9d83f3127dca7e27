import { createPublicKey, verify } from 'node:crypto';
import * as z from 'zod';

const JWKS = z.object({
  keys: z.array(
    z.object({
      kty: z.literal('OKP'),
      alg: z.literal('EdDSA'),
      crv: z.literal('Ed25519'),
      kid: z.string(),
      x: z.string(),
    }),
  ),
});

const signatureOf = {
  cef: / sig=([\w-]{86})$/,
  json: /,"sig":"([\w-]{86})"(?=\}+$)/,
  cps: /,"sig":"([\w-]{86})"(?=\}+$)/,
};

/**
 * Returns whether one of the keys of `jwks.json` signed the line, as Kong documents it: Ed25519 over the line without its signature. Throws if `jwks`
 * is not a JWKS of Konnect.
 */
export function isSigned(line: string, format: keyof typeof signatureOf, jwks: unknown): boolean {
  const [, signature] = signatureOf[format].exec(line) ?? [];
  if (signature === undefined) return false;
  const signed = Buffer.from(line.replace(signatureOf[format], ''));
  return JWKS.parse(jwks).keys.some((key) =>
    verify(null, signed, createPublicKey({ key, format: 'jwk' }), Buffer.from(signature, 'base64url')),
  );
}
