/** The main job of the operator from the first `kubectl apply` to the last `kubectl delete`. */
import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import * as z from 'zod';
import { verifyLine } from './konnect/delivery/audit-line.ts';
import type { Narrator } from './demo-terminal.ts';
import { namespace, type Sandbox, world } from './sandbox.ts';
import { searchMessages } from './sumologic/search.ts';

const inNamespace = ['-n', namespace] as const;
const forwarding = ['auditlogforwarding', 'sumologic', ...inNamespace] as const;
const newCode = 'ZaVnC4dhaV2rotatedSandboxCodeThatOpensNothing==';

const Destinations = z.object({
  data: z.array(z.object({ id: z.string(), name: z.string(), endpoint: z.string(), log_format: z.string() })),
});
const Webhook = z.object({ audit_log_destination_id: z.string().optional(), enabled: z.boolean() });

/** Rejects at the first step that does not hold. */
export async function tellStory(sandbox: Sandbox, narrator: Narrator, file: string): Promise<void> {
  const konnect = konnectOf(sandbox);
  await apply(sandbox, narrator, file);
  await deliver(sandbox, narrator, konnect);
  await rotateAndDrift(sandbox, narrator, konnect, file);
  await wrongPortal(sandbox, narrator, konnect);
  await deleteAll(narrator, konnect, file);
}

async function apply({ controlPlane }: Sandbox, narrator: Narrator, file: string): Promise<void> {
  narrator.chapter('1. Two Dev Portals and the organization forward to SumoLogic');
  await narrator.kubectl('apply', '-f', file);
  await narrator.watch(['get', 'auditlogforwarding', ...inNamespace, '-w'], 'it is ready', async () => {
    const path = '{.status.conditions[?(@.type=="Ready")].status}';
    const { stdout } = await controlPlane.kubectl(['get', ...forwarding, '-o', `jsonpath=${path}`]);
    return stdout === 'True';
  });
  await narrator.kubectl('get', 'events', ...inNamespace, '--sort-by=.metadata.creationTimestamp');
}

