/** Rotated Secrets, and changes of other clients in Konnect: the operator corrects and reports them. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Destination, DestinationVersion, Webhook } from '../../sandbox/konnect/model.ts';
import { eventually } from '../support/eventually.ts';
import { expectEvent, expectProblem } from './support/conditions.ts';
import type { Fixture } from './support/fixture.ts';
import { conditionOf } from './support/forwarding-object.ts';
import { secret } from './support/manifests.ts';
import { oneEnvironment } from './support/one-environment.ts';
import { reconciliationsDone } from './support/reconciliations.ts';

const { environment, readyFixture, fixture } = oneEnvironment({ prefix: 'drift' });

function only(one: Fixture): Destination {
  const [destination, ...more] = one.destinations();
  if (destination === undefined || more.length > 0) throw new Error('there is not exactly one destination');
  return destination;
}

/** Returns the complete body of a PATCH of a destination. */
function bodyOf(one: Destination, change: Partial<Destination>): object {
  const { name, endpoint, authorization, logFormat, skipSSLVerification } = { ...one, ...change };
  return { name, endpoint, authorization, log_format: logFormat, skip_ssl_verification: skipSSLVerification };
}

function changeDestination(one: Fixture, change: Partial<Destination>): Promise<unknown> {
  const destination = only(one);
  return environment().asOtherClient('PATCH', `/global/v3/audit-log-destinations/${destination.id}`, {
    body: bodyOf(destination, change),
  });
}

const portalPath = (one: Fixture) => `/us/v3/portals/${one.portals[0] ?? ''}/audit-log-webhook`;

async function foreignDestination(name: string): Promise<string> {
  const { body } = await environment().asOtherClient('POST', '/global/v3/audit-log-destinations', {
    body: { name, endpoint: 'https://other.example.com/logs', authorization: 'Bearer other', log_format: 'cef' },
  });
  if (typeof body === 'object' && body !== null && 'id' in body && typeof body.id === 'string') return body.id;
  throw new Error('no destination was created');
}

const inlineBody = (authorization: string) => ({
  endpoint: environment().credentials.endpoint,
  authorization,
  enabled: true,
  log_format: 'cef',
  skip_ssl_verification: false,
});

interface Case {
  readonly title: string;
  readonly spec?: (one: Fixture) => Readonly<Record<string, unknown>>;
  readonly region?: string;
  /** The change of another client. Resolves with what it created, if anything. */
  readonly change: (one: Fixture) => Promise<unknown>;
  readonly event: { readonly reason: string; readonly note: RegExp };
  /** Writes of the correction. */
  readonly writes: readonly string[];
  /** The webhook was off meanwhile, and Ready says so. */
  readonly interrupts?: boolean;
}

const corrected = (what: string) => ({
  reason: 'DestinationCorrected',
  note: new RegExp(`^another client changed destination \\S+ in Konnect \\(${what}\\); the operator corrected it$`),
});
const patched = ['update-audit-log-destination'];
const attached = ['update-portal-audit-log-webhook'];
const webhookCorrected = (what: string) => ({
  reason: 'WebhookCorrected',
  note: new RegExp(`^another client ${what} in Konnect; the operator corrected it$`),
});

