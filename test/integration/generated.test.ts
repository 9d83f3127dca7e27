/** Checks that the API server accepts the specs and statuses that the fuzzer generates. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { apiVersion, kind } from '../../src/api/v1alpha1.ts';
import { spec, status } from '../fuzz/resource.ts';
import { cluster } from '../support/cluster.ts';

const { kubectl, createNamespace } = cluster();
let namespace: string;

beforeAll(async () => {
  namespace = await createNamespace('generated');
});

function list(items: readonly object[]): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
}

test('the API server accepts every spec that is generated from the definition', async () => {
  const specs = fc.sample(spec, { seed: 20_260_102, numRuns: 60 });
  const items = specs.map((one, index) => ({
    apiVersion,
    kind,
    metadata: { name: `spec-${String(index)}`, namespace },
    spec: one,
  }));
  const args = ['create', '--dry-run=server', '-o', 'name', '-f', '-'];
  const { stdout } = await kubectl(args, { input: list(items) });
  expect(stdout.trim().split('\n')).toHaveLength(items.length);
});

test('the API server accepts every status that is generated from the definition', async () => {
  const plain = {
    konnect: { region: 'us', tokenSecretRef: { name: 'konnect' } },
    destination: { secretRef: { name: 'siem' } },
    organization: {},
  };
  const metadata = { name: 'status', namespace };
  await kubectl(['create', '-f', '-'], { input: JSON.stringify({ apiVersion, kind, metadata, spec: plain }) });
  const folder = await mkdtemp(join(tmpdir(), 'generated-'));
  // The patch is in a file, since a status can be longer than a command line.
  const file = join(folder, 'patch.json');
  const args = ['patch', 'alf', 'status', '-n', namespace, '--subresource=status', '--type=merge', '--dry-run=server'];
  for (const one of fc.sample(status, { seed: 20_260_102, numRuns: 15 })) {
    await writeFile(file, JSON.stringify({ status: one }));
    const { stdout } = await kubectl([...args, `--patch-file=${file}`, '-o', 'name']);
    expect(stdout).toContain('status');
  }
  await rm(folder, { recursive: true });
});