async function deliver({ services }: Sandbox, narrator: Narrator, konnect: KonnectHand): Promise<void> {
  narrator.chapter('2. Audit lines arrive, signed by Konnect');
  narrator.say('A developer logs in to the portal "developers", and somebody lists the control planes.');
  const since = new Date(Date.now() - 1_000);
  await konnect.login(world.portals.developers);
  await konnect.call('GET', 'us', '/v2/control-planes');
  const jwks = z
    .object({ keys: z.array(z.looseObject({})) })
    .parse(await konnect.call('GET', 'us', '/v2/audit-log-webhook/jwks.json'));
  const search = { url: services.sumologic.url, accessId: world.accessKey.id, accessKey: world.accessKey.key };
  const lines = await narrator.see(
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
  for (const line of lines) narrator.say(line);
  await narrator.see(
    'both signatures verify against the JWKS',
    () => lines.every((line) => verifyLine(line, jwks)) || undefined,
  );
}

async function rotateAndDrift(
  { services, folder, controlPlane }: Sandbox,
  narrator: Narrator,
  konnect: KonnectHand,
  file: string,
): Promise<void> {
  narrator.chapter('3. A rotated Secret is applied; what others change in Konnect is put right');
  services.sumologic.control.setSource({ code: newCode });
  const rotated = `${folder}/rotated.yaml`;
  const endpoint = services.sumologic.receiverURL(newCode);
  await writeFile(rotated, (await readFile(file, 'utf8')).replace(services.endpoint, endpoint), { mode: 0o600 });
  narrator.say('SumoLogic has a new HTTP source; its URL goes into the Secret.');
  await narrator.kubectl('apply', '-f', rotated);
  const before = await narrator.see('Konnect sends to the new source', async () => {
    const [destination] = await konnect.destinations();
    return destination?.endpoint === endpoint ? destination : undefined;
  });

  narrator.say(`By hand, in Konnect: the destination's log format becomes json, the webhook of portal "partners" is switched off.
The forwarding's interval is 1m: at the next look both are put right.`);
  await konnect.call('PATCH', 'global', `/v3/audit-log-destinations/${before.id}`, {
    name: before.name,
    endpoint: before.endpoint,
    authorization: 'Bearer somebody-elses',
    log_format: 'json',
    skip_ssl_verification: false,
  });
  await konnect.call('PATCH', 'us', webhookOf(world.portals.partners), {
    audit_log_destination_id: before.id,
    enabled: false,
  });
  await narrator.see(
    'the destination is cef again',
    async () => (await konnect.destinations())[0]?.log_format === 'cef' || undefined,
    90_000,
  );
  await narrator.see(
    'the webhook is on again',
    async () => (await konnect.webhook(world.portals.partners)).enabled || undefined,
  );
  await narrator.see('events say so', async () => {
    const { stdout } = await controlPlane.kubectl(['get', 'events', ...inNamespace]);
    return (stdout.includes('DestinationCorrected') && stdout.includes('WebhookCorrected')) || undefined;
  });
  await narrator.kubectl('get', 'events', ...inNamespace, '--field-selector', 'type=Warning');
}

async function wrongPortal({ services }: Sandbox, narrator: Narrator, konnect: KonnectHand): Promise<void> {
  narrator.chapter('4. A wrong portal ID: the status says which, why and what to do; the others go on');
  const wrong = randomUUID();
  const patch = JSON.stringify([{ op: 'add', path: '/spec/portals/-', value: { id: wrong } }]);
  await narrator.kubectl('patch', ...forwarding, '--type=json', '-p', patch);
  await narrator.kubectl('wait', ...forwarding, '--for=condition=Stalled', '--timeout=20s');
  await narrator.kubectl('get', 'auditlogforwarding', ...inNamespace);
  const path = '{.status.conditions[?(@.type=="Ready")].message}';
  const message = await narrator.kubectl('get', ...forwarding, '-o', `jsonpath=${path}{"\\n"}`);
  await narrator.see(
    'the message names the portal and the field',
    () => (message.includes(wrong) && message.includes('spec.portals[2].id')) || undefined,
  );
  const before = services.sumologic.lines(newCode).length;
  await konnect.login(world.portals.partners);
  await narrator.see(
    'a login to portal "partners" still arrives',
    () => services.sumologic.lines(newCode).length > before || undefined,
  );
}

async function deleteAll(narrator: Narrator, konnect: KonnectHand, file: string): Promise<void> {
  narrator.chapter('5. Deleted, Secrets and all: nothing is left in Konnect');
  await narrator.kubectl('delete', '-f', file, '--timeout=60s');
  await narrator.see('no destination is left', async () =>
    (await konnect.destinations()).length === 0 ? true : undefined,
  );
  for (const portal of Object.values(world.portals)) {
    await narrator.see(
      `the webhook of portal ${portal} is detached`,
      async () => isFree(await konnect.webhook(portal)) || undefined,
    );
  }
  await narrator.see(
    "the organization's webhook is detached",
    async () => isFree(Webhook.parse(await konnect.call('GET', 'us', '/v3/audit-log-webhook'))) || undefined,
  );
}

function isFree({ audit_log_destination_id: id = '', enabled }: z.infer<typeof Webhook>): boolean {
  return id === '' && !enabled;
}

function webhookOf(portal: string): string {
  return `/v3/portals/${portal}/audit-log-webhook`;
}

/** What a person could do with curl. */
interface KonnectHand {
  call(method: string, region: string, path: string, body?: object): Promise<unknown>;
  destinations(): Promise<z.infer<typeof Destinations>['data']>;
  webhook(portal: string): Promise<z.infer<typeof Webhook>>;
  login(portal: string): Promise<void>;
}

function konnectOf({ services }: Sandbox): KonnectHand {
  async function call(method: string, region: string, path: string, body?: object): Promise<unknown> {
    const answer = await fetch(services.konnect.urlTemplate.replace('{region}', region) + path, {
      method,
      headers: { authorization: `Bearer ${world.token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path} answered ${String(answer.status)}`);
    return answer.json();
  }
  return {
    call,
    destinations: async () => Destinations.parse(await call('GET', 'global', '/v3/audit-log-destinations')).data,
    webhook: async (portal) => Webhook.parse(await call('GET', 'us', webhookOf(portal))),
    async login(portal) {
      const { email: username, password } = world.developer;
      await call('POST', 'us', `/__portals/${portal}/api/v2/developer/authenticate`, { username, password });
    },
  };
}
