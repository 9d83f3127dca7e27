import { deepEqual, equal, match, rejects } from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { freePort } from '../../sandbox/control-plane/ports.ts';
import type { Behavior } from '../../sandbox/konnect/behavior.ts';
import { createDelivery } from '../../sandbox/konnect/delivery/sender.ts';
import { type KonnectServer, startKonnect } from '../../sandbox/konnect/server.ts';
import { sandboxData, sandboxSeed } from '../../sandbox/sandbox.ts';
import { eventually } from '../support/eventually.ts';
import { type Kongctl, type KongctlOptions, kongctlIn } from './kongctl.ts';
import { fixtureOf, type KonnectFixture } from './konnect-fixture.ts';
import { startPublicHosts } from './public-hosts.ts';
import type { Reporter } from './reporter.ts';

export type KongctlTools = Pick<KongctlOptions, 'kongctl' | 'parent'>;

const portal = sandboxData.portals.developers;
const portalWebhook = `/v3/portals/${portal}/audit-log-webhook`;
const destinations = '/v3/audit-log-destinations';
const fields = (name: string): string[] => [
  `name=${name}`,
  `endpoint=https://siem.example/${name}`,
  'authorization=Bearer kongctl',
  'log_format=json',
  'skip_ssl_verification:=true',
];
const WithID = z.object({ id: z.string() });
const Named = z.object({ id: z.string(), name: z.string(), endpoint: z.string() });
const Plan = z.object({
  summary: z.object({ total_changes: z.number() }),
  changes: z.array(z.object({ action: z.string() })).nullish(),
});

/** Behavior of Konnect with which kongctl works. */
const supportedBehaviors: readonly Partial<Behavior>[] = [
  {},
  { unconfiguredWebhook: 'disabled-absent', patchAnswersUpdatedAt: false, duplicateNames: 'allowed' },
  { unconfiguredWebhook: 'not-found', releaseDelayMs: 1_500 },
];

interface Context {
  readonly kongctl: Kongctl;
  readonly konnect: KonnectServer;
  readonly fixture: KonnectFixture;
  /** Tunnels that its proxy refused. */
  readonly refused: readonly string[];
  readonly reporter: Reporter;
}

/** Checks all uses of kongctl for audit logs: calls, lists, declarations, a listener. Nothing exists before and after. */
export async function checkKongctl(tools: KongctlTools, reporter: Reporter): Promise<void> {
  for (const behavior of supportedBehaviors) {
    reporter.section(`kongctl, Konnect with ${JSON.stringify(behavior)}`);
    await withKongctl(behavior, tools, reporter, async (context) => {
      await byCalls(context);
      await byDeclaration(context);
      await byListening(context);
      deepEqual(context.refused, []);
    });
  }
  reporter.section('kongctl, Konnect with behavior that kongctl does not expect');
  await withKongctl({ fillPatchDefaults: true }, tools, reporter, async ({ kongctl, konnect }) => {
    const { before, after } = await createTwoDestinations(konnect);
    await reporter.check(
      'a declared change of only the destination switches delivery off, if PATCH fills in defaults',
      async () => {
        await declare(kongctl, before);
        await declare(kongctl, after);
        equal(await changesLeft(kongctl), 1);
      },
    );
  });
  await withKongctl({ patchStatus: 201 }, tools, reporter, async ({ kongctl, konnect }) => {
    const { before } = await createTwoDestinations(konnect);
    await reporter.check('kongctl apply fails if a PATCH is answered with 201', () =>
      rejects(declare(kongctl, before), /201/),
    );
  });
  for (const [unconfiguredWebhook, action] of [
    ['disabled-empty', 'CREATE'],
    ['disabled-nil', 'UPDATE'],
  ] as const) {
    await withKongctl({ unconfiguredWebhook }, tools, reporter, async ({ kongctl, konnect }) => {
      await reporter.check(`for a webhook that is ${unconfiguredWebhook}, it plans ${action}`, async () => {
        await write(kongctl, (await createTwoDestinations(konnect)).before);
        deepEqual(
          (await planOf(kongctl)).changes?.map((change) => change.action),
          [action],
        );
      });
    });
  }
}

