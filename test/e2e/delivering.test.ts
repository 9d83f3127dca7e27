import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { reconcileAnnotation } from '../../src/api/v1alpha1.ts';
import { eventually } from '../support/eventually.ts';
import { expectEvent, expectLegalHistory } from './support/conditions.ts';
import { createEnvironment, type Environment } from './support/environment.ts';
import { conditionOf, type ForwardingObject } from './support/forwarding-object.ts';
import { forwarding } from './support/manifests.ts';
import { developer } from './support/organizations.ts';

const name = 'sumologic';

describe('the deliveries of a portal', () => {
  let environment: Environment;
  let portal: string;

  beforeAll(async () => {
    environment = await createEnvironment({ prefix: 'delivering', portals: 1, retryWaitsMs: [50, 50, 50] });
    [portal = ''] = environment.blue.portals.us;
    await environment.applySecrets();
    await environment.apply(forwarding(name, { portals: [{ id: portal }] }));
    await environment.waitForReady(name);
  });

  afterAll(() => environment?.stop());

  /** SumoLogic gives this answer to every delivery from now on. */
  function answer(status: 200 | 401 | 429): void {
    const code = environment.credentials.endpoint.split('/').at(-1) ?? '';
    environment.services.sumologic.control.respond(code, status);
  }

  /** A developer logs in, and Konnect's last attempt to deliver the line ends with this status of the webhook. */
  async function login(expected: Readonly<Record<string, unknown>>): Promise<void> {
    const path = `/us/__portals/${portal}/api/v2/developer/authenticate`;
    await environment.asOtherClient('POST', path, {
      body: { username: developer.email, password: developer.password },
    });
    const status = `/us/v3/portals/${portal}/audit-log-webhook/status`;
    await eventually(async () =>
      expect(await environment.asOtherClient('GET', status)).toMatchObject({ body: expected }),
    );
  }

  /** Requests a reconciliation, and waits for the condition `Delivering` after it. */
  async function look(reason: string): Promise<ForwardingObject> {
    await environment.patch(name, {
      metadata: { annotations: { [reconcileAnnotation]: reason + String(Date.now()) } },
    });
    return environment.waitFor(name, (one) => conditionOf(one, 'Delivering')?.reason === reason);
  }

  async function column(): Promise<string | undefined> {
    const { stdout } = await environment.kubectl(['get', 'alf', name]);
    const [header = '', line = ''] = stdout.split('\n');
    return line.slice(header.indexOf('DELIVERING')).split(' ')[0];
  }

  test('are shown from the first attempt on', async () => {
    const created = await environment.forwarding(name);
    expect(conditionOf(created, 'Delivering')).toMatchObject({ status: 'True', reason: 'NoAttemptYet' });
    expect(created.status.delivery).toEqual([{ key: portal, state: 'NoAttemptYet', since: expect.any(String) }]);
    await login({ webhook_status: 'active', last_response_code: 200 });
    const { status } = await look('Delivered');
    expect(status.delivery).toEqual([
      {
        key: portal,
        state: 'Delivered',
        lastResponseCode: 200,
        lastAttemptTime: expect.any(String),
        lastDeliveredTime: expect.any(String),
        since: expect.any(String),
      },
    ]);
    await expect(column()).resolves.toBe('True');
  });

  test('are shown as failing, with the code and the way out, while the forwarding stays ready', async () => {
    answer(401);
    await login({ webhook_status: 'inactive', last_response_code: 401 });
    const failing = await look('EndpointRejected');
    expect(failing.status.delivery).toMatchObject([
      { key: portal, state: 'Failing', lastResponseCode: 401, failingSince: expect.any(String) },
    ]);
    const { message = '' } = conditionOf(failing, 'Delivering') ?? {};
    expect(message).toMatch(
      new RegExp(`^portal ${portal}: deliveries fail because .*\\(HTTP 401\\): put valid values`),
    );
    expect(conditionOf(failing, 'Ready')).toMatchObject({ status: 'True', reason: 'InSync' });
    await expect(column()).resolves.toBe('False');
    await expectEvent(environment, name, { type: 'Warning', reason: 'EndpointRejected', note: message });
    const metrics = await (await fetch(environment.operator().metricsURL)).text();
    expect(metrics).toMatch(/^konnect_audit_log_webhooks\{.*state="Failing"\} 1$/m);

    answer(200);
    await login({ webhook_status: 'active', last_response_code: 200 });
    const { status } = await look('Delivered');
    expect(status.delivery?.[0]).not.toHaveProperty('failingSince');
    await expectEvent(environment, name, { type: 'Normal', reason: 'Delivered', note: /succeeded$/ });
  });

  test('go on after Konnect switched the webhook off, without a request and without drift', async () => {
    environment.services.konnect.control.behave({ switchOffAfter: 3 });
    answer(429);
    await login({ webhook_status: 'inactive', webhook_enabled: false });
    answer(200);
    // A Secret whose content is the same makes the operator look, and is no reason to hurry.
    await environment.kubectl(['annotate', 'secret', name, 'touched=true']);
    const off = await environment.waitFor(name, (one) => conditionOf(one, 'Delivering')?.reason === 'SwitchedOff');
    expect(conditionOf(off, 'Delivering')?.message).toContain('and the operator switches it on again');
    expect(conditionOf(off, 'Ready')).toMatchObject({ status: 'True', reason: 'InSync' });
    expect(off.status.delivery).toMatchObject([{ state: 'SwitchedOff', switchOn: { attempts: 0 } }]);
    environment.clearCalls();
    await environment.restartOperator();
    const on = await environment.waitFor(name, ({ status }) => status.delivery?.[0]?.switchOn?.attempts === 1, 90_000);
    await expectEvent(environment, name, {
      type: 'Warning',
      reason: 'WebhookSwitchedOn',
      note: /^Konnect had switched/,
    });
    const notBefore = Date.parse(off.status.delivery?.[0]?.switchOn?.notBefore ?? '');
    const [write, ...more] = environment.calls().filter(({ method }) => method !== 'GET');
    expect(more).toEqual([]);
    expect(write).toMatchObject({ method: 'PATCH', path: `/v3/portals/${portal}/audit-log-webhook` });
    expect(Date.parse(on.status.delivery?.[0]?.switchOn?.notBefore ?? '')).toBeGreaterThan(notBefore + 100_000);

    await login({ webhook_enabled: true, webhook_status: 'active' });
    const { status } = await look('Delivered');
    expect(status.corrections).toBeUndefined();
    expect(status.delivery?.[0]).not.toHaveProperty('switchOn');
    expectLegalHistory(environment, name);
  });
});
