/** The steps of the demo: the operator's main job, from `kubectl apply` to `kubectl delete`. */
import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import * as z from 'zod';
import type { DemoTerminal } from './demo-terminal.ts';
import { verifyLine } from './konnect/delivery/audit-line.ts';
import {
  createKonnectClient,
  type KonnectClient,
  organizationWebhook,
  type Webhook,
  webhookOf,
} from './konnect-client.ts';
import { namespace, type Sandbox, sandboxData } from './sandbox.ts';
import { searchMessages } from './sumologic/search.ts';

const inNamespace = ['-n', namespace] as const;
const forwarding = ['auditlogforwarding', 'sumologic', ...inNamespace] as const;
const eventColumns = ['-o', 'custom-columns=REASON:.reason,MESSAGE:.message'] as const;
const verified = '{.status.conditions[?(@.type=="Verified")].message}{"\\n"}';
const newCode = 'ZaVnC4dhaV2rotatedSandboxCodeThatOpensNothing==';

/** Runs all steps. Rejects at the first command or check that fails. */
export async function runDemoSteps(sandbox: Sandbox, terminal: DemoTerminal, file: string): Promise<void> {
  const konnect = createKonnectClient(sandbox);
  await apply(sandbox, terminal, file);
  await deliver(sandbox, terminal, konnect);
  await rotateAndDrift(sandbox, terminal, konnect, file);
  await wrongPortal(sandbox, terminal, konnect);
  await verify(terminal);
  await refuse(sandbox, terminal, konnect);
  await deleteAll(terminal, konnect, file);
}

async function apply({ controlPlane }: Sandbox, terminal: DemoTerminal, file: string): Promise<void> {
  terminal.heading('1. Two Dev Portals and the organization forward their audit logs to SumoLogic');
  await terminal.kubectl('apply', '-f', file);
  await terminal.watch(['get', 'auditlogforwarding', ...inNamespace, '-w'], 'the forwarding is ready', async () => {
    const path = '{.status.conditions[?(@.type=="Ready")].status}';
    const { stdout } = await controlPlane.kubectl(['get', ...forwarding, '-o', `jsonpath=${path}`]);
    return stdout === 'True';
  });
  await terminal.kubectl('get', 'events', ...inNamespace, '--sort-by=.eventTime', ...eventColumns);
}

async function deliver({ services }: Sandbox, terminal: DemoTerminal, konnect: KonnectClient): Promise<void> {
  terminal.heading('2. Audit lines arrive in SumoLogic, signed by Konnect');
  terminal.print('A developer logs in to the portal "developers", and a user lists the control planes.');
  const since = new Date(Date.now() - 1_000);
  await konnect.login(sandboxData.portals.developers);
  await konnect.call('GET', 'us', '/v2/control-planes');
  const jwks = z
    .object({ keys: z.array(z.looseObject({})) })
    .parse(await konnect.call('GET', 'us', '/v2/audit-log-webhook/jwks.json'));
  const search = {
    url: services.sumologic.url,
    accessId: sandboxData.accessKey.id,
    accessKey: sandboxData.accessKey.key,
  };
  const lines = await terminal.check(
    'a search in SumoLogic for _sourcecategory="Http Input" finds both lines',
    async () => {
      const found = await searchMessages({
        ...search,
        authority: services.authority.certificate,
        query: '_sourcecategory="Http Input"',
        from: since,
        to: new Date(Date.now() + 1_000),
        pollMs: 300,
      });
      const login = found.find((line) => line.includes('AUTHENTICATION_OUTCOME_SUCCESS'));
      const listing = found.find((line) => line.includes('Authz.control-planes'));
      return login === undefined || listing === undefined ? undefined : [login, listing];
    },
  );
  for (const line of lines) terminal.print(line);
  await terminal.check(
    'both signatures match the public keys of Konnect',
    () => lines.every((line) => verifyLine(line, jwks)) || undefined,
  );
  terminal.print('From now on, the operator does the same for every line.');
  const { id, key } = sandboxData.accessKey;
  const literals = [`--from-literal=accessId=${id}`, `--from-literal=accessKey=${key}`];
  await terminal.kubectl('create', 'secret', 'generic', 'sumologic-access', ...inNamespace, ...literals);
  const verification = { sumoLogic: { secretRef: { name: 'sumologic-access' }, query: '_source="Http Input"' } };
  await terminal.kubectl('patch', ...forwarding, '--type=merge', '-p', JSON.stringify({ spec: { verification } }));
}

