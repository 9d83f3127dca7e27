import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';

/** An Ed25519 public key as Konnect's `jwks.json` shows it. */
export interface PublicSigningKey {
  readonly kty: 'OKP';
  readonly alg: 'EdDSA';
  readonly crv: 'Ed25519';
  readonly kid: string;
  readonly x: string;
}

/** The keys that sign audit lines. */
export interface KeyRing {
  /** Returns the newest private key, which signs. */
  readonly signingKey: () => KeyObject;
  /** Returns the public keys, oldest first. */
  readonly jwks: () => { readonly keys: readonly PublicSigningKey[] };
  /** Adds a new key, which signs from now on. The previous keys stay in the JWKS. */
  readonly rotate: () => void;
  /** Removes all keys except the signing key from the JWKS. Lines signed with the removed keys no longer verify. */
  readonly retire: () => void;
}

interface SigningKey {
  readonly privateKey: KeyObject;
  readonly published: PublicSigningKey;
}

/** Creates a ring of `count` new keys, at least one. The newest signs. */
export function createKeyRing(count: number): KeyRing {
  let newest = createKey();
  const previous = Array.from({ length: Math.max(0, count - 1) }, createKey);

  return {
    signingKey: () => newest.privateKey,
    jwks: () => ({ keys: [...previous, newest].map((key) => key.published) }),
    rotate(): void {
      previous.push(newest);
      newest = createKey();
    },
    retire(): void {
      previous.length = 0;
    },
  };
}

function createKey(): SigningKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const { x = '' } = publicKey.export({ format: 'jwk' });
  return { privateKey, published: { kty: 'OKP', alg: 'EdDSA', crv: 'Ed25519', kid: randomUUID(), x } };
}
