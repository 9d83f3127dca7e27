import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';

/** An Ed25519 public key as Konnect's `jwks.json` shows it. */
export interface PublicSigningKey {
  readonly kty: 'OKP';
  readonly alg: 'EdDSA';
  readonly crv: 'Ed25519';
  readonly kid: string;
  readonly x: string;
}

/** The keys that audit lines are signed with. */
export interface KeyRing {
  /** The private key that signs now: the newest. */
  readonly signingKey: () => KeyObject;
  /** The public keys, oldest first. */
  readonly jwks: () => { readonly keys: readonly PublicSigningKey[] };
  /** A new key signs from now on; the former ones stay in the JWKS. */
  readonly rotate: () => void;
  /** Takes every key but the signing one out of the JWKS: lines signed with them verify no more. */
  readonly retire: () => void;
}

interface SigningKey {
  readonly privateKey: KeyObject;
  readonly published: PublicSigningKey;
}

/** A ring of `count` (at least one) new keys, of which the newest signs. */
export function createKeyRing(count: number): KeyRing {
  let newest = createKey();
  const former = Array.from({ length: Math.max(0, count - 1) }, createKey);

  return {
    signingKey: () => newest.privateKey,
    jwks: () => ({ keys: [...former, newest].map((key) => key.published) }),
    rotate(): void {
      former.push(newest);
      newest = createKey();
    },
    retire(): void {
      former.length = 0;
    },
  };
}

function createKey(): SigningKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const { x = '' } = publicKey.export({ format: 'jwk' });
  return { privateKey, published: { kty: 'OKP', alg: 'EdDSA', crv: 'Ed25519', kid: randomUUID(), x } };
}
