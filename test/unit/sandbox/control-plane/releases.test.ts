import { expect, test } from '@jest/globals';
import { controlPlaneArchives, helmArchive } from '../../../../sandbox/control-plane/releases.ts';

const three = ['etcd', 'kube-apiserver', 'kubectl'];

test.each([
  ['linux', 'x64', [...three, 'kube-controller-manager']],
  ['linux', 'arm64', [...three, 'kube-controller-manager']],
  // Kubernetes has no servers for macOS.
  ['darwin', 'x64', three],
  ['darwin', 'arm64', three],
  ['sunos', 'x64', []],
])('%s on %s has archives with %j', (platform, arch, names) => {
  expect(controlPlaneArchives(platform, arch).flatMap(({ executables }) => executables)).toEqual(names);
  expect(helmArchive(platform, arch)?.executables ?? []).toEqual(platform === 'sunos' ? [] : ['helm']);
});

test('every archive is for one machine only, and has a version in its address and a checksum of its own', () => {
  const machines = ['linux x64', 'linux arm64', 'darwin x64', 'darwin arm64'];
  const all = machines.flatMap((machine) => {
    const [platform = '', arch = ''] = machine.split(' ');
    const archives = [...controlPlaneArchives(platform, arch), helmArchive(platform, arch)];
    const suffix = `-${platform}-${arch === 'x64' ? 'amd64' : arch}.tar.gz`;
    for (const archive of archives) {
      expect(archive?.url).toMatch(
        /^https:\/\/(github\.com\/kubernetes-sigs\/controller-tools|dl\.k8s\.io|get\.helm\.sh)\//,
      );
      expect(archive?.url).toContain(archive?.version ?? '');
      expect(archive?.url.endsWith(suffix)).toBe(true);
      expect(archive?.checksum).toMatch(/^(sha512:[0-9a-f]{128}|sha256:[0-9a-f]{64})$/);
    }
    return archives;
  });
  expect(new Set(all.map((archive) => archive?.checksum)).size).toBe(10);
  expect(all).toHaveLength(10);
});
