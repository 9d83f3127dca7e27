import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type ClusterServer, startClusterServer } from './cluster-server.ts';
import { runAuditlog } from './run-auditlog.ts';

let cluster: ClusterServer;
beforeEach(async () => {
  cluster = await startClusterServer();
});
afterEach(() => cluster.stop());

const shop = '3e551b39-227d-4297-b911-e68fd5d77c17';
const since = '2026-01-02T03:04:05Z';
const now = () => new Date().toISOString();

function condition(type: string, status: string, reason: string, message = '') {
  return { type, status, reason, message, lastTransitionTime: since };
}

/** A forwarding of one portal whose logs are delivered, with other fields of status. */
function delivered(status: object = {}, spec: object = {}) {
  return {
    spec: { konnect: { region: 'us' }, portals: [{ id: shop }], interval: '10m', ...spec },
    status: {
      conditions: [condition('Ready', 'True', 'InSync'), condition('Delivering', 'True', 'Delivered')],
      portals: [{ id: shop, enabled: true, state: 'on' }],
      delivery: [
        { key: shop, state: 'Delivered', lastResponseCode: 200, lastDeliveredTime: '2026-01-03T00:00:00.123Z' },
      ],
      lastObservedTime: now(),
      ...status,
    },
  };
}

const status = (...args: readonly string[]) => runAuditlog(['status', ...args], { env: cluster.env });

