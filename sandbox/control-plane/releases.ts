/** Executables of official releases, with the checksums that their publishers name. */
import type { Archive } from './archive.ts';

interface Release extends Pick<Archive, 'name' | 'version' | 'executables'> {
  readonly url: (version: string, machine: string) => string;
  /** By machine. */
  readonly checksums: Readonly<Record<string, Archive['checksum']>>;
}

/** Checksums from `envtest-releases.yaml` of kubernetes-sigs/controller-tools. */
const envtest: Release = {
  name: 'envtest',
  version: 'v1.37.0',
  executables: ['etcd', 'kube-apiserver', 'kubectl'],
  url: (version, machine) =>
    `https://github.com/kubernetes-sigs/controller-tools/releases/download/envtest-${version}/envtest-${version}-${machine}.tar.gz`,
  checksums: {
    'linux-amd64':
      'sha512:1d1c453633b72c161a5d5a886cde7ac850be1a2ac796a9e1d4ffacacc64868295bdd2d57aa66cd0c158f5ce510f5dfe3fbc61ac21bd3dcfb875bd70658aa663a',
    'linux-arm64':
      'sha512:ae6a670502988200b0131c943758cfd3d3a58cf4e6247ef7f0e6a6467f1cd9a333c802e86101f0446b1b92a0e327387224e1e44fe1a4693da0929c6e529cfe9a',
    'darwin-amd64':
      'sha512:19a2a5376a8aa57a7b25ec5198834db29bf2ba0d6ff572d7f45ba683b13fb14c3ebec8069e92db66c39f1c7a9cff1bc2be879e2aacdc9fa8b8a7e861959bdf7b',
    'darwin-arm64':
      'sha512:fb38cfacdd71b5e97a4d4cceac861af5f55069cf783f0e49cf181bfc32eb3e557c2091a534dc5d38f1b92c5ba142bc1979f215a5385b3630ea6a661be6fa161b',
  },
};

/**
 * Checksums from `CHANGELOG/CHANGELOG-1.37.md` of kubernetes/kubernetes, which has those of archives only, not of executables. Kubernetes
 * publishes its servers for Linux only.
 */
const kubernetesServer: Release = {
  name: 'kubernetes-server',
  version: 'v1.37.2',
  executables: ['kube-controller-manager'],
  url: (version, machine) => `https://dl.k8s.io/${version}/kubernetes-server-${machine}.tar.gz`,
  checksums: {
    'linux-amd64':
      'sha512:0956faf23fbe144f7b7d787bd3c9fa601a2916c30152d7788f4d5155168d1db353e252ee865f196c55c24b5c1e8ef9aa351ce5aa34afe2506ed5f88864f6ce0c',
    'linux-arm64':
      'sha512:cd1b134bbc30a3ba07579556ee03b630412adbc443b262d5fe42527c6c316393b1cc4a58ba2fb83b030c571494dcae6a8d49818245c192efc97ffcedd90b0b41',
  },
};

export const helmVersion = '4.2.3';

/** Checksums from the notes of the release. */
const helm: Release = {
  name: 'helm',
  version: helmVersion,
  executables: ['helm'],
  url: (version, machine) => `https://get.helm.sh/helm-v${version}-${machine}.tar.gz`,
  checksums: {
    'linux-amd64': 'sha256:e9b88b4ee95b18c706839c28d3a0220e5bc470e9cd9262410c90793c45ff8b7c',
    'linux-arm64': 'sha256:21abd9354d39b2cd79a8d76be6912cd137a983cbf997193503fb8a6a6e2f2785',
    'darwin-amd64': 'sha256:ff3ac86755a45f3422473bc1200776aac0fe04c5766abe6ca66699f7b564b23b',
    'darwin-arm64': 'sha256:048ecf5ad3160f83d918f9fe945238d2132b079640f7b106175331c25f242c64',
  },
};

/** Returns the archives with the executables of a control plane for a machine; fewer if a publisher has none for it. */
export function controlPlaneArchives(platform: string, arch: string): Archive[] {
  return [envtest, kubernetesServer].flatMap((release) => archiveOf(release, platform, arch) ?? []);
}

/** Returns the archive with helm for a machine, if there is one. */
export function helmArchive(platform: string, arch: string): Archive | undefined {
  return archiveOf(helm, platform, arch);
}

/** `platform` and `arch` are Node's words. The releases use those of Go. */
function archiveOf(
  { name, version, executables, url, checksums }: Release,
  platform: string,
  arch: string,
): Archive | undefined {
  const machine = `${platform}-${arch === 'x64' ? 'amd64' : arch}`;
  const checksum = checksums[machine];
  return checksum === undefined ? undefined : { name, version, executables, url: url(version, machine), checksum };
}
