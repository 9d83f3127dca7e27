/** The kinds of kong-operator, which tests install and delete. */
import { expect } from '@jest/globals';
import { cluster } from '../../support/cluster.ts';
import { eventually } from '../../support/eventually.ts';
import type { portalDefinition } from '../../support/kong-operator.ts';

/** Resolves when the API server serves the kind. */
export async function installKind(definition: typeof portalDefinition): Promise<void> {
  const { kubectl } = cluster();
  const { name } = definition.metadata;
  await kubectl(['apply', '-f', '-'], { input: JSON.stringify(definition) });
  await kubectl(['wait', '--for=condition=Established', '--timeout=20s', `crd/${name}`]);
  // The API server reports Established shortly before it serves the kind.
  await eventually(async () => kubectl(['get', name, '-A']));
}

/** Resolves when the API server no longer serves the kind with this CRD. */
export async function removeKind(crd: string): Promise<void> {
  const { kubectl } = cluster();
  await kubectl(['delete', 'crd', crd, '--ignore-not-found', '--timeout=60s']);
  const [plural = '', ...group] = crd.split('.');
  await eventually(async () => {
    const args = ['api-resources', `--api-group=${group.join('.')}`, '--no-headers'];
    const { stdout } = await kubectl(args, { allowFailure: true });
    expect(stdout).not.toMatch(new RegExp(`^${plural} `, 'm'));
  });
}
