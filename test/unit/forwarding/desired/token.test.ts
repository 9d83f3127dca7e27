/** Where the Konnect token comes from: a Secret, or a KonnectAPIAuthConfiguration of kong-operator. */
import { describe, expect, test } from '@jest/globals';
import { apiVersion, kind, AuditLogForwarding as Schema } from '../../../../src/api/v1alpha1.ts';
import { secretsOf } from '../../../../src/forwarding/desired/credentials.ts';
import {
  authConfigurationsOf,
  resolveToken,
  tokenPlace,
  tokenSource,
} from '../../../../src/forwarding/desired/token.ts';
import type { AuthConfiguration } from '../../../../src/forwarding/ports.ts';
import { specOf } from '../../../support/forwarding-spec.ts';
import { FakeCluster } from '../support/fake-cluster.ts';

const signal = new AbortController().signal;
const token = 'kpat_CANARY';
const inline: AuthConfiguration = { kind: 'token', token };
const bySecret: AuthConfiguration = { kind: 'secret', name: 'kong-token' };

function forwarding(metadata: object = {}) {
  const { konnect, ...spec } = specOf({ organization: { enabled: true } });
  const { tokenSecretRef: _, ...rest } = konnect;
  return Schema.parse({
    apiVersion,
    kind,
    metadata: { namespace: 'platform', name: 'sumologic', uid: 'u', resourceVersion: '1', ...metadata },
    spec: { ...spec, konnect: { ...rest, authRef: { name: 'kong' } } },
  });
}

function clusterWith(configuration: AuthConfiguration | undefined, secret?: string | Buffer): FakeCluster {
  const cluster = new FakeCluster();
  if (configuration !== undefined) cluster.authConfigurations.set('kong', configuration);
  if (secret !== undefined) cluster.putSecret('kong-token', { token: secret });
  return cluster;
}

test('messages, indexes and groups name the KonnectAPIAuthConfiguration', () => {
  expect(tokenSource(forwarding())).toBe('KonnectAPIAuthConfiguration kong');
  expect(tokenPlace(forwarding())).toBe('platform/KonnectAPIAuthConfiguration kong');
  expect(authConfigurationsOf(forwarding())).toEqual(['platform/kong']);
  expect(secretsOf(forwarding())).toEqual(['platform/siem']);
});

describe('the token is used', () => {
  test.each<[string, AuthConfiguration, string | undefined]>([
    ['from the object', inline, undefined],
    ['from its Secret', bySecret, `${token}\n`],
    ['from its Secret, named with this namespace', { ...bySecret, namespace: 'platform' }, token],
    ['for the region of spec', { ...inline, serverURL: 'https://us.api.konghq.com' }, undefined],
    ['with a host that names no region', { ...inline, serverURL: 'konnect.example.com' }, undefined],
    ['with the global host', { ...inline, serverURL: 'global.api.konghq.com' }, undefined],
  ])('%s', async (_what, configuration, secret) => {
    expect(await resolveToken(forwarding(), clusterWith(configuration, secret), signal)).toEqual({
      kind: 'resolved',
      value: token,
    });
  });

  test('of a forwarding that is being deleted, whatever the region', async () => {
    const deleted = forwarding({ deletionTimestamp: '2026-01-01T00:00:00Z' });
    const elsewhere: AuthConfiguration = { ...inline, serverURL: 'eu.api.konghq.com' };
    expect(await resolveToken(deleted, clusterWith(elsewhere), signal)).toEqual({ kind: 'resolved', value: token });
  });
});

describe('a problem names the object and the way out, without the token', () => {
  test.each<[string, AuthConfiguration | undefined, string | Buffer | undefined, string, string, RegExp]>([
    ['no object', undefined, undefined, 'AuthRefNotFound', 'waiting', /does not exist in this namespace: create it/],
    ['no CRD', { kind: 'unserved' }, undefined, 'AuthRefNotServed', 'stalled', /install the CRDs of kong-operator/],
    ['no rights', { kind: 'forbidden' }, undefined, 'AuthRefForbidden', 'stalled', /value authRefs of the chart/],
    [
      'another region',
      { ...inline, serverURL: 'https://EU.api.konghq.com' },
      undefined,
      'AuthRefMismatch',
      'stalled',
      /is for region eu, but spec\.konnect\.region is us: .* set spec\.konnect\.region to eu$/,
    ],
    ['no token', { kind: 'empty' }, undefined, 'SecretNotFound', 'waiting', /neither a token nor the name of a Secret/],
    [
      'no Secret',
      bySecret,
      undefined,
      'SecretNotFound',
      'waiting',
      /^Secret kong-token, named by KonnectAPIAuth.* kong,/,
    ],
    [
      'a Secret elsewhere',
      { ...bySecret, namespace: 'kong' },
      token,
      'SecretForbidden',
      'stalled',
      /does not read Secret kong-token.*because it is in namespace kong: name a Secret of this namespace/,
    ],
    [
      'a bad token',
      { kind: 'token', token: 'CANARY 1' },
      undefined,
      'SecretInvalid',
      'stalled',
      /kong, token contains/,
    ],
    ['a bad Secret', bySecret, 'CANARY 1', 'SecretInvalid', 'stalled', /^Secret kong-token, key token contains/],
  ])('%s', async (_what, configuration, secret, reason, severity, words) => {
    const resolved = await resolveToken(forwarding(), clusterWith(configuration, secret), signal);
    expect(resolved).toMatchObject({ kind: 'problem', problem: { reason, severity } });
    const { message } = resolved.kind === 'problem' ? resolved.problem : { message: '' };
    expect(message).toMatch(words);
    expect(message).toContain('KonnectAPIAuthConfiguration kong'.slice(0, reason === 'SecretInvalid' ? 0 : undefined));
    expect(message).not.toContain('CANARY');
  });
});