async function rotateAndDrift(
  { services, folder, controlPlane }: Sandbox,
  terminal: DemoTerminal,
  konnect: KonnectClient,
  file: string,
): Promise<void> {
  terminal.heading('3. The operator applies a rotated Secret and restores what another client changed');
  services.sumologic.control.setSource({ code: newCode });
  const rotated = `${folder}/rotated.yaml`;
  const endpoint = services.sumologic.receiverURL(newCode);
  await writeFile(rotated, (await readFile(file, 'utf8')).replace(services.endpoint, endpoint), { mode: 0o600 });
  terminal.print('SumoLogic has a new HTTP source. Its URL goes into the Secret.');
  await terminal.kubectl('apply', '-f', rotated);
  const before = await terminal.check('Konnect sends to the new source', async () => {
    const [destination] = await konnect.destinations();
    return destination?.endpoint === endpoint ? destination : undefined;
  });

  terminal.print(`Another client sets the destination's log format to json and disables the webhook of portal "partners".
The forwarding's interval is 1m. At the next resync, the operator restores both.`);
  await konnect.call('PATCH', 'global', `/v3/audit-log-destinations/${before.id}`, {
    name: before.name,
    endpoint: before.endpoint,
    authorization: 'Bearer another-client',
    log_format: 'json',
    skip_ssl_verification: false,
  });
  await konnect.call('PATCH', 'us', webhookOf(sandboxData.portals.partners), {
    audit_log_destination_id: before.id,
    enabled: false,
  });
  await terminal.check(
    'the log format is cef again',
    async () => (await konnect.destinations())[0]?.log_format === 'cef' || undefined,
    90_000,
  );
  await terminal.check(
    'the webhook is enabled again',
    async () => (await konnect.webhook(webhookOf(sandboxData.portals.partners))).enabled || undefined,
  );
  await terminal.check('events report both corrections', async () => {
    const { stdout } = await controlPlane.kubectl(['get', 'events', ...inNamespace]);
    return (stdout.includes('DestinationCorrected') && stdout.includes('WebhookCorrected')) || undefined;
  });
  await terminal.kubectl('get', 'events', ...inNamespace, '--field-selector', 'type=Warning', ...eventColumns);
}

async function wrongPortal({ services }: Sandbox, terminal: DemoTerminal, konnect: KonnectClient): Promise<void> {
  terminal.heading('4. A portal ID is wrong: the status says which one and what to do');
  const wrong = randomUUID();
  const patch = JSON.stringify([{ op: 'add', path: '/spec/portals/-', value: { id: wrong } }]);
  await terminal.kubectl('patch', ...forwarding, '--type=json', '-p', patch);
  await terminal.kubectl('wait', ...forwarding, '--for=condition=Stalled', '--timeout=20s');
  await terminal.kubectl('get', 'auditlogforwarding', ...inNamespace);
  const path = '{.status.conditions[?(@.type=="Ready")].message}';
  const message = await terminal.kubectl('get', ...forwarding, '-o', `jsonpath=${path}{"\\n"}`);
  await terminal.check(
    'the message names the portal and the field',
    () => (message.includes(wrong) && message.includes('spec.portals[2].id')) || undefined,
  );
  const before = services.sumologic.lines(newCode).length;
  await konnect.login(sandboxData.portals.partners);
  await terminal.check(
    'a login to portal "partners" still arrives in SumoLogic',
    () => services.sumologic.lines(newCode).length > before || undefined,
  );
}

async function verify(terminal: DemoTerminal): Promise<void> {
  terminal.heading("5. The operator has compared Konnect's own list of audit logs with SumoLogic");
  await terminal.kubectl('wait', ...forwarding, '--for=condition=Verified', '--timeout=60s');
  const message = await terminal.kubectl('get', ...forwarding, '-o', `jsonpath=${verified}`);
  await terminal.check(
    'every line has arrived, and its signature is valid',
    () => /has each of the \d+ entries .* and every signature is valid/.test(message) || undefined,
  );
}

