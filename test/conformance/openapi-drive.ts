import type { Behavior } from '../../sandbox/konnect/behavior.ts';
import type { FaultRule } from '../../sandbox/konnect/faults.ts';
import { type KonnectServer, startKonnect } from '../../sandbox/konnect/server.ts';
import {
  destination,
  full,
  portalID,
  readOnly,
  recordingDelivery,
  seed,
  unknownID,
} from '../unit/sandbox/konnect/support.ts';
import type { Exchange } from './openapi-documents.ts';

/** Sends a request and records it with its answer. */
type Ask = (method: string, path: string, body?: unknown, token?: string) => Promise<Exchange>;

const portals = '/us/v3/portals';
const portalWebhook = `${portals}/${portalID}/audit-log-webhook`;
const organizationWebhooks = ['/us/v2/audit-log-webhook', '/us/v3/audit-log-webhook'] as const;
const destinations = ['/us/v2/audit-log-destinations', '/global/v3/audit-log-destinations'] as const;
const replays = [
  '/us/v2/audit-log-replay-job',
  '/us/v3/audit-log-replay-job',
  `${portals}/${portalID}/audit-log-replay-job`,
] as const;
const auditLogs = '/us/v3/audit-logs';
const inline = { endpoint: destination.endpoint, authorization: 'Bearer x', enabled: true, log_format: 'cps' };

/** Calls every operation of the documents with valid and invalid requests, with each behavior that changes answers. */
export async function driveEverything(): Promise<Exchange[]> {
  const exchanges: Exchange[] = [];
  const behaviors: Partial<Behavior>[] = [
    {},
    { unconfiguredWebhook: 'disabled-absent', patchStatus: 201, patchAnswersUpdatedAt: false },
    {
      unconfiguredWebhook: 'disabled-nil',
      firstUpdatedAt: 'malformed',
      unknownDestination: 400,
      replayQueueMs: 60_000,
    },
    {
      unconfiguredWebhook: 'not-found',
      firstUpdatedAt: 'zero',
      fillPatchDefaults: false,
      portalDeleteConflict: true,
      replayTimes: 'with-offset',
    },
  ];
  for (const behavior of behaviors) {
    const deliver = recordingDelivery();
    const server = await startKonnect({ seed, behavior, deliver });
    try {
      const ask = recorder(server.url, exchanges);
      await driveRefusals(ask, server);
      await driveDestinations(ask);
      await driveWebhooks(ask);
      await driveReplays(ask, () => settle(deliver));
      await drivePortals(ask);
      await driveAuditLogs(ask);
    } finally {
      await server.stop();
    }
  }
  return exchanges;
}

function recorder(url: string, exchanges: Exchange[]): Ask {
  return async (method, path, body, token = full) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const [, , whole = ''] = /^\/(\w+)(\/.*)$/.exec(path) ?? [];
    const [plain = '', query = ''] = whole.split('?');
    const exchange: Exchange = {
      method,
      path: plain,
      query: new URLSearchParams(query),
      requestBody: body === undefined ? undefined : JSON.parse(JSON.stringify(body)),
      status: response.status,
      contentType: response.headers.get('content-type'),
      responseBody: text === '' ? undefined : JSON.parse(text),
    };
    exchanges.push(exchange);
    return exchange;
  };
}

/** Calls every operation without a valid token, and without the permission. */
async function driveRefusals(ask: Ask, { control }: KonnectServer): Promise<void> {
  const id = await create(ask, destinations[0]);
  const reads = [
    ...destinations.flatMap((path) => [path, `${path}/${id}`]),
    ...[...organizationWebhooks, portalWebhook].flatMap((path) => [path, `${path}/status`]),
    ...replays,
    portals,
    `${portals}/${portalID}`,
    auditLogs,
  ];
  const writes = [
    ...destinations.flatMap(
      (path) =>
        [
          ['POST', path],
          ['PATCH', `${path}/${id}`],
          ['DELETE', `${path}/${id}`],
        ] as const,
    ),
    ...[...organizationWebhooks, portalWebhook].map((path) => ['PATCH', path] as const),
    ...[organizationWebhooks[1], portalWebhook].map((path) => ['DELETE', path] as const),
    ...replays.map((path) => ['PUT', path] as const),
  ];
  for (const path of reads) {
    await ask('GET', path, undefined, 'kpat_unknown');
    const rule: FaultRule = { kind: 'status', status: 403, times: 1 };
    control.fail(rule);
    await ask('GET', path);
    await ask('GET', `${path}?color=red`);
  }
  for (const [method, path] of writes) {
    const body = method === 'DELETE' ? undefined : {};
    await ask(method, path, body, 'kpat_unknown');
    await ask(method, path, body, readOnly);
  }
  await ask('DELETE', `${destinations[0]}/${id}`);
}

