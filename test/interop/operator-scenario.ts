import { deepEqual, equal, match, rejects } from 'node:assert/strict';
import * as z from 'zod';
import { runKubectl } from '../../sandbox/control-plane/access.ts';
import { namespace, type Sandbox, sandboxData, writeForwarding } from '../../sandbox/sandbox.ts';
import { eventually } from '../support/eventually.ts';
import type { PeerTools } from './arguments.ts';
import { type Kongctl, kongctlIn } from './kongctl.ts';
import { fixtureOf, type KonnectFixture } from './konnect-fixture.ts';
import { type PublicHosts, startPublicHosts } from './public-hosts.ts';
import type { Reporter } from './reporter.ts';
import {
  addresses,
  destinationBlock,
  organizationBlock,
  portalBlock,
  type Terraform,
  terraformIn,
} from './terraform.ts';

const ours = `${namespace}/sumologic`;
const { developers, partners } = sandboxData.portals;
/** The resync interval of the sandbox's forwarding is one minute. This timeout includes jitter and a busy machine. */
const resyncTimeoutMs = 100_000;

const Status = z.object({
  status: z.object({
    conditions: z.array(z.object({ type: z.string(), status: z.string(), reason: z.string(), message: z.string() })),
  }),
});

/** Runs the operator and its peers in one organization. Each sees the changes of the others, and the operator corrects its own objects. */
export async function checkOperator(tools: PeerTools, sandbox: Sandbox, reporter: Reporter): Promise<void> {
  const context = await createContext(tools, sandbox, reporter);
  try {
    if (context.terraform !== undefined) await forwardAfterTerraform(context, context.terraform);
    await applyForwarding(context);
    if (context.kongctl !== undefined) await readWithKongctl(context, context.kongctl);
    if (context.terraform !== undefined) await changeWithTerraform(context, context.terraform);
    await deleteForwarding(context);
  } finally {
    await context.hosts.stop();
  }
}

interface Context {
  readonly sandbox: Sandbox;
  readonly fixture: KonnectFixture;
  readonly reporter: Reporter;
  readonly hosts: PublicHosts;
  readonly terraform?: Terraform;
  readonly kongctl?: Kongctl;
  /** Path of the manifest with the forwarding and its Secrets. */
  readonly manifest: string;
}

async function createContext(
  { terraform, kongctl }: PeerTools,
  sandbox: Sandbox,
  reporter: Reporter,
): Promise<Context> {
  const { konnect } = sandbox.services;
  const hosts = await startPublicHosts(konnect.url, sandbox.folder);
  const reach = { parent: sandbox.folder, konnectURL: konnect.urlTemplate, token: sandboxData.token };
  return {
    sandbox,
    fixture: fixtureOf(konnect),
    reporter,
    hosts,
    manifest: await writeForwarding(sandbox),
    ...(terraform === undefined ? {} : { terraform: await terraformIn({ ...terraform, ...reach }) }),
    ...(kongctl === undefined ? {} : { kongctl: await kongctlIn({ kongctl, hosts, ...reach }) }),
  };
}

const theirs = { name: 'theirs', endpoint: 'https://siem.example/theirs', authorization: 'Bearer theirs' };
const theirWebhook =
  destinationBlock('theirs', theirs) +
  portalBlock({ portal: partners, destination: { label: 'theirs' }, enabled: true });

async function forwardAfterTerraform(context: Context, terraform: Terraform): Promise<void> {
  const { fixture, reporter, sandbox, manifest } = context;
  reporter.section('Terraform owns a portal’s webhook, and then a forwarding wants it');
  await terraform.apply(theirWebhook);
  await kubectl(sandbox, 'apply', '-f', manifest);
  await reporter.check('the operator reports it and does not change it', async () => {
    await eventually(
      async () => {
        const ready = await conditionOf(sandbox, 'Ready');
        equal(ready?.reason, 'WebhookInUse');
        match(ready?.message ?? '', new RegExp(partners));
        equal((await conditionOf(sandbox, 'Stalled'))?.status, 'True');
      },
      { timeoutMs: 20_000 },
    );
    deepEqual(fixture.portal(partners).target, { kind: 'destination', id: fixture.destination('theirs').id });
  });
  await reporter.check('the other portal is attached meanwhile', () => {
    deepEqual(fixture.portal(developers), { ...fixture.portal(developers), ...onAt(fixture, ours) });
  });
  await reporter.check('Terraform has nothing to plan', async () => deepEqual(await terraform.planned(), {}));
  await terraform.destroy();
  await reporter.check('after Terraform has destroyed it, the operator attaches the webhook', () =>
    eventually(() => equal(pointsAt(fixture, partners), ours), { timeoutMs: resyncTimeoutMs, everyMs: 200 }),
  );
}

async function applyForwarding({ sandbox, fixture, reporter, manifest }: Context): Promise<void> {
  reporter.section('A forwarding for two portals and the organization');
  await kubectl(sandbox, 'apply', '-f', manifest);
  await reporter.check('is ready', () => becomesReady(sandbox));
  await reporter.check('Konnect has one destination, and three webhooks that point at it', () => {
    equal(fixture.destinations().length, 1);
    for (const webhook of [fixture.portal(developers), fixture.portal(partners), fixture.organization()]) {
      deepEqual({ enabled: webhook.enabled, target: webhook.target }, onAt(fixture, ours));
    }
  });
}

