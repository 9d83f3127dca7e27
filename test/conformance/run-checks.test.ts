import { describe, expect, test } from '@jest/globals';
import type { Behavior } from '../../sandbox/konnect/behavior.ts';
import type { KonnectServer } from '../../sandbox/konnect/server.ts';
import { full, organizationID, portalID } from '../unit/sandbox/konnect/support.ts';
import { type CheckResults, runChecks } from './run-checks.ts';
import type { ContractSettings } from './settings.ts';
import { leftIn, nothing, withKonnect } from './support.ts';

const portal = `/us/v3/portals/${portalID}/audit-log-webhook`;
const organization = '/us/v3/audit-log-webhook';

interface Asked extends CheckResults {
  readonly printed: string;
  answers(): Record<string, string>;
}

async function ask(server: KonnectServer, changes: Partial<ContractSettings> = {}): Promise<Asked> {
  const lines: string[] = [];
  const result = await runChecks({
    settings: {
      token: full,
      konnectURL: server.urlTemplate,
      region: 'us',
      portalID,
      takeWebhooks: false,
      endpoint: 'https://contract.invalid/c0de',
      ...changes,
    },
    polling: { pollMs: 2, limitMs: 5_000 },
    signal: new AbortController().signal,
    tell: (line) => void lines.push(line),
  });
  return {
    ...result,
    printed: lines.join('\n'),
    answers: () => Object.fromEntries(result.findings.map(({ id, answer }) => [id, answer])),
  };
}

const shortly: unknown = expect.stringMatching(/^after \d+\.\d s$/);

