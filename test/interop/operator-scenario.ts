import { deepEqual, equal, match, rejects } from 'node:assert/strict';
import * as z from 'zod';
import { namespace, type Sandbox, sandboxData, writeForwarding } from '../../sandbox/sandbox.ts';
import { eventually } from '../support/eventually.ts';
import type { PeerTools } from './arguments.ts';
import { type Kongctl, kongctlIn } from './kongctl.ts';
import { type KonnectWorld, worldOf } from './konnect-fixture.ts';
import { type PublicHosts, startPublicHosts } from './public-hosts.ts';
import type { Teller } from './reporter.ts';
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
/** The interval of the sandbox's forwarding is a minute; this is that, its jitter, and patience. */
const nextLookMs = 100_000;

const Status = z.object({
  status: z.object({
    conditions: z.array(z.object({ type: z.string(), status: z.string(), reason: z.string(), message: z.string() })),
  }),
});

/** The operator and its peers in one organization: each sees what the other did, and the operator keeps what is its own. */
export async function tellOperator(tools: PeerTools, sandbox: Sandbox, teller: Teller): Promise<void> {
  const scene = await sceneOf(tools, sandbox, teller);
  try {
    if (scene.terraform !== undefined) await terraformWasFirst(scene, scene.terraform);
    await operatorComes(scene);
    if (scene.kongctl !== undefined) await kongctlLooks(scene, scene.kongctl);
    if (scene.terraform !== undefined) await terraformMeddles(scene, scene.terraform);
    await operatorGoes(scene);
  } finally {
    await scene.hosts.stop();
  }
}

interface Scene {
  readonly sandbox: Sandbox;
  readonly seen: KonnectWorld;
  readonly teller: Teller;
  readonly hosts: PublicHosts;
  readonly terraform?: Terraform;
  readonly kongctl?: Kongctl;
  /** The manifest of the forwarding with its Secrets. */
  readonly manifest: string;
}

