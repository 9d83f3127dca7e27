// Must be imported before @peculiar/x509.
import 'reflect-metadata';
import type { webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';

const keyAlgorithm = { name: 'ECDSA', namedCurve: 'P-256' };
const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' };
/** Certificates are valid from an hour ago, so that clients with a slow clock accept them. */
const backdatedMs = 3_600_000;
/** Longer than any sandbox runs. */
const validForMs = 30 * 24 * 3_600_000;

/** A certificate authority of the sandbox. Its private key stays in the process. */
export interface Authority {
  /** The authority's own certificate, PEM. */
  readonly certificate: string;
  /** Issues a certificate with a new key, both as PEM. The key is PKCS #8. */
  issue(request: CertificateRequest): Promise<{ certificate: string; key: string }>;
}

export interface CertificateRequest {
  commonName: string;
  /** `O=` in the subject. Kubernetes uses them as groups. */
  organizations?: readonly string[];
  /** DNS names and IP addresses of the server. */
  hosts?: readonly string[];
  usage: 'server' | 'client';
}

/** Creates a certificate authority (ECDSA P-256). */
export async function createAuthority(commonName: string): Promise<Authority> {
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [commonName] }],
    keys,
    signingAlgorithm,
    ...validity(),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });

  async function issue(request: CertificateRequest): Promise<{ certificate: string; key: string }> {
    const leafKeys = await generateKeys();
    const leaf = await x509.X509CertificateGenerator.create({
      subject: [...(request.organizations ?? []).map((name) => ({ O: [name] })), { CN: [request.commonName] }],
      issuer: certificate.subjectName,
      publicKey: leafKeys.publicKey,
      signingKey: keys.privateKey,
      signingAlgorithm,
      ...validity(),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage[`${request.usage}Auth`]]),
        ...(request.hosts === undefined ? [] : [new x509.SubjectAlternativeNameExtension(request.hosts.map(hostName))]),
        await x509.SubjectKeyIdentifierExtension.create(leafKeys.publicKey),
        await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return { certificate: pem(leaf), key: await exportKey(leafKeys.privateKey) };
  }

  return { certificate: pem(certificate), issue };
}

/** Creates a key pair that signs tokens (ECDSA P-256). Both are PEM: PKCS #8 and SubjectPublicKeyInfo. */
export async function createSigningKeys(): Promise<{ privateKey: string; publicKey: string }> {
  const keys = await generateKeys();
  const spki = await crypto.subtle.exportKey('spki', keys.publicKey);
  return {
    privateKey: await exportKey(keys.privateKey),
    publicKey: endLine(x509.PemConverter.encode(spki, 'PUBLIC KEY')),
  };
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(keyAlgorithm, true, ['sign', 'verify']);
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  return endLine(x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY'));
}

function validity(): { notBefore: Date; notAfter: Date } {
  const nowMs = Date.now();
  return { notBefore: new Date(nowMs - backdatedMs), notAfter: new Date(nowMs + validForMs) };
}

function hostName(host: string): x509.JsonGeneralName {
  return { type: isIP(host) === 0 ? 'dns' : 'ip', value: host };
}

function pem(certificate: x509.X509Certificate): string {
  return endLine(certificate.toString('pem'));
}

function endLine(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}
