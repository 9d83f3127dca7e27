import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { AuditLogForwarding, apiVersion, kind, type Spec } from '../../../../src/api/v1alpha1.ts';
import {
  defaultDestinationName,
  desiredState,
  endpointDigest,
} from '../../../../src/forwarding/desired/desired-state.ts';
import { own, type SpecChoice, specOf } from '../../../support/forwarding-spec.ts';
import { shop } from '../../../support/konnect-fixtures.ts';

const credentials = { endpoint: 'https://siem.example.com/', authorization: 'Bearer x', secretVersion: 'uid/7' };

function desireOf(choice: SpecChoice, change: (spec: Spec) => Spec = (spec) => spec, clusterName = '') {
  const metadata = { namespace: 'platform', name: 'sumologic', uid: 'u', resourceVersion: '1' };
  const forwarding = AuditLogForwarding.parse({ apiVersion, kind, metadata, spec: change(specOf(choice)) });
  const wanted = (forwarding.spec.portals ?? []).map((one) => ({ ...one, field: 'spec.portals[0]' }));
  return desiredState(forwarding, credentials, clusterName, { portals: wanted, unresolved: [] });
}

const portals = [{ id: shop, enabled: false }];
const organization = { enabled: true };

describe('a destination is used', () => {
  test.each([
    [{ portals }, true],
    [{ organization }, true],
    [{ api: 'v2', organization }, false],
    [{ api: 'v2', organization, portals: [] }, false],
    [{ api: 'v2', organization, portals }, true],
    [{ api: 'v2', portals }, true],
  ] as const)('for %j: %j', (choice, needed) => {
    expect(desireOf(choice).usesDestination).toBe(needed);
  });
});

test('the settings of a destination come from spec and Secret', () => {
  const change = (spec: Spec): Spec => ({
    ...spec,
    destination: { ...own(spec), name: 'audit', logFormat: 'json', skipSSLVerification: true },
  });
  expect(desireOf({ portals, organization, region: 'eu' }, change)).toEqual({
    forwardingName: 'platform/sumologic',
    region: 'eu',
    api: 'v3',
    own: {
      settings: {
        name: 'audit',
        endpoint: credentials.endpoint,
        authorization: 'Bearer x',
        logFormat: 'json',
        skipSSLVerification: true,
      },
      secretVersion: 'uid/7',
      endpointDigest: endpointDigest('u', credentials.endpoint),
      endpointHoldsSecret: false,
      isSuspicious: false,
    },
    reference: undefined,
    usesDestination: true,
    organization,
    portals: portals.map((one) => ({ ...one, field: 'spec.portals[0]' })),
    unresolved: [],
    adoptionPolicy: 'IfMatching',
  });
});

describe('the name of a destination', () => {
  test('is namespace/name, after the name of the cluster', () => {
    expect(desireOf({ portals }).own?.settings.name).toBe('platform/sumologic');
    expect(desireOf({ portals }, undefined, 'prod').own?.settings.name).toBe('prod/platform/sumologic');
  });

  test('has at most 128 characters, and differs if the whole name differs', () => {
    const part = fc.string({ unit: fc.constantFrom('a', 'b', '-'), minLength: 1, maxLength: 63 });
    const long = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 253 });
    fc.assert(
      fc.property(part, part, long, long, (cluster, namespace, first, second) => {
        const [one, other] = [first, second].map((name) => defaultDestinationName(cluster, namespace, name));
        expect(one?.length).toBeLessThanOrEqual(128);
        expect(one === other).toBe(first === second);
        expect(one?.startsWith(`${cluster}/${namespace}/`.slice(0, 100))).toBe(true);
      }),
    );
  });
});

test('a digest does not show the endpoint, or that two forwardings have the same one', () => {
  const digest = endpointDigest('u', credentials.endpoint);
  expect(digest).toMatch(/^[0-9a-f]{64}$/);
  expect(endpointDigest('other', credentials.endpoint)).not.toBe(digest);
  expect(endpointDigest('u', `${credentials.endpoint}x`)).not.toBe(digest);
  expect(endpointDigest('u', credentials.endpoint)).toBe(digest);
});
