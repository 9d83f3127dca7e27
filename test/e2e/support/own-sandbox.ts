import { afterAll, beforeAll } from '@jest/globals';
import { runKubectl } from '../../../sandbox/control-plane/access.ts';
import { currentDestinations, type DestinationFields } from '../../../sandbox/konnect/model/destinations.ts';
import { type Sandbox, sandboxData, startSandbox, writeForwarding } from '../../../sandbox/sandbox.ts';

export interface OwnSandbox {
  readonly sandbox: () => Sandbox;
  /** The path of a manifest: the forwarding `sumologic` and its Secrets. */
  readonly manifest: () => string;
  /** Runs kubectl as a cluster administrator. Resolves with standard output, rejects with standard error. */
  readonly kubectl: (...args: string[]) => Promise<string>;
  /** Waits until the forwarding is ready. */
  readonly ready: () => Promise<string>;
  /** Returns the destinations in Konnect. */
  readonly destinations: () => DestinationFields[];
}

/** Starts a control plane and an operator for one test file, whose tests break the control plane. */
export function ownSandbox(): OwnSandbox {
  let sandbox: Sandbox;
  let manifest: string;

  beforeAll(async () => {
    sandbox = await startSandbox(() => undefined);
    manifest = await writeForwarding(sandbox);
  }, 240_000);

  afterAll(() => sandbox?.stop(), 120_000);

  const kubectl = (...args: string[]) => runKubectl(sandbox.controlPlane, args);

  function destinations(): DestinationFields[] {
    const organization = sandbox.services.konnect.model.organizations.get(sandboxData.organizationID);
    return organization === undefined ? [] : currentDestinations(organization);
  }

  return {
    sandbox: () => sandbox,
    manifest: () => manifest,
    kubectl,
    ready: () => kubectl('wait', '-n', 'platform', '--for=condition=Ready', '--timeout=90s', 'alf/sumologic'),
    destinations,
  };
}
