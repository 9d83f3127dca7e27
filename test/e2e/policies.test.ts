/** The admission policies of examples/policies/ on a real API server, with the operator. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import * as z from 'zod';
import { finalizer } from '../../src/api/v1alpha1.ts';
import { root } from '../docs/documents.ts';
import { cluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { expectEvent } from './support/conditions.ts';
import { forwarding } from './support/manifests.ts';
import { oneEnvironment } from './support/one-environment.ts';

const { environment, readyFixture } = oneEnvironment({ prefix: 'policies' });

const Policy = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string() }),
  spec: z.looseObject({}),
});
const text = readFileSync(join(root, 'examples/policies/policies.yaml'), 'utf8');
const policies = parseAllDocuments(text).map((one) => Policy.parse(one.toJS()));

/** Applies the policies, bound only to the namespace of this test, since other tests use the same API server. */
async function applyPolicies(): Promise<void> {
  const matchLabels = { 'kubernetes.io/metadata.name': environment().namespace };
  const items = policies.map(({ spec, ...rest }) => {
    const isBinding = rest.kind === 'ValidatingAdmissionPolicyBinding';
    return { ...rest, spec: isBinding ? { ...spec, matchResources: { namespaceSelector: { matchLabels } } } : spec };
  });
  await cluster().kubectl(['apply', '-f', '-'], {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
  });
}

/** Resolves with what kubectl prints if the API server rejects this forwarding, else with an empty text. */
async function refusal(name: string, spec: Readonly<Record<string, unknown>>): Promise<string> {
  const portals = [{ id: environment().blue.portals.us[1] }];
  const { stderr } = await environment().kubectl(['apply', '--dry-run=server', '-f', '-'], {
    input: JSON.stringify(forwarding(name, { portals, deletionPolicy: 'Retain', ...spec })),
    allowFailure: true,
  });
  return stderr;
}

afterAll(async () => {
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: policies });
  await cluster().kubectl(['delete', '--ignore-not-found', '-f', '-'], { input });
});

describe('in a namespace with a forwarding that is older than the policies', () => {
  const destination = { secretRef: { name: 'sumologic' }, skipSSLVerification: true };

  beforeAll(async () => {
    await environment().applySecrets();
    await environment().apply(
      forwarding('older', { destination, portals: [{ id: environment().blue.portals.us[0] }], interval: '24h' }),
    );
    await environment().waitForReady('older');
    await applyPolicies();
  }, 120_000);

  test.each<[string, Readonly<Record<string, unknown>>, string]>([
    ['without verified TLS', { destination }, 'skipSSLVerification must be false'],
    ['with the organization off', { organization: { enabled: false } }, 'spec.organization.enabled must be true'],
    ['without Retain', { deletionPolicy: 'Delete' }, 'spec.deletionPolicy must be Retain'],
  ])('the API server rejects a forwarding %s', async (_title, spec, words) => {
    // The API server applies a new policy after a second or two.
    await eventually(async () => expect(await refusal('new', spec)).toContain(words));
    expect(await refusal('new', {})).toBe('');
  });

  test('a forwarding that fits becomes ready, and keeps the organization', async () => {
    const one = await readyFixture('fits', { deletionPolicy: 'Retain', organization: { enabled: true } });
    const { stderr } = await environment().kubectl(
      ['patch', 'alf', one.name, '--type=merge', '-p', '{"spec":{"organization":null}}'],
      { allowFailure: true },
    );
    expect(stderr).toContain('spec.organization must stay');
    await environment().remove(one.name);
  });

  test('the operator restores its finalizer on the older one, and its deletion does not hang', async () => {
    await environment().kubectl(['patch', 'alf', 'older', '--type=merge', '-p', '{"metadata":{"finalizers":null}}']);
    await expectEvent(environment(), 'older', { type: 'Warning', reason: 'FinalizerRestored', note: /./ });
    await eventually(async () => {
      expect((await environment().forwarding('older')).metadata.finalizers).toEqual([finalizer]);
    });
    await environment().remove('older');
  });
});
