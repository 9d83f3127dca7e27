/** A control plane that stops and starts again: the same operator process continues. */
import { expect, test } from '@jest/globals';
import { sandboxData } from '../../sandbox/sandbox.ts';
import { eventually } from '../support/eventually.ts';
import { ownSandbox } from './support/own-sandbox.ts';

const { sandbox, manifest, kubectl, ready, destinations } = ownSandbox();

/** The time that a busy machine needs to start an API server, and the longest wait of the operator before its next request. */
const backMs = 70_000;

test('during a creation: the operator finds what it created, and completes the rest', async () => {
  const { control } = sandbox().services.konnect;
  const held = control.fail({
    kind: 'latency',
    ms: 3_000,
    match: { operation: 'create-audit-log-destination' },
    times: 1,
  });
  await kubectl('apply', '-f', manifest());
  await eventually(() => expect(held.hits()).toBe(1));
  await sandbox().controlPlane.restart('kube-apiserver');
  await ready();
  expect(destinations()).toHaveLength(1);
  expect(control.calls().filter(({ operation }) => operation === 'create-audit-log-destination')).toHaveLength(1);
});

test('while the operator is idle: it applies later changes at once', async () => {
  await sandbox().controlPlane.restart('etcd');
  await sandbox().controlPlane.restart('kube-apiserver');
  const fresh = { stringData: { authorization: `${sandboxData.authorization}-rotated` } };
  await kubectl('patch', 'secret', 'sumologic', '-n', 'platform', '-p', JSON.stringify(fresh));
  await eventually(() => expect(destinations()).toMatchObject([fresh.stringData]), { timeoutMs: backMs });
  const spec = { spec: { destination: { logFormat: 'json' } } };
  await kubectl('patch', 'alf', 'sumologic', '-n', 'platform', '--type=merge', '-p', JSON.stringify(spec));
  await eventually(() => expect(destinations()).toMatchObject([{ logFormat: 'json' }]), { timeoutMs: backMs });
  await kubectl('delete', '-f', manifest(), '--timeout=90s');
  expect(destinations()).toEqual([]);
});

test('the operator does not exit and stays healthy', async () => {
  const output = await sandbox().operator.output();
  expect(output.match(/caches are full, work begins/g)).toHaveLength(1);
  expect(output).not.toContain('operator stopped');
  for (const probe of ['healthz', 'readyz']) {
    expect((await fetch(`${sandbox().operator.healthURL}/${probe}`)).status).toBe(200);
  }
  await expect(sandbox().operator.stop()).resolves.toBe('exited with code 0');
});
