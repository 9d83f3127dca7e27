import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { expectEvent, expectLegalHistory } from './support/conditions.ts';
import { accessKey, createEnvironment, type Environment } from './support/environment.ts';
import { conditionOf, type ForwardingObject } from './support/forwarding-object.ts';
import { forwarding, secret } from './support/manifests.ts';

const name = 'sumologic';
/** The age of the events that the tests make. A verification ends ten minutes ago. */
const ageMs = 20 * 60_000;

describe('the audit log of the organization', () => {
  let environment: Environment;
  /** How far Konnect and SumoLogic are behind the operator. */
  let behindMs = ageMs;
  let windowMinutes = 60;
  /** The code of the source in SumoLogic. */
  let code = '';

  beforeAll(async () => {
    environment = await createEnvironment({
      prefix: 'verification',
      portals: 0,
      clock: () => new Date(Date.now() - behindMs),
    });
    code = environment.credentials.endpoint.split('/').at(-1) ?? '';
    await environment.applySecrets();
    await environment.apply(secret('access', { accessId: accessKey.id, accessKey: accessKey.key }));
    await environment.apply(
      forwarding(name, {
        organization: {},
        verification: { sumoLogic: { secretRef: { name: 'access' }, query: '_source="Http Input"' } },
      }),
    );
    await environment.waitForReady(name);
  });

  afterAll(() => environment?.stop());

  /** Another client lists the control planes `count` times, twenty minutes ago. Resolves when the last line has arrived or was dropped. */
  async function audit(count: number): Promise<void> {
    const { sumologic } = environment.services;
    const handled = () => sumologic.lines(code).length + sumologic.control.droppedLines(code);
    behindMs = ageMs;
    for (let made = 0; made < count; made += 1) {
      const before = handled();
      await environment.asOtherClient('GET', '/us/v2/control-planes');
      await eventually(() => expect(handled()).toBeGreaterThan(before));
    }
    // What the operator does from now on is not in the window.
    behindMs = 0;
  }

  /** Changes spec, which makes the operator verify at once. Waits for the condition `Verified` of that generation. */
  async function verify(reason: string): Promise<ForwardingObject> {
    windowMinutes -= 1;
    await environment.patch(name, { spec: { verification: { window: `${String(windowMinutes)}m` } } });
    return environment.waitFor(name, (one) => {
      const verified = conditionOf(one, 'Verified');
      return verified?.reason === reason && verified.observedGeneration === one.metadata.generation;
    });
  }

  test('is not searched before its lines can be there', async () => {
    const found = await environment.waitFor(name, (one) => conditionOf(one, 'Verified') !== undefined);
    expect(conditionOf(found, 'Verified')).toMatchObject({ status: 'Unknown', reason: 'NotSearchedYet' });
    expect(environment.services.sumologic.control.searchJobs()).toEqual([]);
  });

  test('is found completely', async () => {
    // The operator saw the webhook just now. For Konnect, that was before the events.
    const since = new Date(Date.now() - ageMs).toISOString();
    const patch = JSON.stringify({ status: { verification: { since } } });
    await environment.kubectl(['patch', 'alf', name, '--subresource=status', '--type=merge', '-p', patch]);
    await audit(4);
    const { status } = await verify('AllFound');
    const { entries = 0, ...found } = status.verification ?? {};
    expect(entries).toBeGreaterThanOrEqual(4);
    expect(found).toMatchObject({ found: entries, missing: 0, foreign: 0, unsigned: 0, invalidSignatures: 0 });
    expect(environment.services.sumologic.control.searchJobs()).toEqual([]);
    await expectEvent(environment, name, { type: 'Normal', reason: 'AllFound', note: /^SumoLogic has each of the/ });
    const metrics = await (await fetch(environment.operator().metricsURL)).text();
    expect(metrics).toMatch(
      new RegExp(`^konnect_audit_log_verification_lines\\{.*result="found"\\} ${String(entries)}$`, 'm'),
    );
    await environment.waitForReady(name);
  });

  test('has missing lines if the source drops them with HTTP 200, and the gap can be replayed', async () => {
    await environment.waitFor(name, ({ status }) => status.delivery?.[0]?.state === 'Delivered');
    environment.services.sumologic.control.setSource({ code, budgetBytes: 0 });
    await audit(2);
    const found = await verify('LinesMissing');
    const message = conditionOf(found, 'Verified')?.message ?? '';
    expect(message).toMatch(/^\d+ of \d+ entries of Konnect's list of audit logs .* Check the ingest budget/);
    expect(found.status.verification?.missing).toBeGreaterThanOrEqual(2);
    await expectEvent(environment, name, { type: 'Warning', reason: 'LinesMissing', note: message });
    const gapped = await environment.waitFor(name, (one) => conditionOf(one, 'LogsUndelivered') !== undefined);
    expect(conditionOf(gapped, 'LogsUndelivered')).toMatchObject({ reason: 'ReplayAvailable' });
    const { from, to } = found.status.verification?.window ?? {};
    expect(gapped.status.delivery?.[0]?.gap).toEqual({ from, to });
  });

  test('is not searched with a key of another deployment, which the condition names', async () => {
    environment.services.sumologic.control.setAccessKey({ ...accessKey, deployment: 'us2' });
    const found = await verify('SearchRefused');
    expect(conditionOf(found, 'Verified')?.message).toBe(
      'the access key belongs to the deployment us2 of SumoLogic (HTTP 301): set spec.verification.sumoLogic.deployment to us2',
    );
    environment.services.sumologic.control.setAccessKey(accessKey);
  });

  test('is proved by its newest line if Konnect does not show its list', async () => {
    environment.services.konnect.control.behave({ auditLogsList: 'not-found' });
    const found = await verify('NewestFound');
    expect(found.status.verification).not.toHaveProperty('entries');
    expect(conditionOf(found, 'Ready')).toMatchObject({ status: 'True' });
    expectLegalHistory(environment, name);
  });
});