async function sceneOf({ terraform, kongctl }: PeerTools, sandbox: Sandbox, teller: Teller): Promise<Scene> {
  const { konnect } = sandbox.services;
  const hosts = await startPublicHosts(konnect.url, sandbox.folder);
  const reach = { parent: sandbox.folder, konnectURL: konnect.urlTemplate, token: sandboxData.token };
  return {
    sandbox,
    seen: worldOf(konnect),
    teller,
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

async function terraformWasFirst(scene: Scene, terraform: Terraform): Promise<void> {
  const { seen, teller, sandbox, manifest } = scene;
  teller.chapter('Terraform has a portal’s webhook; then a forwarding wants it');
  await terraform.apply(theirWebhook);
  await kubectl(sandbox, 'apply', '-f', manifest);
  await teller.check('the operator says so and leaves it alone', async () => {
    await eventually(
      async () => {
        const ready = await conditionOf(sandbox, 'Ready');
        equal(ready?.reason, 'WebhookInUse');
        match(ready?.message ?? '', new RegExp(partners));
        equal((await conditionOf(sandbox, 'Stalled'))?.status, 'True');
      },
      { timeoutMs: 20_000 },
    );
    deepEqual(seen.portal(partners).target, { kind: 'destination', id: seen.destination('theirs').id });
  });
  await teller.check('the other portal forwards meanwhile', () => {
    deepEqual(seen.portal(developers), { ...seen.portal(developers), ...onAt(seen, ours) });
  });
  await teller.check('Terraform has nothing to plan', async () => deepEqual(await terraform.planned(), {}));
  await terraform.destroy();
  await teller.check('once Terraform has destroyed it, the operator takes the webhook', () =>
    eventually(() => equal(pointsAt(seen, partners), ours), { timeoutMs: nextLookMs, everyMs: 200 }),
  );
}

async function operatorComes({ sandbox, seen, teller, manifest }: Scene): Promise<void> {
  teller.chapter('A forwarding for two portals and the organization');
  await kubectl(sandbox, 'apply', '-f', manifest);
  await teller.check('is ready', () => becomesReady(sandbox));
  await teller.check('Konnect holds one destination, and three webhooks that point at it', () => {
    equal(seen.destinations().length, 1);
    for (const webhook of [seen.portal(developers), seen.portal(partners), seen.organization()]) {
      deepEqual({ enabled: webhook.enabled, target: webhook.target }, onAt(seen, ours));
    }
  });
}

async function kongctlLooks({ seen, teller, hosts }: Scene, kongctl: Kongctl): Promise<void> {
  teller.chapter('kongctl sees what the operator made');
  const { id } = seen.destination(ours);
  await teller.check('kongctl get audit-logs destination finds it by its name', async () => {
    const found = await kongctl.json('get', 'audit-logs', 'destination', ours);
    equal(z.object({ id: z.string() }).parse(found).id, id);
  });
  await teller.check('kongctl get audit-logs webhook shows that the organization’s is on', async () => {
    const shown = await kongctl.json('get', 'audit-logs', 'webhook');
    equal(z.object({ enabled: z.boolean() }).parse(shown).enabled, true);
  });
  await teller.check('kongctl api shows where a portal’s webhook points', async () => {
    const shown = await kongctl.api('get', 'us', `/v3/portals/${developers}/audit-log-webhook`);
    deepEqual(shown, { audit_log_destination_id: id, enabled: true });
  });
  await teller.check('kongctl listen does not take the webhook away', async () => {
    const args = ['listen', 'audit-logs', '--endpoint', 'https://listener.example/', '--authorization', 'Bearer x'];
    await rejects(kongctl.run(...args), /already configured/);
    equal(seen.destinations().length, 1);
  });
  deepEqual(hosts.refused, []);
}

async function terraformMeddles({ sandbox, seen, teller }: Scene, terraform: Terraform): Promise<void> {
  teller.chapter('Terraform takes hold of what the operator owns');
  const { id, endpoint } = seen.destination(ours);
  const wish =
    destinationBlock('ours', { name: ours, endpoint, authorization: 'Bearer by-terraform', log_format: 'json' }) +
    portalBlock({ portal: developers, destination: { label: 'ours' }, enabled: false }) +
    organizationBlock({ endpoint: theirs.endpoint, authorization: theirs.authorization, enabled: true });
  await terraform.planned(wish);
  await teller.check('imports the destination and the webhook', async () => {
    await terraform.import(addresses.destination('ours'), id);
    await terraform.import(addresses.portal, developers);
    const state = await terraform.state();
    equal(state[addresses.destination('ours')]?.['name'], ours);
    deepEqual(
      { enabled: state[addresses.portal]?.['enabled'], id: state[addresses.portal]?.['audit_log_destination_id'] },
      { enabled: true, id },
    );
  });
  await teller.check(
    'changes the log format, the authorization, a portal’s webhook and the organization’s',
    async () => {
      await terraform.apply(wish);
      deepEqual(await terraform.planned(), {});
      equal(seen.destination(ours).authorization, 'Bearer by-terraform');
      equal(seen.portal(developers).enabled, false);
      equal(seen.organization().target.kind, 'inline');
    },
  );
  await teller.check('the operator corrects the destination and the portal’s webhook', () =>
    eventually(
      () => {
        const { logFormat, authorization } = seen.destination(ours);
        deepEqual({ logFormat, authorization }, { logFormat: 'cef', authorization: sandboxData.authorization });
        equal(seen.portal(developers).enabled, true);
      },
      { timeoutMs: nextLookMs, everyMs: 200 },
    ),
  );
  await teller.check('and the organization’s webhook, which it re-points', () =>
    eventually(() => {
      const { target, enabled } = seen.organization();
      deepEqual({ target, enabled }, onAt(seen, ours));
    }),
  );
  await teller.check('events say so', () =>
    eventually(async () => {
      const events = await kubectl(sandbox, 'get', 'events');
      match(events, /DestinationCorrected/);
      match(events, /WebhookCorrected/);
    }),
  );
  await teller.check('Terraform sees every correction', async () => {
    deepEqual(Object.keys(await terraform.planned()).toSorted(), [
      addresses.organization,
      addresses.destination('ours'),
      addresses.portal,
    ]);
  });
}

async function operatorGoes({ sandbox, seen, teller, manifest, kongctl, terraform }: Scene): Promise<void> {
  teller.chapter('The forwarding is deleted');
  await kubectl(sandbox, 'delete', '-f', manifest, '--timeout=60s');
  await teller.check('nothing is left in Konnect', () => deepEqual(seen.leftOver(), []));
  if (kongctl !== undefined) {
    await teller.check('kongctl finds no destination', async () => {
      const { stdout } = await kongctl.run('get', 'audit-logs', 'destinations', '--output', 'json');
      deepEqual(z.array(z.unknown()).nullable().parse(JSON.parse(stdout)) ?? [], []);
    });
  }
  if (terraform !== undefined) {
    await teller.check('Terraform would have to create the destination', async () => {
      equal((await terraform.planned())[addresses.destination('ours')], 'create');
    });
  }
}

function onAt(seen: KonnectWorld, name: string): { enabled: boolean; target: { kind: 'destination'; id: string } } {
  return { enabled: true, target: { kind: 'destination', id: seen.destination(name).id } };
}

/** The name of the destination that a portal's webhook points at. */
function pointsAt(seen: KonnectWorld, portal: string): string {
  const { target } = seen.portal(portal);
  return seen.destinations().find(({ id }) => target.kind === 'destination' && id === target.id)?.name ?? target.kind;
}

async function becomesReady(sandbox: Sandbox): Promise<void> {
  await eventually(async () => equal((await conditionOf(sandbox, 'Ready'))?.status, 'True'), { timeoutMs: nextLookMs });
}

async function conditionOf(
  { controlPlane }: Sandbox,
  type: string,
): Promise<{ status: string; reason: string; message: string } | undefined> {
  const { stdout } = await controlPlane.kubectl([
    'get',
    'auditlogforwarding',
    'sumologic',
    '-n',
    namespace,
    '-o',
    'json',
  ]);
  return Status.parse(JSON.parse(stdout)).status.conditions.find((condition) => condition.type === type);
}

async function kubectl({ controlPlane }: Sandbox, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await controlPlane.kubectl([...args, '-n', namespace]);
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')} failed: ${stderr}`);
  return stdout;
}
