import { describe, expect, test } from '@jest/globals';
import { AuditLogForwarding, apiVersion, kind } from '../../../src/api/v1alpha1.ts';
import { groupOf } from '../../../src/resources/queue-group.ts';
import { type SpecChoice, specOf, usual } from '../../support/forwarding-spec.ts';
import { blue } from '../../support/konnect-fixtures.ts';

function grouped(choice: SpecChoice, { organizationID = '', namespace = 'platform' } = {}): string {
  const metadata = { namespace, name: 'sumologic', uid: 'u', resourceVersion: '1', generation: 1 };
  const konnect = organizationID === '' ? {} : { konnect: { organizationID, region: 'us' } };
  const spec = specOf({ ...usual, ...choice });
  return groupOf(AuditLogForwarding.parse({ apiVersion, kind, metadata, spec, status: konnect }));
}

describe('forwardings share a group', () => {
  test('with those of the same organization and region, with any tokens', () => {
    const ours = grouped({}, { organizationID: blue });
    expect(grouped({ token: 'other' }, { organizationID: blue, namespace: 'shop' })).toBe(ours);
    expect(grouped({ region: 'eu' }, { organizationID: blue })).not.toBe(ours);
  });

  test('with those of the same token, before its organization is known', () => {
    const ours = grouped({});
    expect(grouped({ siem: 'other' })).toBe(ours);
    for (const other of [grouped({ token: 'other' }), grouped({}, { namespace: 'shop' }), grouped({ region: 'eu' })]) {
      expect(other).not.toBe(ours);
    }
  });
});