async function readWithKongctl({ fixture, reporter, hosts }: Context, kongctl: Kongctl): Promise<void> {
  reporter.section('kongctl reads what the operator created');
  const { id } = fixture.destination(ours);
  await reporter.check('kongctl get audit-logs destination finds it by its name', async () => {
    const found = await kongctl.json('get', 'audit-logs', 'destination', ours);
    equal(z.object({ id: z.string() }).parse(found).id, id);
  });
  await reporter.check('kongctl get audit-logs webhook shows that the organization’s is on', async () => {
    const shown = await kongctl.json('get', 'audit-logs', 'webhook');
    equal(z.object({ enabled: z.boolean() }).parse(shown).enabled, true);
  });
  await reporter.check('kongctl api shows where a portal’s webhook points', async () => {
    const shown = await kongctl.api('get', 'us', `/v3/portals/${developers}/audit-log-webhook`);
    deepEqual(shown, { audit_log_destination_id: id, enabled: true });
  });
  await reporter.check('kongctl listen does not take over the webhook', async () => {
    const args = ['listen', 'audit-logs', '--endpoint', 'https://listener.example/', '--authorization', 'Bearer x'];
    await rejects(kongctl.run(...args), /already configured/);
    equal(fixture.destinations().length, 1);
  });
  deepEqual(hosts.refused, []);
}

async function changeWithTerraform({ sandbox, fixture, reporter }: Context, terraform: Terraform): Promise<void> {
  reporter.section('Terraform changes objects of the operator');
  const { id, endpoint } = fixture.destination(ours);
  const wish =
    destinationBlock('ours', { name: ours, endpoint, authorization: 'Bearer by-terraform', log_format: 'json' }) +
    portalBlock({ portal: developers, destination: { label: 'ours' }, enabled: false }) +
    organizationBlock({ endpoint: theirs.endpoint, authorization: theirs.authorization, enabled: true });
  await terraform.planned(wish);
  await reporter.check('imports the destination and the webhook', async () => {
    await terraform.import(addresses.destination('ours'), id);
    await terraform.import(addresses.portal, developers);
    const state = await terraform.state();
    equal(state[addresses.destination('ours')]?.['name'], ours);
    deepEqual(
      { enabled: state[addresses.portal]?.['enabled'], id: state[addresses.portal]?.['audit_log_destination_id'] },
      { enabled: true, id },
    );
  });
  await reporter.check(
    'changes the log format, the authorization, a portal’s webhook and the organization’s',
    async () => {
      await terraform.apply(wish);
      deepEqual(await terraform.planned(), {});
      equal(fixture.destination(ours).authorization, 'Bearer by-terraform');
      equal(fixture.portal(developers).enabled, false);
      equal(fixture.organization().target.kind, 'inline');
    },
  );
  await reporter.check('the operator corrects the destination and the portal’s webhook', () =>
    eventually(
      () => {
        const { logFormat, authorization } = fixture.destination(ours);
        deepEqual({ logFormat, authorization }, { logFormat: 'cef', authorization: sandboxData.authorization });
        equal(fixture.portal(developers).enabled, true);
      },
      { timeoutMs: resyncTimeoutMs, everyMs: 200 },
    ),
  );
  await reporter.check('the operator corrects the organization’s webhook', () =>
    eventually(() => {
      const { target, enabled } = fixture.organization();
      deepEqual({ target, enabled }, onAt(fixture, ours));
    }),
  );
  await reporter.check('events report the corrections', () =>
    eventually(async () => {
      const events = await kubectl(sandbox, 'get', 'events');
      match(events, /DestinationCorrected/);
      match(events, /WebhookCorrected/);
    }),
  );
  await reporter.check('Terraform sees every correction', async () => {
    deepEqual(Object.keys(await terraform.planned()).toSorted(), [
      addresses.organization,
      addresses.destination('ours'),
      addresses.portal,
    ]);
  });
}

async function deleteForwarding({ sandbox, fixture, reporter, manifest, kongctl, terraform }: Context): Promise<void> {
  reporter.section('The forwarding is deleted');
  await kubectl(sandbox, 'delete', '-f', manifest, '--timeout=60s');
  await reporter.check('nothing is left in Konnect', () => deepEqual(fixture.leftOver(), []));
  if (kongctl !== undefined) {
    await reporter.check('kongctl finds no destination', async () => {
      const { stdout } = await kongctl.run('get', 'audit-logs', 'destinations', '--output', 'json');
      deepEqual(z.array(z.unknown()).nullable().parse(JSON.parse(stdout)) ?? [], []);
    });
  }
  if (terraform !== undefined) {
    await reporter.check('Terraform would have to create the destination', async () => {
      equal((await terraform.planned())[addresses.destination('ours')], 'create');
    });
  }
}

function onAt(
  fixture: KonnectFixture,
  name: string,
): { enabled: boolean; target: { kind: 'destination'; id: string } } {
  return { enabled: true, target: { kind: 'destination', id: fixture.destination(name).id } };
}

/** Returns the name of the destination of a portal's webhook. */
function pointsAt(fixture: KonnectFixture, portal: string): string {
  const { target } = fixture.portal(portal);
  return (
    fixture.destinations().find(({ id }) => target.kind === 'destination' && id === target.id)?.name ?? target.kind
  );
}

async function becomesReady(sandbox: Sandbox): Promise<void> {
  await eventually(async () => equal((await conditionOf(sandbox, 'Ready'))?.status, 'True'), {
    timeoutMs: resyncTimeoutMs,
  });
}

async function conditionOf(
  sandbox: Sandbox,
  type: string,
): Promise<{ status: string; reason: string; message: string } | undefined> {
  const forwarding = await kubectl(sandbox, 'get', 'auditlogforwarding', 'sumologic', '-o', 'json');
  return Status.parse(JSON.parse(forwarding)).status.conditions.find((condition) => condition.type === type);
}

function kubectl({ controlPlane }: Sandbox, ...args: string[]): Promise<string> {
  return runKubectl(controlPlane, [...args, '-n', namespace]);
}
