import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type KonnectServer, startKonnect } from '../../../sandbox/konnect/server.ts';
import { specOf, usual } from '../../support/forwarding-spec.ts';
import { konnectSeed, shop, siem, tokens } from '../../support/konnect-fixtures.ts';
import { type ClusterServer, startClusterServer } from './cluster-server.ts';
import { runAuditlog } from './run-auditlog.ts';

let cluster: ClusterServer;
let konnect: KonnectServer;
beforeEach(async () => {
  [cluster, konnect] = await Promise.all([startClusterServer(), startKonnect({ seed: konnectSeed })]);
  cluster.putSecret('konnect', { token: tokens.blue });
  cluster.putSecret('siem', siem);
});
afterEach(async () => {
  cluster.stop();
  await konnect.stop();
});

async function diff(...args: readonly string[]) {
  const result = await runAuditlog(['diff', '--konnect-url', konnect.urlTemplate, ...args], { env: cluster.env });
  expect(JSON.stringify(result)).not.toContain('CANARY');
  return result;
}

describe('auditlog diff', () => {
  test('shows each change, and changes neither Konnect nor the cluster', async () => {
    cluster.putForwarding('platform/sumologic', { spec: specOf({ portals: [{ id: shop, enabled: true }] }) });
    const { code, output, errors } = await diff();
    expect({ code, errors }).toEqual({ code: 3, errors: '' });
    const lines = output.split('\n').map((line) => line.replaceAll(/ {3,}/g, ' | '));
    expect(lines).toEqual([
      'FORWARDING | ACTION | OBJECT | FIELD',
      'platform/sumologic | create | destination "platform/sumologic" | name: platform/sumologic',
      ' | endpoint: that of the Secret',
      ' | authorization: that of the Secret',
      ' | log_format: cef',
      ' | skip_ssl_verification: false',
      `platform/sumologic | update | portal ${shop} | audit_log_destination_id: the new destination "platform/sumologic"`,
      ' | enabled: false -> true',
      '',
    ]);
    expect(cluster.writes).toEqual([]);
    expect(konnect.control.calls().filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  test('looks only at the forwardings that the user names', async () => {
    cluster.putForwarding('platform/sumologic', { spec: specOf(usual) });
    cluster.putForwarding('platform/other', { spec: specOf(usual) });
    const { output } = await diff('other', '-n', 'platform', '-o', 'json');
    expect(JSON.parse(output).forwardings).toMatchObject([{ name: 'other' }]);
    await expect(diff('nothing')).resolves.toMatchObject({
      code: 1,
      errors: expect.stringContaining('there is no forwarding nothing'),
    });
  });

  test('refuses more than one name', async () => {
    await expect(diff('sumologic', 'other')).resolves.toMatchObject({
      code: 2,
      errors: expect.stringContaining('give the name of one forwarding'),
    });
  });

  test('says that there is nothing to change', async () => {
    await expect(diff()).resolves.toEqual({ code: 0, output: 'nothing to change in Konnect\n', errors: '' });
  });

  test('has exit code 4 for a problem, and names it', async () => {
    cluster.putSecret('konnect', { token: 'kpat_unknown' });
    cluster.putForwarding('platform/sumologic', { spec: specOf(usual) });
    const { code, errors } = await diff();
    expect(code).toBe(4);
    expect(errors).toMatch(/^platform\/sumologic: TokenRejected: Konnect rejects the token \(HTTP 401\)/);
  });

  test('has exit code 4 for a forwarding that it does not understand, and shows the changes of the others', async () => {
    const { konnect: place, ...rest } = specOf(usual);
    cluster.putForwarding('platform/newer', { spec: { ...rest, konnect: { ...place, region: 7 } } });
    const message = 'this version of the command does not understand spec.konnect.region: use that of the operator';
    const alone = await diff('newer');
    expect(alone.code).toBe(4);
    expect(alone.errors).toBe(`platform/newer: NotUnderstood: ${message}\n`);
    cluster.putForwarding('platform/sumologic', { spec: specOf(usual) });
    const { code, output } = await diff('-o', 'json');
    expect(code).toBe(4);
    expect(JSON.parse(output).forwardings).toMatchObject([
      { name: 'sumologic', changes: expect.arrayContaining([expect.objectContaining({ action: 'create' })]) },
      { namespace: 'platform', name: 'newer', changes: [], problem: { reason: 'NotUnderstood', message } },
    ]);
    expect(await diff('sumologic')).toMatchObject({ code: 3, errors: '' });
  });

  test('says that a suspended forwarding is left alone', async () => {
    cluster.putForwarding('platform/sumologic', { spec: specOf({ ...usual, suspend: true }) });
    const { code, errors } = await diff();
    expect(code).toBe(3);
    expect(errors).toBe('platform/sumologic: spec.suspend is true: the operator changes nothing until it is false\n');
  });

  test.each([
    [[], { destination: { name: 'blue/platform/sumologic' } }],
    [['--cluster-name', 'blue'], {}],
  ])('gives destinations the name that the operator gives, with %j', async (args, status) => {
    cluster.putForwarding('platform/sumologic', { spec: specOf(usual), status });
    const { output } = await diff(...args);
    expect(output).toContain('destination "blue/platform/sumologic"');
  });

  test('says that the user may not read a Secret', async () => {
    cluster.putForwarding('platform/sumologic', { spec: specOf(usual) });
    cluster.forbid(/\/secrets\//);
    const { code, errors } = await diff();
    expect(code).toBe(1);
    expect(errors).toMatch(/^auditlog diff: you may not read Secret platform\/(konnect|siem): ask for the right/);
  });
});