async function refuse({ services }: Sandbox, terminal: DemoTerminal, konnect: KonnectClient): Promise<void> {
  terminal.heading('6. SumoLogic refuses audit logs for a while: the operator says so, and has the gap replayed');
  const { developers, partners } = sandboxData.portals;
  const patch = JSON.stringify([
    { op: 'remove', path: '/spec/portals/2' },
    { op: 'add', path: '/spec/gapRecovery', value: { mode: 'Replay' } },
  ]);
  await terminal.kubectl('patch', ...forwarding, '--type=json', '-p', patch);
  await terminal.kubectl('wait', ...forwarding, '--for=condition=Ready', '--timeout=20s');
  await terminal.check(
    'Konnect replays the gap that the disabled webhook of portal "partners" left in step 3',
    async () => (await konnect.isReplayed(webhookOf(partners))) || undefined,
  );

  const webhooks = [webhookOf(developers), organizationWebhook];
  /** A developer logs in while SumoLogic gives this answer. Resolves when the last delivery of each webhook has got it. */
  const login = async (status: 200 | 401) => {
    services.sumologic.control.respond(newCode, status);
    await konnect.login(developers);
    await terminal.check(
      `SumoLogic answered the last delivery of the portal and of the organization with HTTP ${String(status)}`,
      async () => {
        const answers = await Promise.all(webhooks.map((webhook) => konnect.lastAnswer(webhook)));
        return answers.every((one) => one === status) || undefined;
      },
    );
  };
  terminal.print(`SumoLogic answers each delivery with HTTP 401. A developer logs in to the portal "developers".
The requests of the operator are in the log of the organization.`);
  const refusedMs = Date.now();
  await login(401);
  const answeredMs = Date.now();
  await terminal.check(
    'the refused lines are two seconds old: they count as missing from now on (--verification-delay=2s)',
    () => Date.now() - answeredMs > 2_000 || undefined,
  );
  await terminal.auditlog(['reconcile', 'sumologic', ...inNamespace]);
  await terminal.kubectl('get', 'auditlogforwarding', ...inNamespace);
  const failing = await terminal.auditlog(['status', ...inNamespace], 3);
  await terminal.check(
    'the status says that deliveries fail, and why',
    () => /Delivering is False: .*HTTP 401/.test(failing) || undefined,
  );
  await terminal.kubectl('wait', ...forwarding, '--for=condition=Verified=False', '--timeout=60s');
  await terminal.kubectl('get', ...forwarding, '-o', `jsonpath=${verified}`);

  terminal.print('SumoLogic accepts deliveries again, and a developer logs in.');
  const acceptedMs = Date.now();
  await login(200);
  await terminal.auditlog(['reconcile', 'sumologic', ...inNamespace]);
  await terminal.check('Konnect has replayed the gap of the portal and of the organization', async () => {
    const replayed = await Promise.all(webhooks.map((webhook) => konnect.isReplayed(webhook)));
    return replayed.every(Boolean) || undefined;
  });
  await terminal.check('SumoLogic has the line of the login that it refused', () => {
    const logins = services.sumologic.lines(newCode).filter(({ line }) => line.includes(`portal_id=${developers}`));
    const times = logins.map(({ line }) => Number(/\brt=(\d+)/.exec(line)?.[1]));
    return times.some((ms) => ms >= refusedMs && ms < acceptedMs) || undefined;
  });
  await terminal.auditlog(['reconcile', 'sumologic', ...inNamespace]);
  await terminal.kubectl('wait', ...forwarding, '--for=condition=Verified', '--timeout=60s');
  await terminal.kubectl('get', ...forwarding, '-o', `jsonpath=${verified}`);
  const recovered = await terminal.auditlog(['status', ...inNamespace]);
  await terminal.check(
    'every webhook delivers, every replay is completed, and nothing is missing',
    () => recovered.match(/Delivered .*replay Completed .*True \(AllFound\)/g)?.length === 3 || undefined,
  );
}

async function deleteAll(terminal: DemoTerminal, konnect: KonnectClient, file: string): Promise<void> {
  terminal.heading('7. The forwarding is deleted: the operator removes its configuration from Konnect');
  await terminal.kubectl('delete', '-f', file, '--timeout=60s');
  await terminal.check('the destination is deleted', async () =>
    (await konnect.destinations()).length === 0 ? true : undefined,
  );
  for (const portal of Object.values(sandboxData.portals)) {
    await terminal.check(
      `the webhook of portal ${portal} is detached`,
      async () => isDetached(await konnect.webhook(webhookOf(portal))) || undefined,
    );
  }
  await terminal.check(
    "the organization's webhook is detached",
    async () => isDetached(await konnect.webhook(organizationWebhook)) || undefined,
  );
}

function isDetached({ audit_log_destination_id: id = '', enabled }: Webhook): boolean {
  return id === '' && !enabled;
}
