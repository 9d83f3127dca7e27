/** The archive of the kubectl plugin, and its manifest for krew. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { operatorFile } from '../sandbox/operator-process.ts';
import { tarGz } from './tar.ts';

/** krew wants the file to have the name of the plugin. */
export const manifestName = 'auditlog.yaml';
export const archiveName = 'kubectl-auditlog.tar.gz';
const license = fileURLToPath(new URL('../LICENSE', import.meta.url));

export interface KrewOptions {
  readonly folder: string;
  readonly version: string;
  /** The folder on the web from which krew downloads the archive. */
  readonly url: string;
  /** The time of the files in the archive. */
  readonly time: Date;
}

/** Writes both files into the folder. `npm run build` has to come first. */
export function writeKrewPlugin({ folder, version, url, time }: KrewOptions): void {
  const files = [
    { path: 'LICENSE', content: readFileSync(license) },
    { path: 'operator.js.LEGAL.txt', content: readFileSync(`${operatorFile}.LEGAL.txt`) },
    // Node takes it for a module without a package.json.
    { path: 'operator.mjs', content: readFileSync(operatorFile), executable: true },
  ];
  const archive = tarGz(files, time);
  writeFileSync(join(folder, archiveName), archive);
  const sha256 = createHash('sha256').update(archive).digest('hex');
  writeFileSync(join(folder, manifestName), stringify(manifest(version, `${url}/${archiveName}`, sha256)));
}

function manifest(version: string, uri: string, sha256: string): object {
  return {
    apiVersion: 'krew.googlecontainertools.github.com/v1alpha2',
    kind: 'Plugin',
    metadata: { name: 'auditlog' },
    spec: {
      version: `v${version}`,
      shortDescription: 'Show whether Kong Konnect audit logs arrive',
      description: [
        'Shows for every AuditLogForwarding whether its audit logs arrive, what the operator would change in Konnect,',
        'and what is wrong. Verifies signatures of audit lines, compares them with the list of Konnect, and writes',
        'reports for auditors.',
        '',
      ].join('\n'),
      caveats: 'The plugin needs Node 22.19 or newer on the PATH.\n',
      platforms: [
        {
          selector: { matchExpressions: [{ key: 'os', operator: 'In', values: ['linux', 'darwin'] }] },
          uri,
          sha256,
          bin: 'operator.mjs',
        },
      ],
    },
  };
}