const cases: readonly Case[] = [
  {
    title: 'the name of the destination',
    change: (one) => changeDestination(one, { name: 'renamed by hand' }),
    event: corrected('name'),
    writes: patched,
  },
  {
    title: 'the endpoint of the destination',
    change: (one) => changeDestination(one, { endpoint: 'https://other.example.com/logs' }),
    event: corrected('endpoint'),
    writes: patched,
  },
  {
    title: 'the log format of the destination',
    change: (one) => changeDestination(one, { logFormat: 'cps' }),
    event: corrected('logFormat'),
    writes: patched,
  },
  {
    title: 'the TLS verification of the destination',
    change: (one) => changeDestination(one, { skipSSLVerification: true }),
    event: corrected('skipSSLVerification'),
    writes: patched,
  },
  {
    title: 'the authorization of the destination, which only changes its time',
    change: (one) => changeDestination(one, { authorization: 'Bearer of-somebody-else' }),
    event: corrected('authorization'),
    writes: patched,
  },
  {
    title: 'the destination, which is deleted',
    change: async (one) => {
      const { id } = only(one);
      await environment().asOtherClient('DELETE', portalPath(one));
      await environment().asOtherClient('DELETE', `/global/v3/audit-log-destinations/${id}`);
    },
    event: corrected('deleted'),
    writes: ['create-audit-log-destination', ...attached],
    interrupts: true,
  },
  {
    title: 'a portal’s webhook, which is switched off',
    change: (one) =>
      environment().asOtherClient('PATCH', portalPath(one), {
        body: { audit_log_destination_id: only(one).id, enabled: false },
      }),
    event: webhookCorrected('switched portal \\S+ on or off'),
    writes: attached,
  },
  {
    title: 'a portal’s webhook, which is switched on although it should be off',
    spec: (one) => ({ portals: one.portals.map((id) => ({ id, enabled: false })) }),
    change: (one) =>
      environment().asOtherClient('PATCH', portalPath(one), {
        body: { audit_log_destination_id: only(one).id, enabled: true },
      }),
    event: webhookCorrected('switched portal \\S+ on or off'),
    writes: attached,
  },
  {
    title: 'a portal’s webhook, which is pointed elsewhere',
    change: async (one) =>
      environment().asOtherClient('PATCH', portalPath(one), {
        body: { audit_log_destination_id: await foreignDestination('pointed at'), enabled: true },
      }),
    event: webhookCorrected('pointed portal \\S+ at destination \\S+'),
    writes: attached,
  },
  {
    title: 'a portal’s webhook, which is detached',
    change: (one) => environment().asOtherClient('DELETE', portalPath(one)),
    event: webhookCorrected('detached portal \\S+'),
    writes: attached,
  },
  {
    title: 'the organization’s webhook, which is pointed elsewhere (v3)',
    spec: () => ({ organization: {} }),
    change: async () =>
      environment().asOtherClient('PATCH', '/us/v3/audit-log-webhook', {
        body: { audit_log_destination_id: await foreignDestination('pointed at by all'), enabled: true },
      }),
    event: webhookCorrected("pointed the organization's webhook at destination \\S+"),
    writes: ['update-audit-logs-webhook'],
  },
  {
    title: 'the organization’s webhook, which gets another authorization (v2)',
    spec: (one) => ({ konnect: one.konnect({ auditLogsAPI: 'v2' }), organization: {}, portals: [] }),
    region: 'eu',
    change: () =>
      environment().asOtherClient('PATCH', '/eu/v2/audit-log-webhook', { body: inlineBody('Bearer other') }),
    event: webhookCorrected("changed the organization's webhook"),
    writes: ['update-audit-log-webhook'],
  },
];

/** Returns the state of a fixture in Konnect, without IDs and times. */
function standingOf(one: Fixture, withOrganization: boolean): unknown {
  const [destination] = one.destinations();
  const seen = ({ enabled, target }: Webhook) => ({
    enabled,
    target: target.kind === 'destination' ? target.id === destination?.id : target,
  });
  return {
    destination: destination === undefined ? undefined : bodyOf(destination, {}),
    portal: seen(one.portalWebhook()),
    organization: withOrganization ? seen(one.organizationWebhook()) : undefined,
  };
}

describe('a change of another client in Konnect, without a change of spec', () => {
  const fixtures: Fixture[] = [];
  const before: unknown[] = [];
  const seen: number[] = [];
  const hasOrganization = (index: number) => cases[index]?.title.startsWith('the organization') === true;

  beforeAll(async () => {
    for (const [index, { spec, region = 'us' }] of cases.entries()) {
      const one = await fixture(`drift-${String(index)}`, { region });
      await one.apply(spec?.(one));
      fixtures.push(one);
    }
    for (const one of fixtures) await environment().waitForReady(one.name);
    // A late event of a Secret would make the operator correct half of a change.
    await environment().stopOperator();
    for (const [index, one] of fixtures.entries()) {
      before.push(standingOf(one, hasOrganization(index)));
      await cases[index]?.change(one);
      seen.push(one.writes().length);
    }
    await environment().startOperator();
    await reconciliationsDone(environment(), fixtures.length);
  });

  test.each(cases.map((one, index) => ({ ...one, index })))('$title', async ({ index, event, writes, interrupts }) => {
    const one = fixtures[index];
    if (one === undefined) throw new Error('there is no such fixture');
    // A reconciliation for another reason may come before the one that sees the change.
    await eventually(() => expect(one.writes().slice(seen[index])).toEqual(writes));
    const object = await environment().waitForReady(one.name);
    await expectEvent(environment(), one.name, { type: 'Warning', ...event });

    expect(standingOf(one, hasOrganization(index))).toEqual(before[index]);

    // It stayed Ready, unless the webhook was off.
    const readiness = environment()
      .history(one.name)
      .map(({ object: state }) => conditionOf(state, 'Ready')?.status);
    const sinceReady = readiness.slice(readiness.indexOf('True'));
    expect(sinceReady.includes('False')).toBe(interrupts === true);
    expect(object.metadata.generation).toBe(1);
  });

  test('is not corrected twice', async () => {
    const writes = fixtures.map((one) => one.writes().length);
    await environment().restartOperator();
    await reconciliationsDone(environment(), fixtures.length);
    expect(fixtures.map((one) => one.writes().length)).toEqual(writes);
  });
});

