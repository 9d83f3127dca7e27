import { rename, writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';

export type User = { name: string } & (
  | { certificate: string; key: string }
  | { token: string }
  /** Path of a file that holds the token. */
  | { tokenFile: string }
);

/** Writes a kubeconfig that only its owner may read. The file is replaced atomically. */
export async function writeKubeconfig(
  path: string,
  access: { url: string; certificateAuthority: string; namespace?: string; user: User },
): Promise<void> {
  const { url, certificateAuthority, namespace = 'default', user } = access;
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'sandbox', cluster: { server: url, 'certificate-authority-data': base64(certificateAuthority) } },
    ],
    users: [
      {
        name: user.name,
        user:
          'token' in user
            ? { token: user.token }
            : 'tokenFile' in user
              ? { tokenFile: user.tokenFile }
              : { 'client-certificate-data': base64(user.certificate), 'client-key-data': base64(user.key) },
      },
    ],
    contexts: [{ name: 'sandbox', context: { cluster: 'sandbox', user: user.name, namespace } }],
    'current-context': 'sandbox',
  };
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, stringify(config), { mode: 0o600 });
  await rename(temporary, path);
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