async function withKongctl(
  behavior: Partial<Behavior>,
  { kongctl: executable, parent }: KongctlTools,
  reporter: Reporter,
  play: (context: Context) => Promise<void>,
): Promise<void> {
  // kongctl leaves `enabled` out when only the destination changes, and its own tests find the webhook still on.
  const asKongctlExpects = { fillPatchDefaults: false, ...behavior };
  const konnect = await startKonnect({ seed: sandboxSeed, behavior: asKongctlExpects, deliver: createDelivery({}) });
  const hosts = await startPublicHosts(konnect.url, parent);
  try {
    const options = { kongctl: executable, parent, hosts, konnectURL: konnect.urlTemplate, token: sandboxData.token };
    const kongctl = await kongctlIn(options);
    await play({ kongctl, konnect, fixture: fixtureOf(konnect), refused: hosts.refused, reporter });
  } finally {
    await hosts.stop();
    await konnect.stop();
  }
}

async function byCalls({ kongctl, fixture, reporter }: Context): Promise<void> {
  const { id } = await reporter.check('kongctl api creates a destination', async () =>
    WithID.parse(await kongctl.api('post', 'global', destinations, ...fields('called'))),
  );
  await reporter.check('reads it and lists it', async () => {
    equal(fixture.destination('called').id, id);
    const one = Named.parse(await kongctl.api('get', 'global', `${destinations}/${id}`));
    deepEqual(z.object({ data: z.array(Named) }).parse(await kongctl.api('get', 'us', destinations)).data, [one]);
  });
  await reporter.check('updates it', async () => {
    await kongctl.api('patch', 'global', `${destinations}/${id}`, ...fields('renamed'));
    equal(fixture.destination('renamed').id, id);
  });
  for (const [whose, path] of [
    ['a portal', portalWebhook],
    ['the organization', '/v3/audit-log-webhook'],
  ] as const) {
    await reporter.check(`attaches, switches and detaches the webhook of ${whose}`, async () => {
      await kongctl.api('patch', 'us', path, `audit_log_destination_id=${id}`, 'enabled:=true');
      const on = { audit_log_destination_id: id, enabled: true };
      deepEqual(await kongctl.api('get', 'us', path), on);
      await rejects(kongctl.api('delete', 'us', `${destinations}/${id}`), /Destination is in use/);
      await kongctl.api('patch', 'us', path, `audit_log_destination_id=${id}`, 'enabled:=false');
      deepEqual(await kongctl.api('get', 'us', path), { ...on, enabled: false });
      await kongctl.api('delete', 'us', path);
    });
  }
  await reporter.check('sets the organization’s webhook inline, and removes it', async () => {
    const inline = fields('inline').filter((field) => !field.startsWith('name='));
    await kongctl.api('patch', 'us', '/v2/audit-log-webhook', ...inline, 'enabled:=true');
    equal(fixture.organization().target.kind, 'inline');
    await kongctl.api('patch', 'us', '/v2/audit-log-webhook', 'enabled:=false');
    await kongctl.api('delete', 'us', '/v3/audit-log-webhook');
    equal(fixture.organization().target.kind, 'none');
  });
  await reporter.check('deletes the destination; nothing is left', async () => {
    await eventually(() => kongctl.api('delete', 'global', `${destinations}/${id}`), { everyMs: 250 });
    deepEqual(fixture.leftOver(), []);
  });
}

async function byDeclaration({ kongctl, konnect, fixture, reporter }: Context): Promise<void> {
  const two = await createTwoDestinations(konnect);
  const { before, after } = two;
  await reporter.check('kongctl get audit-logs shows destinations, by id and by name', async () => {
    const all = z.array(Named).parse(await kongctl.json('get', 'audit-logs', 'destinations'));
    deepEqual(all.map(({ name }) => name).toSorted(), ['after', 'before']);
    const one = Named.parse(await kongctl.json('get', 'audit-logs', 'destination', 'before'));
    equal(one.id, fixture.destination('before').id);
  });
  await reporter.check('kongctl apply attaches a declared webhook to a destination found by its name', async () => {
    await declare(kongctl, before);
    deepEqual(fixture.portal(portal).target, { kind: 'destination', id: fixture.destination('before').id });
    equal(await changesLeft(kongctl), 0);
  });
  await reporter.check('sends only what changed, and then plans nothing', async () => {
    await declare(kongctl, after);
    deepEqual(fixture.portal(portal).target, { kind: 'destination', id: fixture.destination('after').id });
    equal(fixture.portal(portal).enabled, true);
    equal(await changesLeft(kongctl), 0);
  });
  await reporter.check('switches it off', async () => {
    await declare(kongctl, after.replace('enabled: true', 'enabled: false'));
    equal(fixture.portal(portal).enabled, false);
    equal(await changesLeft(kongctl), 0);
  });
  await kongctl.api('delete', 'us', portalWebhook);
  await two.remove();
}