describe('auditlog status', () => {
  test('shows since when each webhook delivers, with its last code', async () => {
    cluster.putForwarding('platform/sumologic', delivered());
    const { code, output, errors } = await status();
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(output.split('\n')).toEqual([
      'FORWARDING           WEBHOOK                                DELIVERY    SINCE                  CODE   LAST DELIVERED         GAP   VERIFIED',
      `platform/sumologic   ${shop}   Delivered   ${since}    200   2026-01-03T00:00:00Z   -     -`,
      '',
    ]);
  });

  test('shows gaps, replays and verification if the operator reports them', async () => {
    const gap = { from: '2026-01-03T00:00:00Z', to: '2026-01-03T01:00:00Z' };
    const replay = { ...gap, state: 'Running', requestedTime: since };
    const delivery = [{ key: shop, state: 'Delivered', lastResponseCode: 200, gap, replay }];
    const conditions = [condition('Verified', 'False', 'LinesMissing', '3 of 10 audit lines are missing')];
    const verification = { lastVerifiedTime: since, entries: 10, found: 7, missing: 3 };
    cluster.putForwarding('platform/sumologic', delivered({ delivery, conditions, verification }));
    const { code, output, errors } = await status();
    expect(code).toBe(3);
    expect(output).toContain(`${gap.from}/${gap.to}, replay Running   False (LinesMissing)`);
    expect(errors).toBe('platform/sumologic: Verified is False: 3 of 10 audit lines are missing\n');
    expect(JSON.parse((await status('-o', 'json')).output)).toMatchObject({
      forwardings: [{ webhooks: [{ gap, replay }], verification: { missing: 3 } }],
    });
  });

  test('shows every gap of a webhook, the oldest first', async () => {
    const earlierGaps = [{ from: '2026-01-02T00:00:00Z', to: '2026-01-02T01:00:00.5Z' }];
    const gap = { from: '2026-01-03T00:00:00Z' };
    cluster.putForwarding(
      'platform/sumologic',
      delivered({ delivery: [{ key: shop, state: 'Failing', earlierGaps, gap }] }),
    );
    const { code, output } = await status();
    expect(code).toBe(3);
    expect(output).toContain('2026-01-02T00:00:00Z/2026-01-02T01:00:00Z, 2026-01-03T00:00:00Z/…');
  });

  test('says since when deliveries fail, and why', async () => {
    const delivery = [{ key: shop, state: 'Failing', lastResponseCode: 401, failingSince: '2026-01-04T00:00:00.5Z' }];
    const conditions = [condition('Delivering', 'False', 'EndpointRejected', 'put valid values there')];
    cluster.putForwarding('platform/sumologic', delivered({ delivery, conditions }));
    const { code, output, errors } = await status();
    expect(code).toBe(3);
    expect(output).toMatch(/Failing +2026-01-04T00:00:00Z +401 +- +- +-\n/);
    expect(errors).toBe('platform/sumologic: Delivering is False: put valid values there\n');
  });

  test.each<[string, object, object, number, string]>([
    ['an open gap', { delivery: [{ key: shop, state: 'Delivered', gap: { from: since } }] }, {}, 3, `${since}/…`],
    [
      'a webhook that another client uses',
      { portals: [{ id: shop, enabled: true, state: 'refused', reason: 'WebhookInUse' }] },
      {},
      3,
      'NotAttached (WebhookInUse)',
    ],
    ['a portal that nobody has attached yet', { portals: [], delivery: [] }, {}, 3, 'NotAttached'],
    ['a webhook that Konnect does not show', { delivery: [{ key: shop, state: 'Unknown' }] }, {}, 4, 'Unknown'],
    ['a state of a later version', { delivery: [{ key: shop, state: 'Paused' }] }, {}, 4, 'Paused'],
    ['an operator that stopped to look', { lastObservedTime: '2026-01-01T00:00:00Z' }, {}, 4, 'Delivered'],
    ['a suspended forwarding', {}, { suspend: true }, 4, 'Delivered'],
  ])('has its exit code for %s', async (_name, fields, spec, expected, shown) => {
    cluster.putForwarding('platform/sumologic', delivered(fields, spec));
    const { code, output } = await status();
    expect(code).toBe(expected);
    expect(output).toContain(shown);
  });

  test('names what keeps a person from knowing', async () => {
    cluster.putForwarding('platform/late', delivered({ lastObservedTime: '2026-01-01T00:00:00Z' }));
    cluster.putForwarding('platform/new', { spec: { portals: [] }, status: {} });
    cluster.putForwarding('platform/suspended', delivered({}, { suspend: true }));
    expect((await status()).errors.split('\n')).toEqual([
      'platform/late: the operator last compared it with Konnect at 2026-01-01T00:00:00Z: check that it runs and watches this namespace',
      'platform/new: the operator has never compared it with Konnect: check that it runs and watches this namespace',
      'platform/new: no webhook is known yet',
      'platform/suspended: spec.suspend is true, so nobody looks: see auditlog resume',
      '',
    ]);
  });

  test('shows all namespaces, or one', async () => {
    cluster.putForwarding('a/first', delivered());
    cluster.putForwarding('b/second', delivered());
    expect((await status()).output).toMatch(/a\/first[^]*b\/second/);
    expect((await status('-n', 'b')).output).not.toContain('a/first');
    expect(await status('-n', 'c')).toMatchObject({
      code: 5,
      output: '',
      errors: expect.stringContaining('auditlog import'),
    });
  });

  test('is printed as JSON and YAML with all webhooks', async () => {
    cluster.putForwarding('platform/sumologic', delivered({}, { organization: {} }));
    const { output } = await status('-o', 'json');
    expect(JSON.parse(output)).toMatchObject({
      forwardings: [
        { namespace: 'platform', webhooks: [{ key: 'organization', state: 'NotAttached' }, { key: shop }] },
      ],
    });
    expect((await status('-o', 'yaml')).output).toContain(`key: ${shop}`);
  });

  test.each([
    [401, 'Unauthorized', 'log in to the cluster again'],
    [403, 'Forbidden', 'ask for the right to do this, or name a namespace where you have it with -n'],
    [404, '', 'the CRD of AuditLogForwarding is not installed'],
    [503, 'ServiceUnavailable', 'check the network'],
  ])('names the way out of %s', async (httpStatus, reason, wayOut) => {
    cluster.failWith = { status: httpStatus, reason };
    const { code, errors } = await status();
    expect(code).toBe(1);
    expect(errors).toMatch(/^auditlog status: GET \/apis\//);
    expect(errors).toContain(wayOut);
  });

  test('ends when it is interrupted, without the answer of the API server', async () => {
    const stop = new AbortController();
    cluster.onRequest = () => stop.abort();
    await expect(runAuditlog(['status'], { env: cluster.env, signal: stop.signal })).resolves.toEqual({
      code: 1,
      output: '',
      errors: 'auditlog status: interrupted\n',
    });
  });

  test('names the kubeconfig that it does not find', async () => {
    const { code, errors } = await status('--kubeconfig', '/nowhere');
    expect({ code, errors }).toEqual({ code: 1, errors: 'auditlog status: kubeconfig not found: /nowhere\n' });
  });
});