async function driveDestinations(ask: Ask): Promise<void> {
  for (const path of destinations) {
    const id = await create(ask, path);
    await create(ask, path, { name: 'second', skip_ssl_verification: null });
    await ask('POST', path, destination);
    for (const wrong of [
      { ...destination, color: 'red' },
      { ...destination, log_format: 'xml' },
      { ...destination, skip_ssl_verification: 'no' },
      { name: 7 },
      { ...destination, log_format: 'xml', endpoint: 'x' },
      [],
    ]) {
      await ask('POST', path, wrong);
      await ask('PATCH', `${path}/${id}`, wrong);
    }
    for (const query of [
      '',
      '?page[size]=1',
      '?page[size]=&page[after]=',
      '?filter[name][eq]=siem',
      '?filter[name][contains]=s',
      '?page[size]=x',
    ]) {
      await ask('GET', `${path}${query}`);
    }
    await ask('GET', `${path}?filter[name]=siem`);
    await ask('GET', `${path}/${id}`);
    await ask('PATCH', `${path}/${id}`, { log_format: 'json', endpoint: null });
    await ask('PATCH', `${path}/${id}`, { name: 'second' });
    await ask('PATCH', '/us/v3/audit-log-webhook', { audit_log_destination_id: id, enabled: false });
    await ask('DELETE', `${path}/${id}`);
    await ask('DELETE', '/us/v3/audit-log-webhook');
    for (const method of ['GET', 'PATCH', 'DELETE']) {
      await ask(method, `${path}/${unknownID}`, method === 'PATCH' ? {} : undefined);
    }
    await removeAll(ask, path);
  }
}

async function driveWebhooks(ask: Ask): Promise<void> {
  await ask('GET', '/us/v2/audit-log-webhook/jwks.json');
  await ask('GET', organizationWebhooks[0]);
  await ask('GET', `${organizationWebhooks[0]}/status`);
  for (const body of [
    inline,
    { ...inline, log_format: null },
    { enabled: false },
    { endpoint: 'x' },
    { enabled: 'x' },
    { ...inline, log_format: 'xml' },
  ]) {
    await ask('PATCH', organizationWebhooks[0], body);
  }
  await ask('GET', organizationWebhooks[0]);
  await ask('GET', organizationWebhooks[1]);
  await ask('DELETE', organizationWebhooks[1]);
  const id = await create(ask, destinations[0]);
  const unknownPortal = `${portals}/${unknownID}/audit-log-webhook`;
  for (const path of [organizationWebhooks[1], portalWebhook, unknownPortal]) {
    await ask('GET', path);
    await ask('DELETE', path);
    await ask('PATCH', path, { enabled: false });
    for (const wrong of [unknownID, 'x', 7])
      await ask('PATCH', path, { audit_log_destination_id: wrong, enabled: true });
    await ask('PATCH', path, { audit_log_destination_id: id, enabled: true });
    await ask('GET', path);
    await ask('GET', `${path}/status`);
    await ask('DELETE', path);
    await ask('PATCH', path, { audit_log_destination_id: id, enabled: null });
    await ask('PATCH', path, { audit_log_destination_id: id, enabled: false });
    await ask('DELETE', path);
  }
  await removeAll(ask, destinations[0]);
}

/** Checks replays. `arrive` delivers all sent lines, so that a job ends. */
async function driveReplays(ask: Ask, arrive: () => void): Promise<void> {
  const id = await create(ask, destinations[0]);
  const end = Date.now();
  const body = { start_at: new Date(end - 3_600_000).toISOString(), end_at: new Date(end).toISOString() };
  for (const path of [...replays, `${portals}/${unknownID}/audit-log-replay-job`]) {
    await ask('GET', path);
    await ask('PUT', path, body);
    for (const webhook of [organizationWebhooks[1], portalWebhook]) {
      await ask('PATCH', webhook, { audit_log_destination_id: id, enabled: true });
    }
    await ask('POST', `/us/__portals/${portalID}/api/v2/developer/authenticate`, {
      username: 'dev@example.com',
      password: 'secret',
    });
    const times = { ...body, end_at: new Date().toISOString() };
    await ask('PUT', path, times);
    await ask('PUT', path, times);
    arrive();
    await ask('GET', path);
    for (const wrong of [{ ...body, start_at: '2020-01-01T00:00:00Z' }, { ...body, end_at: 'now' }, {}])
      await ask('PUT', path, wrong);
  }
}

function settle({ sent }: ReturnType<typeof recordingDelivery>): void {
  for (const { onAttempt } of sent.splice(0)) {
    onAttempt({ at: new Date(), code: 200, message: 'OK', ok: true, givenUp: false });
  }
}

async function drivePortals(ask: Ask): Promise<void> {
  for (const query of [
    '',
    '?page[size]=1&page[number]=2',
    '?filter[name][contains]=o',
    '?filter[name]=Shop',
    '?sort=name',
    '?sort=x',
    '?page[number]=x',
  ]) {
    await ask('GET', `${portals}${query}`);
  }
  await ask('GET', `${portals}/${portalID}`);
  await ask('GET', `${portals}/${unknownID}`);
}

async function driveAuditLogs(ask: Ask): Promise<void> {
  for (const query of [
    '',
    '?page[size]=1',
    `?filter[ts][gte]=${new Date(Date.now() - 3_600_000).toISOString()}`,
    '?filter[type]=authorization',
    '?filter[ts][lte]=now',
  ]) {
    await ask('GET', `${auditLogs}${query}`);
  }
}

async function create(ask: Ask, path: string, changes: object = {}): Promise<string> {
  const { responseBody } = await ask('POST', path, { ...destination, ...changes });
  return String(Object(responseBody).id);
}

async function removeAll(ask: Ask, path: string): Promise<void> {
  const { responseBody } = await ask('GET', path);
  const { data } = Object(responseBody);
  for (const { id } of Array.isArray(data) ? data : []) await ask('DELETE', `${path}/${id}`);
}