describe('the checks of an organization', () => {
  const cases: [Partial<Behavior>, Record<string, unknown>][] = [
    [
      { fillPatchDefaults: true },
      {
        'item-global-v3': 'yes',
        'item-region-v2': 'yes',
        'organizations-me': '200, with id and name',
        'jwks-without-token': 'none',
        'create-status': '201',
        'authorization-shown': 'no',
        'first-updated-at': 'the time of creation',
        'unset-updated-at-v2': 'the zero time',
        'unique-names': 'yes, 409',
        'unique-names-on-rename': 'yes, 409',
        'patch-status': '200',
        'patch-updated-at': 'yes, the one that GET shows',
        'patch-defaults': 'yes: log_format, skip_ssl_verification',
        'patch-null': 'yes',
        'list-after-create-global': 'at once',
        'list-after-delete': 'at once',
        'next-page': '/api/v3/audit-log-destinations',
        'next-cursor': 'yes',
        'default-page-size': '10',
        'page-size': 'it is 100',
        'unconfigured-portal': 'an empty id, disabled',
        'unconfigured-organization': 'an empty id, disabled',
        'unconfigured-status-organization': 'unconfigured, enabled false',
        'unconfigured-v2': 'unconfigured, enabled false',
        'v2-off-unconfigured': '200',
        'unknown-destination-portal': '404',
        'patch-status-organization': '200',
        'patch-defaults-portal': 'yes: it switches delivery off',
        'patch-defaults-organization': 'yes: it switches delivery off',
        'v2-patch-defaults': 'yes: log_format, skip_ssl_verification, enabled',
        'delete-in-use-portal': '409, says that it is in use',
        'delete-switched-off-organization': '409',
        'delete-enabled-portal': '204',
        'release-portal': 'at once',
        'v3-seen-in-v2': 'yes, the destination’s endpoint, enabled true',
        'v2-switches-v3-off': 'yes, and v3 still names the destination',
        'v2-patch-updated-at': 'yes, the one that GET shows',
        'v2-seen-in-v3': 'an empty id, enabled',
        'v2-makes-destination': 'no',
        'v2-takes-over': 'yes',
        'v2-off': 'the endpoint that was',
        'v3-delete-clears-v2': 'yes, 204',
      },
    ],
    [
      { fillPatchDefaults: false },
      {
        'patch-defaults': 'no, it keeps it',
        'patch-defaults-portal': 'no, it keeps it',
        'patch-defaults-organization': 'no, it keeps it',
        'v2-patch-defaults': 'no, it keeps it',
      },
    ],
    [
      { unconfiguredWebhook: 'disabled-absent' },
      { 'unconfigured-portal': 'no id, disabled', 'after-delete-organization': 'no id, disabled' },
    ],
    [
      { unconfiguredWebhook: 'disabled-nil' },
      { 'unconfigured-organization': 'the nil id, disabled', 'after-delete-portal': 'the nil id, disabled' },
    ],
    [
      { unconfiguredWebhook: 'not-found' },
      {
        'unconfigured-portal': '404',
        'delete-unconfigured-portal': '404',
        'unconfigured-organization': '404',
        'delete-unconfigured-organization': '404',
        'v2-seen-in-v3': '404',
      },
    ],
    [
      { destinationItems: 'region-v3', unservedDestinationItem: 'method-not-allowed' },
      {
        'item-global-v3': 'no: GET 405, PATCH 405, DELETE 405',
        'item-region-v3': 'yes',
        'item-region-v2': 'no: GET 405, PATCH 405, DELETE 405',
        'patch-status': '200',
      },
    ],
    [
      { destinationItems: 'region-v2', unservedDestinationItem: 'no-route' },
      {
        'item-global-v3': 'no: GET 404, PATCH 404, DELETE 404',
        'item-region-v2': 'yes',
        'unique-names-on-rename': 'yes, 409',
        'patch-updated-at': 'yes, the one that GET shows',
        'delete-status': '204',
        'delete-in-use-portal': '409, says that it is in use',
        'v2-takes-over': 'yes',
      },
    ],
    [
      { destinationItems: 'global' },
      { 'item-global-v2': 'yes', 'item-region-v3': 'no: GET 404, PATCH 404, DELETE 404' },
    ],
    [{ duplicateNames: 'allowed' }, { 'unique-names': 'no, a second one is made', 'unique-names-on-rename': 'no' }],
    [{ releaseDelayMs: 200 }, { 'release-portal': shortly, 'release-organization': shortly }],
    [{ staleListMs: 200 }, { 'list-after-create-global': shortly, 'list-after-delete': shortly }],
    [{ patchAnswersUpdatedAt: false }, { 'patch-updated-at': 'no', 'v2-patch-updated-at': 'no' }],
    [
      { patchStatus: 201 },
      {
        'patch-status': '201',
        'patch-status-portal': '201',
        'patch-status-organization': '201',
        'v2-patch-status': '201',
      },
    ],
    [{ unknownDestination: 400 }, { 'unknown-destination-portal': '400', 'unknown-destination-organization': '400' }],
    [{ pageSizeMax: 7 }, { 'page-size': 'it is 7', 'default-page-size': '7', 'next-cursor': 'yes' }],
    [{ portalDeleteConflict: true }, { 'delete-enabled-portal': '409', 'delete-enabled-organization': '204' }],
    [{ firstUpdatedAt: 'zero' }, { 'first-updated-at': 'the zero time' }],
    [
      { firstUpdatedAt: 'malformed' },
      {
        'first-updated-at': 'malformed (0001-01-01T00:00:0Z)',
        'unset-updated-at-v2': 'malformed (0001-01-01T00:00:0Z)',
      },
    ],
  ];

  test.each(cases)('are answered rightly where Konnect behaves %j, and nothing is left', (behavior, expected) =>
    withKonnect(behavior, async (server) => {
      const asked = await ask(server);
      expect(asked.unanswered).toEqual([]);
      expect(asked.left).toEqual([]);
      expect(asked.answers()).toMatchObject(expected);
      for (const id of Object.keys(expected)) expect(asked.printed).toContain(`[${id}]`);
      expect(leftIn(server)).toEqual(nothing);
      expect(asked.printed).not.toContain(full);
    }),
  );

  test('ask first which host serves one destination', () =>
    withKonnect({}, async (server) => {
      const { findings } = await ask(server);
      expect(findings.slice(0, 4).map(({ id }) => id)).toEqual([
        'item-global-v3',
        'item-region-v3',
        'item-region-v2',
        'item-global-v2',
      ]);
    }));

  test('leave out portals without a portal ID', () =>
    withKonnect({}, async (server) => {
      const { portalID: _, ...settings } = {
        token: full,
        konnectURL: server.urlTemplate,
        region: 'us',
        portalID,
        takeWebhooks: false,
        endpoint: 'https://contract.invalid/c0de',
      };
      const { findings } = await runChecks({
        settings,
        polling: { pollMs: 2, limitMs: 1_000 },
        signal: new AbortController().signal,
        tell: () => {},
      });
      expect(findings.filter(({ id }) => id.endsWith('-portal'))).toEqual([]);
      expect(server.control.calls().filter(({ path }) => path.includes('portals'))).toEqual([]);
    }));
});