async function byListening({ kongctl, konnect, fixture, reporter }: Context): Promise<void> {
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const args = ['listen', 'audit-logs', '--endpoint', `http://${address}/audit-logs`, '--listen-address', address];
  const listener = kongctl.start(...args, '--name', 'listening', '--authorization', 'Bearer listener');
  try {
    await reporter.check(
      'kongctl listen creates a destination and attaches the organization’s webhook to it',
      async () => {
        await eventually(
          () => {
            const { target, enabled } = fixture.organization();
            deepEqual(
              { target, enabled },
              { target: { kind: 'destination', id: fixture.destination('listening').id }, enabled: true },
            );
          },
          { timeoutMs: 20_000 },
        );
      },
    );
    await reporter.check('kongctl get audit-logs webhook shows it', async () => {
      const shown = z.object({ enabled: z.boolean() }).parse(await kongctl.json('get', 'audit-logs', 'webhook'));
      equal(shown.enabled, true);
    });
    await reporter.check('a second listener is refused because the webhook is in use', async () => {
      await rejects(kongctl.run(...args, '--authorization', 'Bearer listener'), /already configured/);
    });
    await reporter.check('audit logs arrive, decompressed and line by line', async () => {
      await fetch(`${konnect.url}/us/v2/control-planes`, { headers: { authorization: `Bearer ${sandboxData.token}` } });
      const file = join(kongctl.home, 'config', 'kongctl', 'audit-logs', 'default', 'events.jsonl');
      await eventually(async () => match(await readFile(file, 'utf8'), /Authz\.control-planes/), { timeoutMs: 20_000 });
    });
  } finally {
    listener.kill('SIGINT');
  }
  const { code, stdout, stderr } = await listener.ended;
  await reporter.check('at its end, webhook and destination are removed', () => {
    equal(code, 0, stdout + stderr);
    deepEqual(fixture.leftOver(), []);
  });
}

/** Creates two destinations. Resolves with declarations that attach the portal's webhook to either of them. */
async function createTwoDestinations({
  url,
}: KonnectServer): Promise<{ before: string; after: string; remove(): Promise<void> }> {
  const headers = { authorization: `Bearer ${sandboxData.token}`, 'content-type': 'application/json' };
  const paths: string[] = [];
  for (const name of ['before', 'after']) {
    const body = { name, endpoint: `https://siem.example/${name}`, authorization: 'Bearer x', log_format: 'cef' };
    const made = await fetch(`${url}/global${destinations}`, { method: 'POST', headers, body: JSON.stringify(body) });
    paths.push(`${url}/global${destinations}/${WithID.parse(await made.json()).id}`);
  }
  const declaration = (name: string): string => `portals:
  - ref: developers
    _external:
      selector:
        matchFields:
          name: developers
    audit_log_webhook:
      ref: webhook
      enabled: true
      audit_log_destination_id: !ref siem
audit-logs:
  destinations:
    - ref: siem
      _external:
        selector:
          matchFields:
            name: ${name}
`;
  return {
    before: declaration('before'),
    after: declaration('after'),
    async remove() {
      for (const path of paths) {
        await eventually(async () => equal((await fetch(path, { method: 'DELETE', headers })).status, 204));
      }
    },
  };
}

async function declare(kongctl: Kongctl, declaration: string): Promise<void> {
  await kongctl.run('apply', '-f', await write(kongctl, declaration), '--auto-approve');
}

const declared = (kongctl: Kongctl): string => join(kongctl.home, 'declared.yaml');

async function write(kongctl: Kongctl, declaration: string): Promise<string> {
  await writeFile(declared(kongctl), declaration);
  return declared(kongctl);
}

/** Resolves with the actions that `kongctl apply` of the last declaration would still run. */
async function planOf(kongctl: Kongctl): Promise<z.infer<typeof Plan>> {
  const { stdout } = await kongctl.run('plan', '--mode', 'apply', '-f', declared(kongctl));
  return Plan.parse(JSON.parse(stdout));
}

async function changesLeft(kongctl: Kongctl): Promise<number> {
  return (await planOf(kongctl)).summary.total_changes;
}
