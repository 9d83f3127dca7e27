import { expect, test } from '@jest/globals';
import { authConfigurationToKeep } from '../../../src/resources/auth-configuration-resource.ts';

const metadata = { namespace: 'platform', name: 'kong', uid: 'u', resourceVersion: '7', generation: 3 };
const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': 'kpat_CANARY' };

test('the cache keeps neither the token nor annotations, which may contain it', () => {
  const spec = { type: 'token', token: 'kpat_CANARY', serverURL: 'us.api.konghq.com' };
  const object = { metadata: { ...metadata, annotations }, spec };
  expect(authConfigurationToKeep(object)).toEqual({ metadata });
});

test('the cache keeps the name of the Secret', () => {
  const object = { metadata, spec: { type: 'secretRef', secretRef: { name: 'konnect' } } };
  expect(authConfigurationToKeep(object)).toEqual({ metadata, secret: 'platform/konnect' });
});
