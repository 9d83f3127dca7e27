import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { reconcileAnnotation, replayAnnotation } from '../../src/api/v1alpha1.ts';
import { eventually } from '../support/eventually.ts';
import { expectEvent, expectLegalHistory } from './support/conditions.ts';
import { createEnvironment, type Environment } from './support/environment.ts';
import { conditionOf, type ForwardingObject } from './support/forwarding-object.ts';
import { forwarding } from './support/manifests.ts';
import { developer } from './support/organizations.ts';

const name = 'sumologic';

describe('logs that SumoLogic refused', () => {
  let environment: Environment;
  let portal: string;
  let code: string;

  beforeAll(async () => {
    environment = await createEnvironment({ prefix: 'gaps', portals: 1, retryWaitsMs: [50, 50, 50] });
    [portal = ''] = environment.blue.portals.us;
    code = environment.credentials.endpoint.split('/').at(-1) ?? '';
    await environment.applySecrets();
    const { spec, ...rest } = forwarding(name, { portals: [{ id: portal }] });
    await environment.apply({ ...rest, spec: { ...spec, gapRecovery: { mode: 'Replay' } } });
    await environment.waitForReady(name);
  });

  afterAll(() => environment?.stop());

  /** A developer logs in while SumoLogic gives this answer. Ends when Konnect shows it as the last attempt. */
  async function login(status: 200 | 401): Promise<void> {
    environment.services.sumologic.control.respond(code, status);
    const path = `/us/__portals/${portal}/api/v2/developer/authenticate`;
    const body = { username: developer.email, password: developer.password };
    await environment.asOtherClient('POST', path, { body });
    const expected = { body: { last_response_code: status } };
    await eventually(async () =>
      expect(await environment.asOtherClient('GET', `/us/v3/portals/${portal}/audit-log-webhook/status`)).toMatchObject(
        expected,
      ),
    );
  }

  async function annotate(annotation: string, value: string): Promise<void> {
    await environment.patch(name, { metadata: { annotations: { [annotation]: value } } });
  }

  /** Lets the operator look, and waits for this. */
  async function look(isThere: (entry: NonNullable<ForwardingObject['status']['delivery']>[number]) => boolean) {
    await annotate(reconcileAnnotation, `${String(Date.now())}-${String(Math.random())}`);
    const found = await environment.waitFor(name, ({ status }) => (status.delivery ?? []).some(isThere));
    return { found, entry: found.status.delivery?.[0] };
  }

  async function jobEnds(): Promise<void> {
    const path = `/us/v3/portals/${portal}/audit-log-replay-job`;
    await eventually(async () =>
      expect(await environment.asOtherClient('GET', path)).toMatchObject({ body: { status: 'completed' } }),
    );
  }

  function jobs(): number {
    return environment.calls().filter(({ method }) => method === 'PUT').length;
  }

  test('are a gap until SumoLogic accepts them again, and then replayed once', async () => {
    await login(200);
    await look(({ state }) => state === 'Delivered');
    await login(401);
    const failing = await look(({ state }) => state === 'Failing');
    expect(failing.entry?.gap).toEqual({ from: failing.entry?.lastDeliveredTime });
    expect(conditionOf(failing.found, 'LogsUndelivered')).toMatchObject({ status: 'True', reason: 'GapOpen' });
    await login(200);
    await look(({ replay }) => replay !== undefined && replay.state !== 'Requested');
    await jobEnds();
    const completed = await look(({ replay }) => replay?.state === 'Completed');
    expect(completed.entry).not.toHaveProperty('gap');
    expect(conditionOf(completed.found, 'LogsUndelivered')).toBeUndefined();
    expect(jobs()).toBe(1);
    await expectEvent(environment, name, { type: 'Normal', reason: 'ReplayCompleted', note: /^Konnect has sent/ });
    const logins = environment.services.sumologic.lines(code);
    const seen = new Set(logins.map(({ line }) => / trace_id=(\d+)/.exec(line)?.[1]));
    expect(seen.size).toBe(3);
    expectLegalHistory(environment, name);
  });

  test('are sent again on request, and a bad request is answered with what is wrong', async () => {
    const value = `${new Date(Date.now() - 3_600_000).toISOString()}/${new Date().toISOString()}/${portal}`;
    await annotate(replayAnnotation, value);
    await environment.waitFor(name, ({ status }) => status.lastHandledReplay === value);
    await eventually(() => expect(jobs()).toBe(2));
    await jobEnds();
    await look(({ replay }) => replay?.isManual === true && replay.state === 'Completed');
    await annotate(replayAnnotation, 'today');
    const note = /the annotation konnect-audit-log.io\/replay is not FROM\/TO/;
    await expectEvent(environment, name, { type: 'Warning', reason: 'ReplayRejected', note });
    await environment.waitFor(name, ({ status }) => status.lastHandledReplay === 'today');
  });
});
