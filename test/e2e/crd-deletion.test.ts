/** The definition itself deleted, which deletes every forwarding: it goes once all is undone, and the operator waits for the next. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { currentDestinations, type DestinationFields } from '../../sandbox/konnect/model/destinations.ts';
import { install, type Sandbox, startSandbox, world, writeForwarding } from '../../sandbox/sandbox.ts';
import { eventually } from '../support/eventually.ts';

const definition = 'crd/auditlogforwardings.konnect-audit-log.io';

let sandbox: Sandbox;
let file: string;

beforeAll(async () => {
  sandbox = await startSandbox(() => undefined);
  file = await writeForwarding(sandbox);
}, 240_000);

afterAll(() => sandbox?.stop(), 120_000);

async function kubectl(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await sandbox.controlPlane.kubectl(args);
  if (code !== 0) throw new Error(stderr);
  return stdout;
}

function destinations(): DestinationFields[] {
  const organization = sandbox.services.konnect.model.organizations.get(world.organizationID);
  return organization === undefined ? [] : currentDestinations(organization);
}

const ready = () => kubectl('wait', '-n', 'platform', '--for=condition=Ready', '--timeout=90s', 'alf/sumologic');

test('its forwardings are undone in Konnect before it goes', async () => {
  await kubectl('apply', '-f', file);
  await ready();
  expect(destinations()).toHaveLength(1);
  await kubectl('delete', definition, '--timeout=90s');
  expect(destinations()).toEqual([]);
  expect(await kubectl('get', 'crd', '-o', 'name')).not.toContain('auditlogforwardings');
}, 240_000);

test('what is missing is said in the log, and the operator stays', async () => {
  await eventually(async () => expect(await sandbox.operator.output()).toMatch(/"list or watch failed again"/), {
    timeoutMs: 90_000,
  });
  expect((await fetch(`${sandbox.operator.healthURL}/healthz`)).status).toBe(200);
}, 240_000);

test('installed again, it is served by the same process', async () => {
  await install(sandbox.controlPlane);
  await kubectl('apply', '-f', file);
  await ready();
  expect(destinations()).toHaveLength(1);
  expect((await sandbox.operator.output()).match(/caches are full, work begins/g)).toHaveLength(1);
  await kubectl('delete', '-f', file, '--timeout=90s');
  expect(destinations()).toEqual([]);
}, 240_000);
