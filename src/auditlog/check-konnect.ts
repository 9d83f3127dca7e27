/** The checks of `auditlog doctor` in Konnect: reachable, clock, token and its rights, region, portals, and the shapes of the Secrets. */
import type { AuditLogForwarding } from '../api/v1alpha1.ts';
import { resolveCredentials } from '../forwarding/desired/credentials.ts';
import { resolvePortals } from '../forwarding/desired/desired-portals.ts';
import { lacksCode } from '../forwarding/desired/endpoint-secret.ts';
import { resolveToken, tokenSource } from '../forwarding/desired/token.ts';
import { nameOf } from '../forwarding/ownership/claims.ts';
import type { ClusterReads } from '../forwarding/ports.ts';
import { orProblem, type Problem } from '../forwarding/problems.ts';
import { HTTPConnections } from '../http/http-connections.ts';
import { globalRegion, hostFor } from '../konnect/konnect-url.ts';
import type { Konnect } from '../konnect/session/konnect.ts';
import { type CheckResult, resultsFor } from './check-result.ts';
import type { KonnectHost } from './konnect-connection.ts';
import { portalIDs } from './konnect-inventory.ts';
import { userAgent } from './user-agent.ts';

const maxClockDifferenceMs = 60_000;

/** Checks that Konnect answers at all, and compares its clock with that of this machine. */
export async function checkReachable(
  { urlTemplate, proxies }: Pick<KonnectHost, 'urlTemplate' | 'proxies'>,
  signal: AbortSignal,
): Promise<CheckResult[]> {
  const url = new URL('v3/organizations/me', hostFor(urlTemplate, globalRegion));
  const reachable = resultsFor('Konnect', url.host);
  const clock = resultsFor('clock', 'this machine');
  const connections = new HTTPConnections({
    userAgent,
    timeoutMs: 15_000,
    maxAnswerBytes: 1_048_576,
    maxSockets: 1,
    proxies,
  });
  try {
    const headers = { accept: 'application/json' };
    const outcome = await connections.send({ method: 'GET', url, headers, signal });
    const nowMs = Date.now();
    if (outcome.kind === 'none') {
      const why = outcome.code === undefined ? '' : ` (${outcome.code})`;
      return [reachable.failed(`it does not answer${why}: check DNS, the firewall, HTTPS_PROXY and --konnect-url`)];
    }
    const answers = reachable.ok(`answers (HTTP ${String(outcome.status)})`);
    const differenceMs = Math.abs(nowMs - Date.parse(outcome.headers.date ?? ''));
    if (Number.isNaN(differenceMs)) return [answers, clock.unknown('Konnect does not say what time it is')];
    if (differenceMs <= maxClockDifferenceMs) return [answers, clock.ok('agrees with Konnect to the minute')];
    const minutes = String(Math.round(differenceMs / 60_000));
    return [answers, clock.failed(`differs from Konnect by ${minutes} minutes: synchronize it, also on the nodes`)];
  } finally {
    connections.close();
  }
}

/** Checks the Secrets of a forwarding, what its token can read, and whether it sees the portals. */
export async function checkForwarding(
  forwarding: AuditLogForwarding,
  cluster: ClusterReads,
  konnect: Konnect,
  signal: AbortSignal,
): Promise<CheckResult[]> {
  const secrets = resultsFor('Secrets', nameOf(forwarding));
  const [token, credentials] = await Promise.all([
    resolveToken(forwarding, cluster, signal),
    resolveCredentials(forwarding, cluster, signal),
  ]);
  const problems = [token, credentials].flatMap((one) => (one.kind === 'problem' ? [one.problem.message] : []));
  const isSuspicious = credentials.kind === 'resolved' && lacksCode(credentials.value?.endpoint ?? '');
  if (isSuspicious)
    problems.push(
      'the endpoint is that of a SumoLogic source of the kind Auth Header, which Konnect cannot use: choose Presigned URL there',
    );
  const shapes =
    problems.length === 0
      ? [secrets.ok('every value has the right form')]
      : problems.map((text) => secrets.failed(text));
  if (token.kind === 'problem') return shapes;
  return [...shapes, ...(await checkToken(forwarding, token.value, cluster, konnect, signal))];
}

async function checkToken(
  forwarding: AuditLogForwarding,
  token: string,
  cluster: ClusterReads,
  konnect: Konnect,
  signal: AbortSignal,
): Promise<CheckResult[]> {
  const { spec } = forwarding;
  const { region, auditLogsAPI: api } = spec.konnect;
  const access = konnect.forToken(token, 'new', region);
  const { client } = access;
  const context = { tokenSource: tokenSource(forwarding), now: () => new Date(), signal };
  /** `read` returns what was found, or what is wrong. */
  const attempt = async (check: string, object: string, read: () => Promise<string | readonly string[]>) => {
    const { ok, failed } = resultsFor(check, nameOf(forwarding));
    const found = await orProblem(context, object, read);
    if (typeof found === 'string') return [ok(found)];
    return 'problem' in found ? [failed(inWords(found.problem))] : found.map(failed);
  };
  let organizationID: string | undefined;
  const organization = await attempt('token', 'the organization', async () => {
    organizationID = (await access.organization(signal)).id;
    return `belongs to organization ${organizationID}`;
  });
  const others = await Promise.all([
    attempt('destinations', 'the destinations', async () => {
      const { size } = await access.destinations(api, { sinceMs: -Infinity }, signal);
      return `the token sees ${String(size)}; no request says whether it may write`;
    }),
    attempt('region', "the organization's webhook", async () => {
      const webhook = await client.getOrganizationWebhook(region, signal);
      if (spec.organization === undefined) return `${region} answers`;
      await client.getInlineWebhook(region, signal);
      await client.getOrganizationWebhookStatus(api, region, signal);
      const shown = webhook === undefined ? 'no webhook of the organization yet' : "the organization's webhook";
      return `${region} answers, and shows ${shown}`;
    }),
    attempt('portals', 'the portals', async () => {
      const seen = new Set(await portalIDs(client, region, signal));
      const wanted =
        organizationID === undefined
          ? { portals: (spec.portals ?? []).map(({ id }) => ({ id, problem: undefined })), unresolved: [] }
          : await resolvePortals(forwarding, { ...context, cluster, recorded: forwarding.status, organizationID });
      const found = `the token sees ${String(seen.size)} in region ${region}`;
      const hidden = wanted.portals.flatMap(({ id }) => (seen.has(id) ? [] : [id]));
      const wayOut = 'check spec.portals, spec.portalRefs, spec.konnect.region and the roles of the token';
      const refused = await Promise.all(
        wanted.portals.map(async ({ id }) => {
          if (!seen.has(id)) return undefined;
          const answer = await orProblem(context, `portal ${id}`, async () => {
            await client.getPortalWebhook(region, id, signal);
            await client.getPortalWebhookStatus(region, id, signal);
            return undefined;
          });
          return answer?.problem;
        }),
      );
      const problems = [...wanted.portals.map(({ problem }) => problem), ...wanted.unresolved, ...refused];
      const wrong = [
        ...problems.flatMap((one) => (one === undefined ? [] : [inWords(one)])),
        ...(hidden.length === 0 ? [] : [`${found}, but not ${hidden.join(', ')}: ${wayOut}`]),
      ];
      return wrong.length === 0 ? found : wrong;
    }),
  ]);
  return [...organization, ...others.flat()];
}

function inWords({ object, message }: Problem): string {
  return object === undefined ? message : `${object}: ${message}`;
}
