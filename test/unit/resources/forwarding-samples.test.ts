import { describe, expect, test } from '@jest/globals';
import { AuditLogForwarding, apiVersion, kind } from '../../../src/api/v1alpha1.ts';
import { type ForwardingMetric, samplesOf } from '../../../src/resources/forwarding-samples.ts';
import { type SpecChoice, specOf, usual } from '../../support/forwarding-spec.ts';
import { blue, shop } from '../../support/konnect-fixtures.ts';

function samples(metric: ForwardingMetric, status: object, choice: SpecChoice & { deleted?: string } = {}) {
  const { deleted, ...wanted } = choice;
  const metadata = {
    namespace: 'platform',
    name: 'sumologic',
    uid: 'u',
    resourceVersion: '1',
    ...(deleted === undefined ? {} : { deletionTimestamp: deleted }),
  };
  const forwarding = AuditLogForwarding.parse({
    apiVersion,
    kind,
    metadata,
    spec: specOf({ ...usual, ...wanted }),
    status,
  });
  return samplesOf(forwarding)
    .filter((sample) => sample.metric === metric)
    .map(({ labels, value }) =>
      [...Object.entries(labels).map(([key, text]) => `${key}=${text}`), String(value)].join(' '),
    );
}

const condition = (type: string, is: string, reason: string) => ({
  type,
  status: is,
  reason,
  message: '',
  lastTransitionTime: '2026-01-01T00:00:00Z',
});

test('the info names region, organization, destination, format and mode', () => {
  const status = { konnect: { organizationID: blue, region: 'us' }, destination: { name: 'platform/sumologic' } };
  expect(samples('forwardingInfo', status)).toEqual([
    `region=us organization=${blue} destination=platform/sumologic log_format=cef mode=Enforce 1`,
  ]);
  expect(samples('forwardingInfo', {})).toEqual(['region=us organization= destination= log_format=cef mode=Enforce 1']);
});

describe('conditions', () => {
  test('have status and reason, and a reason that no operator writes is other', () => {
    const conditions = [condition('Ready', 'False', 'Creating'), condition('Stalled', 'True', 'a b')];
    expect(samples('condition', { conditions })).toEqual([
      'type=Ready status=False reason=Creating 1',
      'type=Stalled status=True reason=other 1',
    ]);
    expect(samples('condition', { conditions: [condition('Ready', 'True', 'R'.repeat(65))] })).toEqual([
      'type=Ready status=True reason=other 1',
    ]);
  });

  test('say when the forwarding was last ready', () => {
    expect(samples('lastReady', { conditions: [condition('Ready', 'True', 'InSync')] })).toEqual(['now']);
    expect(samples('lastReady', { conditions: [condition('Ready', 'Unknown', 'Suspended')] })).toEqual(['1767225600']);
    expect(samples('lastReady', {})).toEqual([]);
  });
});

test('the interval is absent while the forwarding is suspended, and the time of deletion before it', () => {
  expect(samples('interval', {})).toEqual(['600']);
  expect(samples('interval', {}, { suspend: true })).toEqual([]);
  expect(samples('deletion', {})).toEqual([]);
  expect(samples('deletion', {}, { deleted: '2026-01-01T00:00:00Z' })).toEqual(['1767225600']);
});

test('the number of objects that differ is 0 if there are none', () => {
  expect(samples('driftObjects', {})).toEqual(['0']);
  expect(samples('driftObjects', { drift: [{ object: 'destination', fields: ['name'] }] })).toEqual(['1']);
});

describe('webhooks', () => {
  const attempt = { lastAttemptTime: '2026-01-02T00:00:00Z', lastResponseCode: 401 };
  const status = {
    konnect: { organizationID: blue, region: 'eu' },
    organization: { api: 'v3', enabled: true, state: 'on' },
    portals: [{ id: shop, enabled: true, state: 'refused', reason: 'WebhookInUse' }],
    delivery: [
      {
        key: 'organization',
        state: 'Failing',
        ...attempt,
        lastDeliveredTime: '2026-01-01T00:00:00Z',
        failingSince: attempt.lastAttemptTime,
      },
      { key: shop, state: 'Delivered', lastAttemptTime: '2026-01-02T00:00:00Z', lastResponseCode: 200 },
      { key: 'off', state: 'Off' },
    ],
  };

  test('are counted by the state of their deliveries', () => {
    expect(samples('webhooks', status)).toEqual(['state=Failing 1', 'state=Delivered 1', 'state=Off 1']);
  });

  test('have state and reason of their attachment', () => {
    expect(samples('webhookState', status)).toEqual([
      'region=eu webhook=organization state=on reason= 1',
      `region=eu webhook=${shop} state=refused reason=WebhookInUse 1`,
    ]);
  });

  test('say whether they deliver, since when not, and what the endpoint answered when', () => {
    expect(samples('webhookDelivering', status)).toEqual([
      'region=eu webhook=organization 0',
      `region=eu webhook=${shop} 1`,
    ]);
    expect(samples('webhookLastAttempt', status)).toEqual([
      'region=eu webhook=organization 1767312000',
      `region=eu webhook=${shop} 1767312000`,
    ]);
    expect(samples('webhookLastResponseCode', status)).toEqual([
      'region=eu webhook=organization 401',
      `region=eu webhook=${shop} 200`,
    ]);
    expect(samples('webhookGapStart', status)).toEqual(['region=eu webhook=organization 1767225600']);
  });

  test('that never delivered fail since the first failed attempt, and an endpoint without an answer has the code 0', () => {
    const [{ lastAttemptTime }] = [attempt];
    const delivery = [{ key: shop, state: 'SwitchedOff', lastAttemptTime, failingSince: lastAttemptTime }];
    expect(samples('webhookGapStart', { delivery })).toEqual([`region=us webhook=${shop} 1767312000`]);
    expect(samples('webhookLastResponseCode', { delivery })).toEqual([`region=us webhook=${shop} 0`]);
  });

  test('have a gap as long as status has one, also when they deliver again', () => {
    const gap = { from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z' };
    const delivered = { key: shop, state: 'Delivered', lastDeliveredTime: '2026-01-03T00:00:00Z' };
    const open = { from: '2026-01-02T12:00:00Z' };
    for (const gaps of [{ gap }, { earlierGaps: [gap], gap: open }])
      expect(samples('webhookGapStart', { delivery: [{ ...delivered, ...gaps }] })).toEqual([
        `region=us webhook=${shop} 1767225600`,
      ]);
  });

  test.each(['NoAttemptYet', 'Off', 'Unknown'])('in state %s neither deliver nor fail', (state) => {
    const delivery = [{ key: shop, state }];
    expect(samples('webhookDelivering', { delivery })).toEqual([]);
    expect(samples('webhookGapStart', { delivery })).toEqual([]);
  });
});
