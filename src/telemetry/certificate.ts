import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { Certificate } from './self-signed.ts';

/**
 * Returns the certificate in `tls.crt` and `tls.key` of a folder, such as a mounted Secret of type kubernetes.io/tls. Throws if they cannot be read or do
 * not belong together. The error quotes nothing of them.
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
    throw new Error(`no valid certificate and key in tls.crt and tls.key of ${folder}`);
  }
}
