/** What cosign signs, and with which arguments. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { output } from '../programs.ts';

export interface Signer {
  /** The path of the executable. */
  readonly cosign: string;
  readonly signArguments: readonly string[];
  readonly verifyArguments: readonly string[];
}

/** Returns a signer for a workflow of GitHub: Sigstore issues a certificate for its identity, and logs each signature in public. */
export function workflowSigner(cosign: string, identity: string): Signer {
  return {
    cosign,
    signArguments: ['--yes'],
    verifyArguments: [
      '--certificate-oidc-issuer=https://token.actions.githubusercontent.com',
      `--certificate-identity=${identity}`,
    ],
  };
}

/** Resolves with a signer that has a new pair of keys in `folder`, and uses no server. */
export async function keySigner(cosign: string, folder: string): Promise<Signer> {
  const prefix = join(folder, 'cosign');
  await output('env', ['COSIGN_PASSWORD=', cosign, 'generate-key-pair', `--output-key-prefix=${prefix}`]);
  return {
    cosign,
    signArguments: ['--yes', `--key=${prefix}.key`, '--use-signing-config=false', '--tlog-upload=false'],
    verifyArguments: [`--key=${prefix}.pub`, '--insecure-ignore-tlog=true'],
  };
}

/** `reference` has a digest. The images of an index are signed too. */
export async function signImage(signer: Signer, reference: string): Promise<void> {
  await callCosign(signer, 'sign', ['--recursive', reference]);
}

/** `type`: a name that cosign knows. */
export async function attest(signer: Signer, reference: string, type: string, predicate: string): Promise<void> {
  await callCosign(signer, 'attest', [`--type=${type}`, `--predicate=${predicate}`, reference]);
}

/** Writes the signature to a file beside the signed one. */
export async function signFile(signer: Signer, file: string): Promise<void> {
  await callCosign(signer, 'sign-blob', [`--bundle=${file}.sigstore.json`, file]);
}

async function callCosign(
  { cosign: file, signArguments }: Signer,
  command: string,
  args: readonly string[],
): Promise<void> {
  await output('env', ['COSIGN_PASSWORD=', file, command, ...signArguments, ...args], 120_000);
}

export interface ProvenanceOptions {
  readonly commit: string;
  readonly base: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Writes the predicate of SLSA's provenance, with what GitHub says about the workflow. Resolves with the path. A dry run has no workflow, and says so. */
export async function writeProvenance(folder: string, { commit, base, env }: ProvenanceOptions): Promise<string> {
  const server = env['GITHUB_SERVER_URL'];
  const repository = `${server ?? ''}/${env['GITHUB_REPOSITORY'] ?? ''}`;
  const run = `${repository}/actions/runs/${env['GITHUB_RUN_ID'] ?? ''}/attempts/${env['GITHUB_RUN_ATTEMPT'] ?? ''}`;
  const [workflow = '', ref = ''] = (env['GITHUB_WORKFLOW_REF'] ?? '').split('@');
  const predicate = {
    buildDefinition: {
      buildType: 'https://actions.github.io/buildtypes/workflow/v1',
      externalParameters:
        server === undefined
          ? { workflow: { repository: 'dry run', path: 'scripts/release/main.ts', ref: 'none' } }
          : { workflow: { repository, path: workflow.split('/').slice(2).join('/'), ref } },
      resolvedDependencies: [
        { uri: server === undefined ? 'dry run' : `git+${repository}@${ref}`, digest: { gitCommit: commit } },
        { uri: `docker://${base}`, digest: { sha256: base.replace(/^.*@sha256:/, '') } },
      ],
    },
    runDetails: {
      builder: { id: server === undefined ? 'dry run' : `${server}/actions/runner/github-hosted` },
      ...(server === undefined ? {} : { metadata: { invocationId: run } }),
    },
  };
  const path = join(folder, 'provenance.json');
  await writeFile(path, `${JSON.stringify(predicate, null, 2)}\n`);
  return path;
}
