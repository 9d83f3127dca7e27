import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { Certificate } from './self-signed.ts';

/**
 * `tls.crt` and `tls.key` of a folder, as a Secret of the type kubernetes.io/tls is mounted. Throws an error that quotes nothing of them where
 * they cannot be read or do not go together.
 */
export function readCertificate(folder: string): Certificate {
  try {
    const certificate = {
      cert: readFileSync(join(folder, 'tls.crt'), 'utf8'),
      key: readFileSync(join(folder, 'tls.key'), 'utf8'),
    };
    createSecureContext(certificate);
    return certificate;
  } catch {
    throw new Error(`no certificate with its key can be read from tls.crt and tls.key in ${folder}`);
  }
}
