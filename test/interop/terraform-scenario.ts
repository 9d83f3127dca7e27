import { deepEqual, equal, match, rejects } from 'node:assert/strict';
import type { Behavior } from '../../sandbox/konnect/behavior.ts';
import { type KonnectServer, startKonnect } from '../../sandbox/konnect/server.ts';
import { sandboxData, sandboxSeed } from '../../sandbox/sandbox.ts';
import { fixtureOf, type KonnectFixture } from './konnect-fixture.ts';
import type { Reporter } from './reporter.ts';
import {
  addresses,
  type DestinationConfig,
  destinationBlock,
  organizationBlock,
  portalBlock,
  type Terraform,
  type TerraformOptions,
  terraformIn,
} from './terraform.ts';

export type TerraformTools = Pick<TerraformOptions, 'terraform' | 'provider' | 'parent'>;

const portal = sandboxData.portals.developers;
const first: DestinationConfig = {
  name: 'made by Terraform',
  endpoint: 'https://siem.example/first',
  authorization: 'Bearer first',
};
const second: DestinationConfig = {
  name: 'second, made by Terraform',
  endpoint: 'https://siem.example/second',
  authorization: 'Bearer second',
  log_format: 'json',
  skip_ssl_verification: true,
};
const inline = { endpoint: 'https://siem.example/inline', authorization: 'Bearer inline', enabled: true };
const everything =
  destinationBlock('first', first) +
  portalBlock({ portal, destination: { label: 'first' }, enabled: true }) +
  organizationBlock(inline);

/** Behavior of Konnect with which the provider works. Together they contain every supported value. */
const supportedBehaviors: readonly Partial<Behavior>[] = [
  {},
  { unconfiguredWebhook: 'disabled-absent', fillPatchDefaults: true, firstUpdatedAt: 'zero' },
  { unconfiguredWebhook: 'disabled-nil', fillPatchDefaults: false, staleListMs: 60_000, pageSizeMax: 1 },
  {
    unconfiguredWebhook: 'not-found',
    patchAnswersUpdatedAt: false,
    duplicateNames: 'allowed',
    unknownDestination: 400,
  },
];

/** Behavior with which the provider fails. Kong's own tests of the provider would also fail, so Konnect probably behaves differently. */
const unsupportedBehaviors: readonly (readonly [
  behavior: Partial<Behavior>,
  step: 'apply' | 'destroy',
  says: RegExp,
])[] = [
  [{ patchStatus: 201 }, 'apply', /201/],
  [{ firstUpdatedAt: 'malformed' }, 'apply', /0001-01-01T00:00:0Z/],
  [{ portalDeleteConflict: true }, 'destroy', /code 409/],
  [{ releaseDelayMs: 60_000 }, 'destroy', /code 409/],
];

/** Checks Terraform alone: destinations, a portal's webhook and the organization's. Nothing exists before and after. */
export async function checkTerraform(tools: TerraformTools, reporter: Reporter): Promise<void> {
  for (const behavior of supportedBehaviors) {
    reporter.section(`Terraform, Konnect with ${JSON.stringify(behavior)}`);
    await withKonnect(behavior, tools, (terraform, konnect) => checkLifecycle(terraform, konnect, reporter));
  }
  reporter.section('Terraform, Konnect with behavior that the provider does not expect');
  for (const [behavior, step, says] of unsupportedBehaviors) {
    await reporter.check(`with ${JSON.stringify(behavior)}, ${step} fails`, () =>
      withKonnect(behavior, tools, async (terraform) => {
        const applied = terraform.apply(everything);
        if (step === 'apply') return rejects(applied, says);
        await applied;
        await rejects(terraform.destroy(), says);
      }),
    );
  }
}

async function withKonnect(
  behavior: Partial<Behavior>,
  tools: TerraformTools,
  use: (terraform: Terraform, konnect: KonnectServer) => Promise<void>,
): Promise<void> {
  const konnect = await startKonnect({ seed: sandboxSeed, behavior });
  try {
    await use(await terraformIn({ ...tools, konnectURL: konnect.urlTemplate, token: sandboxData.token }), konnect);
  } finally {
    await konnect.stop();
  }
}

async function checkLifecycle(terraform: Terraform, konnect: KonnectServer, reporter: Reporter): Promise<void> {
  const fixture = fixtureOf(konnect);
  const nothingLeft = () => reporter.check('then plans nothing', async () => deepEqual(await terraform.planned(), {}));

  await reporter.check('creates a destination, a portal’s webhook and the organization’s', async () => {
    await terraform.apply(everything);
    showsFirst(fixture);
  });
  await nothingLeft();

  await reporter.check('reads what somebody changed, and puts it right', async () => {
    const { id } = fixture.destination(first.name);
    await call(konnect, 'PATCH', `global/v3/audit-log-destinations/${id}`, { ...first, log_format: 'cps' });
    await call(konnect, 'DELETE', `us/v3/portals/${portal}/audit-log-webhook`);
    await call(konnect, 'PATCH', 'us/v2/audit-log-webhook', { ...inline, enabled: false });
    deepEqual(Object.keys(await terraform.planned()).toSorted(), [
      addresses.organization,
      addresses.destination('first'),
      addresses.portal,
    ]);
    await terraform.apply(everything);
    showsFirst(fixture);
  });
  await nothingLeft();

  await reporter.check('updates each, and moves the webhook to another destination', async () => {
    const { id } = fixture.destination(first.name);
    await terraform.apply(
      destinationBlock('first', { ...first, name: 'renamed', endpoint: 'https://siem.example/moved' }) +
        destinationBlock('second', second) +
        portalBlock({ portal, destination: { label: 'second' }, enabled: false }) +
        organizationBlock({ ...inline, enabled: false, log_format: 'cps' }),
    );
    equal(fixture.destination('renamed').id, id);
    equal(fixture.destination('renamed').endpoint, 'https://siem.example/moved');
    const { id: secondID, authorization } = fixture.destination(second.name);
    equal(authorization, second.authorization);
    deepEqual(pointing(fixture), { destination: secondID, enabled: false });
    equal(fixture.organization().enabled, false);
  });
  await nothingLeft();

  await reporter.check('destroys everything: no destination, and no webhook that sends', async () => {
    await terraform.destroy();
    deepEqual(fixture.leftOver(), []);
    deepEqual(await terraform.state(), {});
  });
  await reporter.check('creates it all again on what is left', async () => {
    await terraform.apply(everything);
    deepEqual(await terraform.planned(), {});
    showsFirst(fixture);
  });
  await terraform.destroy();
}

function showsFirst(fixture: KonnectFixture): void {
  const { id, endpoint, authorization, logFormat, skipSSLVerification } = fixture.destination(first.name);
  deepEqual(
    { name: first.name, endpoint, authorization, logFormat, skipSSLVerification },
    { ...first, logFormat: 'cef', skipSSLVerification: false },
  );
  deepEqual(pointing(fixture), { destination: id, enabled: true });
  const { target, enabled } = fixture.organization();
  equal(enabled, true);
  match(target.kind === 'inline' ? target.inline.endpoint : '', /\/inline$/);
}

function pointing(fixture: KonnectFixture): { destination: string; enabled: boolean } {
  const { target, enabled } = fixture.portal(portal);
  return { destination: target.kind === 'destination' ? target.id : '', enabled };
}

async function call({ url }: KonnectServer, method: string, path: string, body?: object): Promise<void> {
  const answer = await fetch(`${url}/${path}`, {
    method,
    headers: { authorization: `Bearer ${sandboxData.token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}`);
}
