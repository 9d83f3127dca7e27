/** Deletion of the CRD, which deletes every forwarding: it ends after the cleanup in Konnect, and the operator waits for a new CRD. */
import { expect, test } from '@jest/globals';
import { install } from '../../sandbox/sandbox.ts';
import { eventually } from '../support/eventually.ts';
import { ownSandbox } from './support/own-sandbox.ts';

const definition = 'crd/auditlogforwardings.konnect-audit-log.io';

const { sandbox, manifest, kubectl, ready, destinations } = ownSandbox();

test('the operator removes its forwardings from Konnect before the CRD is deleted', async () => {
  await kubectl('apply', '-f', manifest());
  await ready();
  expect(destinations()).toHaveLength(1);
  await kubectl('delete', definition, '--timeout=90s');
  expect(destinations()).toEqual([]);
  expect(await kubectl('get', 'crd', '-o', 'name')).not.toContain('auditlogforwardings');
});

test('the log names the missing kind, and the operator keeps running', async () => {
  await eventually(async () => expect(await sandbox().operator.output()).toMatch(/"list or watch failed again"/), {
    timeoutMs: 90_000,
  });
  expect((await fetch(`${sandbox().operator.healthURL}/healthz`)).status).toBe(200);
});

test('the same process works with the CRD after it is installed again', async () => {
  await install(sandbox().controlPlane);
  await kubectl('apply', '-f', manifest());
  await ready();
  expect(destinations()).toHaveLength(1);
  expect((await sandbox().operator.output()).match(/caches are full, work begins/g)).toHaveLength(1);
  await kubectl('delete', '-f', manifest(), '--timeout=90s');
  expect(destinations()).toEqual([]);
});
