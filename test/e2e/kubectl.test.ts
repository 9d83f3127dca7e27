/** kubectl as a user sees it, before and after the first reconciliation. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { pendingCondition } from '../../src/api/v1alpha1.ts';
import { cluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { createEnvironment, type Environment } from './support/environment.ts';
import { forwarding } from './support/manifests.ts';

const { kubectl, createNamespace } = cluster();
const portal = '3e551b39-227d-4297-b911-e68fd5d77c17';
const minimal = {
  konnect: { region: 'us', tokenSecretRef: { name: 'konnect' } },
  destination: { secretRef: { name: 'sumologic' } },
  portals: [{ id: portal }],
};

let namespace: string;
beforeAll(async () => {
  namespace = await createNamespace('kubectl');
});

function manifest(name: string, spec: object): string {
  return stringify({
    apiVersion: 'konnect-audit-log.io/v1alpha1',
    kind: 'AuditLogForwarding',
    metadata: { name },
    spec,
  });
}

const apply = (name: string, spec: object) =>
  kubectl(['apply', '-n', namespace, '-f', '-'], { input: manifest(name, spec), allowFailure: true });

async function read(name: string): Promise<unknown> {
  const { stdout } = await kubectl(['get', 'auditlogforwarding', name, '-n', namespace, '-o', 'json']);
  return JSON.parse(stdout);
}

describe('the API server rejects an invalid forwarding with a helpful message', () => {
  const konnect = (change: object) => ({ ...minimal, konnect: { ...minimal.konnect, ...change } });
  const { portals: _portals, ...forwardsNothing } = minimal;
  const attachedTo = (destinationRef: object | undefined) => ({ ...minimal, destination: undefined, destinationRef });
  test.each<[string, object, string]>([
    [
      'the region global',
      konnect({ region: 'global' }),
      "region 'global' has no webhooks: set the region of your Dev Portals, such as us or eu",
    ],
    ['a region that would be another host', konnect({ region: 'evil.example/x?' }), 'spec.konnect.region'],
    ['a region with a line break', konnect({ region: 'us\n' }), 'spec.konnect.region'],
    [
      'the nil UUID as a portal',
      { ...minimal, portals: [{ id: '00000000-0000-0000-0000-000000000000' }] },
      'the nil UUID is not the ID of a Dev Portal: set the ID that Konnect shows',
    ],
    [
      'neither destination nor destinationRef',
      attachedTo(undefined),
      'set exactly one of spec.destination and spec.destinationRef',
    ],
    [
      'both destination and destinationRef',
      { ...minimal, destinationRef: { name: 'theirs' } },
      'set exactly one of spec.destination and spec.destinationRef',
    ],
    [
      'a destinationRef by id and by name',
      attachedTo({ id: portal, name: 'theirs' }),
      'set exactly one of spec.destinationRef.id and spec.destinationRef.name',
    ],
    [
      'a destinationRef by neither',
      attachedTo({}),
      'set exactly one of spec.destinationRef.id and spec.destinationRef.name',
    ],
    [
      'a destinationRef by an ID in capitals',
      attachedTo({ id: portal.toUpperCase() }),
      'an ID is a UUID in lower case',
    ],
    [
      'a destinationRef by a name with a line break',
      attachedTo({ name: 'a\nb' }),
      'a name has no line breaks, control or invisible characters',
    ],
    [
      'an inline webhook without an endpoint',
      {
        ...attachedTo({ name: 'theirs' }),
        ...konnect({ auditLogsAPI: 'v2' }),
        destination: undefined,
        organization: {},
      },
      'with spec.konnect.auditLogsAPI v2 the organization webhook has the endpoint itself: set spec.destination, not spec.destinationRef',
    ],
    [
      'an authorization scheme of two words',
      { ...minimal, destination: { ...minimal.destination, authorizationScheme: 'Bearer x' } },
      'a scheme is one word of letters, digits and hyphens',
    ],
    [
      'a name of a destination with a control character',
      { ...minimal, destination: { ...minimal.destination, name: 'a\u0007b' } },
      'a name has no line breaks, control or invisible characters',
    ],
    [
      'a name of a Secret in capitals',
      { ...minimal, destination: { secretRef: { name: 'SumoLogic' } } },
      "a name has lower-case letters, digits, '-' and '.'",
    ],
    [
      'a name of a Portal with an underscore',
      { ...minimal, portalRefs: [{ name: 'my_portal' }] },
      "a name has lower-case letters, digits, '-' and '.'",
    ],
    [
      'a key of a Secret with a slash',
      konnect({ tokenSecretRef: { name: 'konnect', key: 'a/b' } }),
      "a key of a Secret has letters, digits, '-', '_' and '.'",
    ],
    ['a region in capitals', konnect({ region: 'US' }), 'a region has lower-case letters and digits'],
    ['a region with a hyphen', konnect({ region: 'us-east' }), 'a region has lower-case letters and digits'],
    ['an unknown mode', { ...minimal, mode: 'Watch' }, 'supported values: "Enforce", "Observe"'],
    ['an unknown adoption policy', { ...minimal, adoptionPolicy: 'Sometimes' }, 'spec.adoptionPolicy'],
    ['an unknown deletion policy', { ...minimal, deletionPolicy: 'Orphan' }, 'spec.deletionPolicy'],
    ['neither portal nor organization', forwardsNothing, 'spec names no webhook: list a Dev Portal in spec.portals'],
    [
      'an organization without a value',
      { ...forwardsNothing, organization: null },
      'write spec.organization as {} (without a value it counts as absent)',
    ],
    ['an empty list of portals', { ...minimal, portals: [] }, 'spec names no webhook'],
    ['an interval too short', { ...minimal, interval: '59s' }, 'spec.interval must be between 1m and 24h'],
    ['an interval too long', { ...minimal, interval: '24h1s' }, 'spec.interval must be between 1m and 24h'],
    ...['600', '1d', '1m1h', '10M', 'ten'].map((interval): [string, object, string] => [
      `the interval ${interval}`,
      { ...minimal, interval },
      'spec.interval must be between 1m and 24h, in hours, minutes and seconds',
    ]),
    [
      'a portal ID in capitals',
      { ...minimal, portals: [{ id: portal.toUpperCase() }] },
      'an ID is a UUID in lower case, such as',
    ],
    ['a portal listed twice', { ...minimal, portals: [{ id: portal }, { id: portal }] }, 'Duplicate value'],
    [
      'an unknown log format',
      { ...minimal, destination: { ...minimal.destination, logFormat: 'xml' } },
      'spec.destination.logFormat',
    ],
    ['no Secret of the SIEM', { ...minimal, destination: {} }, 'spec.destination.secretRef'],
    ['a typo', { ...minimal, portal: [{ id: portal }] }, 'unknown field "spec.portal"'],
    ['a typo further down', konnect({ audit_logs_api: 'v2' }), 'unknown field "spec.konnect.audit_logs_api"'],
  ])('%s', async (_what, spec, message) => {
    const { code, stderr } = await apply('refused', spec);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(message) });
    expect(stderr).not.toMatch(/should match|no such overload|\[a-z/);
  });
});

describe('a forwarding before the first reconciliation', () => {
  beforeAll(async () => {
    await kubectl(['apply', '-n', namespace, '-f', '-'], { input: manifest('fresh', minimal) });
  });

  test('has all defaults, and a status without an observed generation', async () => {
    expect(await read('fresh')).toMatchObject({
      metadata: { generation: 1 },
      spec: {
        konnect: { region: 'us', tokenSecretRef: { name: 'konnect', key: 'token' }, auditLogsAPI: 'v3' },
        destination: {
          secretRef: { name: 'sumologic', endpointKey: 'endpoint', authorizationKey: 'authorization' },
          logFormat: 'cef',
          skipSSLVerification: false,
        },
        portals: [{ id: portal, enabled: true }],
        adoptionPolicy: 'IfMatching',
        mode: 'Enforce',
        suspend: false,
        deletionPolicy: 'Delete',
        interval: '10m',
      },
      status: { observedGeneration: -1, conditions: [pendingCondition] },
    });
  });

  test('is Unknown because it is Pending, also after somebody emptied its status', async () => {
    const patches = [
      ['--type=merge', '-p', '{"status":null}'],
      ['--type=json', '-p', '[{"op":"replace","path":"/status","value":{}}]'],
    ];
    for (const patch of patches) {
      await kubectl(['patch', 'alf', 'fresh', '-n', namespace, '--subresource=status', ...patch]);
      expect(await read('fresh')).toMatchObject({ status: { conditions: [pendingCondition] } });
    }
    const { stdout } = await kubectl(['get', 'alf', 'fresh', '-n', namespace, '--no-headers']);
    expect(stdout.split(/\s+/).slice(0, 3)).toEqual(['fresh', 'Unknown', 'Pending']);
  });

  test('is deleted without an operator', async () => {
    await kubectl(['apply', '-n', namespace, '-f', '-'], { input: manifest('short-lived', minimal) });
    await kubectl(['delete', 'alf', 'short-lived', '-n', namespace, '--timeout=90s']);
    const { code } = await kubectl(['get', 'alf', 'short-lived', '-n', namespace], { allowFailure: true });
    expect(code).toBe(1);
  });

  test('gets a new generation with a change of spec, and not with one of status', async () => {
    await kubectl([
      'patch',
      'alf',
      'fresh',
      '-n',
      namespace,
      '--type=merge',
      '--subresource=status',
      '-p',
      '{"status":{"portalsReady":"0/1"}}',
    ]);
    expect(await read('fresh')).toMatchObject({ metadata: { generation: 1 }, status: { portalsReady: '0/1' } });
    await kubectl([
      'patch',
      'alf',
      'fresh',
      '-n',
      namespace,
      '--type=merge',
      '-p',
      '{"spec":{"interval":"11m"},"status":{"portalsReady":"1/1"}}',
    ]);
    expect(await read('fresh')).toMatchObject({ metadata: { generation: 2 }, status: { portalsReady: '0/1' } });
  });

  test('accepts every state of a webhook', async () => {
    for (const state of ['on', 'off', 'pending', 'detaching', 'refused']) {
      const status = { status: { portals: [{ id: portal, enabled: true, state }] } };
      await kubectl([
        'patch',
        'alf',
        'fresh',
        '-n',
        namespace,
        '--type=merge',
        '--subresource=status',
        '-p',
        JSON.stringify(status),
      ]);
    }
    expect(await read('fresh')).toMatchObject({ status: { portals: [{ state: 'refused' }] } });
  });
});

describe('kubectl explain', () => {
  test('describes every field', async () => {
    const explain = (field: string) =>
      eventually(async () => (await kubectl(['explain', `auditlogforwarding${field}`])).stdout);
    expect(await explain('')).toContain('configures Kong Konnect to send its audit logs');
    const destination = await explain('.spec.destination');
    expect(destination).toContain('The destination that the operator creates in Konnect and keeps as described');
    for (const field of ['secretRef', 'name', 'logFormat', 'skipSSLVerification']) expect(destination).toContain(field);
    expect(destination).not.toContain('<no description>');
    expect(await explain('.spec.portals.enabled')).toContain('the webhook stays configured, but sends nothing');
    const spec = await explain('.spec');
    for (const words of ['enum: Delete, Retain', 'Retain: everything stays as it is', '1m to 24h']) {
      expect(spec.replaceAll(/\s+/g, ' ')).toContain(words);
    }
  });

  test('lists the resource with its short name and category', async () => {
    const { stdout } = await kubectl([
      'api-resources',
      '--api-group=konnect-audit-log.io',
      '--no-headers',
      '-o',
      'wide',
    ]);
    expect(stdout).toMatch(
      /^auditlogforwardings\s+alf\s+konnect-audit-log\.io\/v1alpha1\s+true\s+AuditLogForwarding\b.*\bkonnect\n$/,
    );
  });
});

describe('a forwarding with an operator', () => {
  let environment: Environment;
  let portals: readonly string[];

  beforeAll(async () => {
    environment = await createEnvironment({ prefix: 'kubectl-operator', portals: 2 });
    portals = environment.blue.portals.us;
    await environment.applySecrets();
    await environment.apply(forwarding('sumologic', { portals: portals.map((id) => ({ id })), organization: {} }));
  });

  afterAll(() => environment?.stop());

  test('works with kubectl wait', async () => {
    const waitFor = (condition: string) =>
      environment.kubectl(['wait', `--for=${condition}`, 'alf/sumologic', '--timeout=90s']);
    expect((await waitFor('condition=Ready')).stdout).toContain('condition met');
    expect((await waitFor('jsonpath={.status.observedGeneration}=1')).stdout).toContain('condition met');
  });

  test('shows in one line whether it is ready', async () => {
    await environment.waitForReady('sumologic');
    const { stdout } = await environment.kubectl(['get', 'alf']);
    expect(columnsOf(stdout)).toEqual([
      ['NAME', 'READY', 'REASON', 'DELIVERING', 'PORTALS', 'ORG', 'AGE'],
      ['sumologic', 'True', 'InSync', 'True', '2/2', 'on', expect.stringMatching(/^\d+[sm]/)],
    ]);
  });

  test('shows more columns with -o wide', async () => {
    const { status } = await environment.waitForReady('sumologic');
    const { stdout } = await environment.kubectl(['get', 'auditlogforwardings', '-o', 'wide']);
    expect(columnsOf(stdout)).toEqual([
      [
        'NAME',
        'READY',
        'REASON',
        'DELIVERING',
        'PORTALS',
        'ORG',
        'REGION',
        'DESTINATION',
        'MESSAGE',
        'OBSERVED',
        'AGE',
      ],
      [
        'sumologic',
        'True',
        'InSync',
        'True',
        '2/2',
        'on',
        'us',
        status.destination?.id,
        `2 portals and the organization's webhook forward to "${environment.namespace}/sumologic"`,
        expect.stringMatching(/^\d+[sm]/),
        expect.stringMatching(/^\d+[sm]/),
      ],
    ]);
  });

  test('shows a problem in the same line, and the cause in describe', async () => {
    const unknown = '00000000-1111-4222-8333-444444444444';
    await environment.patch('sumologic', {
      spec: { portals: [...portals, unknown].map((id) => ({ id })), organization: null },
    });
    await environment.kubectl(['wait', '--for=condition=Stalled', 'alf/sumologic', '--timeout=90s']);
    const { stdout } = await environment.kubectl(['get', 'alf', 'sumologic', '--no-headers']);
    const [name, ready, reason, delivering, count] = columnsOf(stdout)[0] ?? [];
    expect([name, ready, reason, delivering, count]).toEqual(['sumologic', 'False', 'PortalNotFound', 'True', '2/3']);
    await eventually(async () => {
      const described = await environment.kubectl(['describe', 'alf', 'sumologic']);
      expect(described.stdout).toMatch(
        /Warning +PortalNotFound +\S+ .*portal 00000000-1111-4222-8333-444444444444 does not exist in region us/,
      );
    });
  });

  test('has a status that users can read but not write', async () => {
    const before = (await environment.forwarding('sumologic')).status;
    await environment.patch('sumologic', { status: { portalsReady: '9/9' } });
    expect((await environment.forwarding('sumologic')).status).toEqual(before);
  });
});

/** Returns the cells of a line. Two or more blanks separate them. */
function columnsOf(table: string): string[][] {
  return table
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd().split(/ {2,}/));
}
