/** Runs the commands of `docs/trust/verify-release.md`, as a user does. */
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { output } from '../programs.ts';

const verificationPage = 'docs/trust/verify-release.md';

export interface VerificationOptions {
  /** The folder with the downloaded files of the release. */
  readonly folder: string;
  readonly registry: string;
  readonly version: string;
  /** The arguments of cosign that say who must have signed. */
  readonly signer: readonly string[];
  /** Paths of executables. */
  readonly helm: string;
  readonly cosign: string;
  readonly plainHTTP: boolean;
}

/** Returns the blocks of commands of the page. The first one sets the variables of the others. */
export async function verificationBlocks(): Promise<string[]> {
  const page = await readFile(new URL(`../../${verificationPage}`, import.meta.url), 'utf8');
  return [...page.matchAll(/^```bash\n(.*?)^```$/gms)].map(([, text = '']) => text);
}

/** Runs one block with variables for this release. Resolves with its output. Rejects if a command fails. */
export async function runBlock(block: string, options: VerificationOptions): Promise<string> {
  const { folder, registry, version, signer, helm, cosign, plainHTTP } = options;
  const settings = [
    'set -euo pipefail',
    `cd '${folder}'`,
    `PATH='${dirname(helm)}:${dirname(cosign)}':"$PATH"`,
    `REGISTRY='${registry}' VERSION='${version}'`,
    `SIGNER=(${signer.map((argument) => `'${argument}'`).join(' ')})`,
    ...(plainHTTP ? ['helm() { command helm "$@" --plain-http; }'] : []),
  ];
  return output('bash', ['-c', [...settings, block].join('\n')], 120_000);
}
