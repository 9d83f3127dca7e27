import { expect, test } from '@jest/globals';
import { AuditLogForwarding, apiVersion, kind } from '../../../src/api/v1alpha1.ts';
import type { KubeClient, ListOptions } from '../../../src/kube/kube-client.ts';
import { isThere } from '../../../src/resources/forwarding-resource.ts';
import { specOf, usual } from '../../support/forwarding-spec.ts';

const metadata = { namespace: 'platform', name: 'sumologic', uid: 'a', resourceVersion: '1', generation: 1 };
const forwarding = AuditLogForwarding.parse({
  apiVersion,
  kind,
  metadata: { ...metadata, creationTimestamp: '2026-01-02T03:04:05Z' },
  spec: specOf(usual),
});

test.each([
  ['is listed, with any labels', ['a'], true],
  ['was replaced by another object of its name', ['b'], false],
  ['is not listed', [], false],
])('a forwarding that %s', async (_what, uids, expected) => {
  const asked: [string, ListOptions | undefined][] = [];
  const listed = JSON.stringify(uids.map((uid) => ({ metadata: { ...metadata, uid } })));
  const client: Pick<KubeClient, 'list'> = {
    async list(path, options) {
      asked.push([path, options]);
      return { items: JSON.parse(listed), metadata: { resourceVersion: '2' } };
    },
  };
  const { signal } = new AbortController();
  await expect(isThere(client, forwarding, signal)).resolves.toBe(expected);
  const path = '/apis/konnect-audit-log.io/v1alpha1/namespaces/platform/auditlogforwardings';
  expect(asked).toEqual([[path, { fieldSelector: 'metadata.name=sumologic', isMetadataOnly: true, signal }]]);
});
