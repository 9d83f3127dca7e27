/** The definition itself deleted, which deletes every forwarding: it goes once all is undone, and the operator waits for the next. */
import { expect, test } from '@jest/globals';
import { install } from '../../sandbox/sandbox.ts';
import { eventually } from '../support/eventually.ts';
import { ownSandbox } from './support/own-sandbox.ts';

const definition = 'crd/auditlogforwardings.konnect-audit-log.io';

const { sandbox, manifest, kubectl, ready, destinations } = ownSandbox();

test('its forwardings are undone in Konnect before it goes', async () => {
  await kubectl('apply', '-f', manifest());
  await ready();
  expect(destinations()).toHaveLength(1);
  await kubectl('delete', definition, '--timeout=90s');
  expect(destinations()).toEqual([]);
  expect(await kubectl('get', 'crd', '-o', 'name')).not.toContain('auditlogforwardings');
});

test('what is missing is said in the log, and the operator stays', async () => {
  await eventually(async () => expect(await sandbox().operator.output()).toMatch(/"list or watch failed again"/), {
    timeoutMs: 90_000,
  });
  expect((await fetch(`${sandbox().operator.healthURL}/healthz`)).status).toBe(200);
});

test('installed again, it is served by the same process', async () => {
  await install(sandbox().controlPlane);
  await kubectl('apply', '-f', manifest());
  await ready();
  expect(destinations()).toHaveLength(1);
  expect((await sandbox().operator.output()).match(/caches are full, work begins/g)).toHaveLength(1);
  await kubectl('delete', '-f', manifest(), '--timeout=90s');
  expect(destinations()).toEqual([]);
});