describe('a webhook that is already configured', () => {
  async function configure(server: KonnectServer): Promise<string> {
    const call = async (method: string, path: string, body: object): Promise<Record<string, unknown>> => {
      const answer = await fetch(server.url + path, {
        method,
        headers: { authorization: `Bearer ${full}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return Object(await answer.json());
    };
    const theirs = { name: 'theirs', endpoint: 'https://theirs.example/c0de', authorization: 'x', log_format: 'cef' };
    const id = String((await call('POST', '/global/v3/audit-log-destinations', theirs))['id']);
    for (const path of [portal, organization]) {
      await call('PATCH', path, { audit_log_destination_id: id, enabled: true });
    }
    return id;
  }

  test('is not changed', () =>
    withKonnect({}, async (server) => {
      await configure(server);
      server.control.clearCalls();
      const { unanswered, left } = await ask(server);
      expect(unanswered).toEqual([
        expect.stringMatching(/^The portal’s webhook: left alone: .*--take-webhooks/),
        expect.stringMatching(/^The organization’s webhook: left alone: .*--take-webhooks/),
        expect.stringMatching(/^The organization’s webhook in two versions: left alone: .*--take-webhooks/),
      ]);
      expect(left).toEqual([]);
      const writes = server.control.calls().filter(({ method, path }) => method !== 'GET' && path.includes('webhook'));
      expect(writes).toEqual([]);
    }));

  test('is borrowed if that is allowed, and restored', () =>
    withKonnect({ fillPatchDefaults: false }, async (server) => {
      const id = await configure(server);
      const { unanswered, left } = await ask(server, { takeWebhooks: true });
      expect({ unanswered, left }).toEqual({ unanswered: [], left: [] });
      expect(leftIn(server)).toEqual({ destinations: ['theirs'], portal: 'destination', organization: 'destination' });
      const found = server.model.organizations.get(organizationID);
      for (const webhook of [found?.portals.get(portalID)?.webhook, found?.webhooks.get('us')]) {
        expect(webhook).toMatchObject({ enabled: true, target: { id } });
      }
    }));

  test('is not borrowed if it is inline, since its authorization cannot be read', () =>
    withKonnect({}, async (server) => {
      const found = server.model.organizations.get(organizationID);
      found?.webhooks.set('us', {
        enabled: true,
        target: {
          kind: 'inline',
          inline: {
            endpoint: 'https://theirs.example',
            authorization: 'x',
            logFormat: 'cef',
            skipSSLVerification: false,
          },
        },
      });
      const { unanswered } = await ask(server, { takeWebhooks: true });
      expect(unanswered).toHaveLength(2);
      expect(found?.webhooks.get('us')).toMatchObject({ enabled: true, target: { kind: 'inline' } });
    }));
});

describe('the cleanup', () => {
  const operations = [
    'create-audit-log-destination',
    'update-audit-log-destination',
    'get-audit-log-destinations',
    'update-portal-audit-log-webhook',
    'update-audit-logs-webhook',
    'update-audit-log-webhook',
    'delete-audit-logs-webhook',
  ];

  test.each(operations)('nothing is left when an answer to %s gets lost', (operation) =>
    withKonnect({}, async (server) => {
      const fault = server.control.fail({ kind: 'drop-after', match: { operation }, times: 1, skip: 2 });
      const { left } = await ask(server);
      expect(fault.hits()).toBe(1);
      expect(left).toEqual([]);
      expect(leftIn(server)).toEqual(nothing);
    }),
  );

  test('leaves nothing after an interruption', () =>
    withKonnect({}, async (server) => {
      const interrupt = new AbortController();
      const asking = runChecks({
        settings: {
          token: full,
          konnectURL: server.urlTemplate,
          region: 'us',
          portalID,
          takeWebhooks: false,
          endpoint: 'https://contract.invalid/c0de',
        },
        polling: { pollMs: 2, limitMs: 1_000 },
        signal: interrupt.signal,
        tell: (line) => {
          if (line.includes('[patch-answer-portal]')) interrupt.abort();
        },
      });
      await expect(asking).rejects.toThrow('aborted');
      expect(leftIn(server)).toEqual(nothing);
    }));
});