describe('a Secret of the SIEM', () => {
  test('that is rotated is applied at once, with one call that contains every field', async () => {
    const one = await fixture('rotated');
    const settings = { logFormat: 'json', skipSSLVerification: true };
    await one.apply({ destination: { secretRef: { name: one.siemSecret }, ...settings } });
    await environment().waitForReady(one.name);
    const { id } = only(one);
    const fresh = environment().newCredentials();
    await one.applySIEM(fresh);
    await eventually(() => expect(only(one)).toMatchObject({ id, ...fresh, ...settings }));
    await expectEvent(environment(), one.name, {
      type: 'Normal',
      reason: 'DestinationUpdated',
      note: new RegExp(`^applied the Secret and spec to destination ${id}$`),
    });
    expect(one.calls('update-audit-log-destination')).toHaveLength(1);
    expect(one.calls('update-portal-audit-log-webhook')).toHaveLength(1);
  });

  test('that is rotated again and again never mixes endpoint and authorization of two generations', async () => {
    const one = await readyFixture('rotated-often');
    const { id } = only(one);
    const generations = [environment().credentials, ...Array.from({ length: 6 }, () => environment().newCredentials())];
    for (const credentials of generations.slice(1)) await one.applySIEM(credentials);
    const last = generations.at(-1) ?? environment().credentials;
    await eventually(() => expect(only(one)).toMatchObject(last));
    const versions = versionsOf(id);
    expect(versions.length).toBeGreaterThan(1);
    for (const { destination } of versions) {
      const { endpoint, authorization } = destination;
      expect(generations).toContainEqual({ endpoint, authorization });
    }
  });

  test('that is deleted and created again with the same content is applied once more, and the webhook stays attached', async () => {
    const one = await readyFixture('made-again');
    await environment().kubectl(['delete', 'secret', one.siemSecret]);
    await expectProblem(environment(), one.name, {
      reason: 'SecretNotFound',
      mark: 'Reconciling',
      says: [one.siemSecret],
    });
    expect(one.portalWebhook()).toMatchObject({ enabled: true, target: { id: only(one).id } });
    await one.applySIEM();
    await environment().waitForReady(one.name);
    expect(one.calls('update-audit-log-destination')).toHaveLength(1);
  });

  test('is also applied to an inline webhook of v2', async () => {
    const one = await fixture('rotated-inline', { region: 'eu', organization: environment().green });
    await one.apply({ konnect: one.konnect({ auditLogsAPI: 'v2' }), organization: {}, portals: [] });
    await environment().waitForReady(one.name);
    const fresh = environment().newCredentials();
    await one.applySIEM(fresh);
    await eventually(() =>
      expect(one.organizationWebhook()).toMatchObject({
        enabled: true,
        target: { inline: { ...fresh, logFormat: 'cef' } },
      }),
    );
    expect(one.calls('update-audit-log-webhook')).toHaveLength(2);
  });

  test('that cannot be applied yet is applied later, and Ready is False until then', async () => {
    const one = await readyFixture('rotated-in-trouble');
    const fault = one.fail({ kind: 'status', status: 500, match: { operation: 'update-audit-log-destination' } });
    const fresh = environment().newCredentials();
    await one.applySIEM(fresh);
    await expectProblem(environment(), one.name, {
      reason: 'KonnectUnavailable',
      mark: 'Reconciling',
      part: 'DestinationReady',
      says: ['HTTP 500'],
    });
    fault.remove();
    await environment().waitForReady(one.name);
    expect(only(one)).toMatchObject(fresh);
  });
});

test('a rotated token is used at once, and causes no write', async () => {
  const one = await readyFixture('token-rotated');
  const destination = only(one);
  const fresh = one.newToken();
  await environment().apply(secret(one.tokenSecret, { token: fresh }));
  const { control } = environment().services.konnect;
  const asked = () => control.calls().filter(({ token }) => token === fresh.slice(-4));
  await eventually(() => expect(asked().map(({ operation }) => operation)).toContain('get-portal-audit-log-webhook'));
  expect(asked().filter(({ method }) => method !== 'GET')).toEqual([]);
  expect(only(one)).toEqual(destination);
});

test('a change of spec is not reported as a change of another client', async () => {
  const one = await readyFixture('respecified');
  const { id } = only(one);
  await environment().patch(one.name, {
    spec: {
      destination: { logFormat: 'json', skipSSLVerification: true },
      portals: one.portals.map((portal) => ({ id: portal, enabled: false })),
    },
  });
  await environment().waitForReady(one.name);
  expect(only(one)).toMatchObject({ id, logFormat: 'json', skipSSLVerification: true });
  expect(one.portalWebhook()).toMatchObject({ enabled: false, target: { id } });
  await expectEvent(environment(), one.name, { type: 'Normal', reason: 'DestinationUpdated', note: /^applied/ });
  const reasons = (await environment().events(one.name)).map(({ reason }) => reason);
  expect(reasons.filter((reason) => reason.endsWith('Corrected'))).toEqual([]);
});

function versionsOf(id: string): DestinationVersion[] {
  const organizations = [...environment().services.konnect.model.organizations.values()];
  return organizations.flatMap(({ destinations }) => destinations).filter(({ destination }) => destination.id === id);
}
