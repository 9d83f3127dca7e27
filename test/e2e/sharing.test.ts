/** Several forwardings that want one object: one owns it, the others name the owner and write nothing, and a handover has no gap. */
import { describe, expect, test } from '@jest/globals';
import { cluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { expectEvent, expectProblem } from './support/conditions.ts';
import { type Fixture, nothing } from './support/fixture.ts';
import { conditionOf, type ForwardingObject, isReady } from './support/forwarding-object.ts';
import { forwarding, secret } from './support/manifests.ts';
import { oneEnvironment } from './support/one-environment.ts';
import { attachPortal, createDestination, otherDestination } from './support/other-client.ts';
import { requestReconcile } from './support/reconciliations.ts';

const { environment, fixture, readyFixture } = oneEnvironment({ prefix: 'sharing' });

const attachedTo = (one: Fixture) => ({
  enabled: true,
  target: { kind: 'destination', id: one.destinations()[0]?.id ?? 'none' },
});

/** Returns the executed writes of these fixtures in order, as `name operation`. */
function writesOf(...fixtures: readonly Fixture[]): string[] {
  return environment()
    .services.konnect.control.calls()
    .filter(({ method, status = 0 }) => method !== 'GET' && status < 300)
    .flatMap(({ token, operation = '?' }) => {
      const who = fixtures.find((one) => one.token.endsWith(token));
      return who === undefined ? [] : [`${who.name} ${operation}`];
    });
}

const claimed = ({ name }: Fixture) => `belongs to AuditLogForwarding ${environment().namespace}/${name}`;

/** Applies a forwarding, and a later one with another token of the same organization and the same portal. */
async function two(name: string, spec: Readonly<Record<string, unknown>> = {}): Promise<[Fixture, Fixture]> {
  const holder = await readyFixture(`${name}-holder`, spec);
  const next = await fixture(`${name}-next`);
  await next.applyToken();
  await next.applySIEM(environment().newCredentials());
  await next.applyForwarding({ portals: holder.portals.map((id) => ({ id })) });
  await expectProblem(environment(), next.name, {
    reason: 'Claimed',
    mark: 'Stalled',
    part: 'WebhooksReady',
    says: [`portal ${holder.portals[0] ?? '?'}`, claimed(holder), 'spec.portals[0]', 'the operator changed nothing'],
  });
  return [holder, next];
}

describe('two forwardings on one portal', () => {
  test('the later one names the owner and writes nothing, in every reconciliation', async () => {
    const [holder, next] = await two('twice');
    const before = holder.writes().length;
    await requestReconcile(environment(), next.name);
    await requestReconcile(environment(), holder.name);
    await environment().restartOperator();
    await requestReconcile(environment(), next.name);
    expect(next.writes()).toEqual([]);
    expect(holder.writes()).toHaveLength(before);
    expect(holder.portalWebhook()).toMatchObject(attachedTo(holder));
    const object = await environment().forwarding(next.name);
    expect(object.metadata.finalizers).toBeUndefined();
    expect(object.status).toMatchObject({ portalsReady: '0/1', portals: [{ state: 'refused', reason: 'Claimed' }] });
    const { stdout } = await environment().kubectl(['get', 'alf', holder.name, next.name, '--no-headers']);
    expect(stdout).toMatch(/-holder +True +InSync +\w+ +1\/1 /);
    expect(stdout).toMatch(/-next +False +Claimed +0\/1 /);
  });

  test('the owner is deleted: the portal is attached to the other destination, and never detached', async () => {
    const [holder, next] = await two('handed-over');
    environment().clearCalls();
    await environment().remove(holder.name);
    await environment().waitForReady(next.name);
    expect(holder.portalWebhook()).toMatchObject(attachedTo(next));
    expect(holder.destinations()).toEqual([]);
    expect(writesOf(holder, next)).toEqual([
      `${next.name} create-audit-log-destination`,
      `${next.name} update-portal-audit-log-webhook`,
      `${holder.name} delete-audit-log-destination`,
    ]);
    await expectEvent(environment(), next.name, {
      type: 'Normal',
      reason: 'WebhookTakenOver',
      note: /now forwards to .* instead of .*, which the operator left unchanged$/,
    });
    await environment().remove(next.name);
    expect(holder.portalWebhook()).toMatchObject(nothing);
  });

  test('the owner waits until the next one has taken it over, and says so', async () => {
    const [holder, next] = await two('waits');
    const held = next.fail({ kind: 'status', status: 503, match: { operation: 'create-audit-log-destination' } });
    await environment().kubectl(['delete', 'alf', holder.name, '--wait=false']);
    await expectProblem(environment(), holder.name, {
      reason: 'HandingOver',
      mark: 'Reconciling',
      says: [
        'deletion waits',
        `the operator leaves portal ${holder.portals[0] ?? '?'} in region us unchanged`,
        `until AuditLogForwarding ${environment().namespace}/${next.name} has taken over the webhook`,
      ],
    });
    expect(holder.portalWebhook()).toMatchObject(attachedTo(holder));
    held.remove();
    await environment().kubectl(['wait', '--for=delete', `alf/${holder.name}`, '--timeout=90s']);
    expect(holder.portalWebhook()).toMatchObject(attachedTo(next));
    expect(holder.destinations()).toEqual([]);
    expect(holder.writes()).not.toContain('delete-portal-audit-log-webhook');
  });

  test('the next one cannot take it over: the owner detaches it, and nothing is left', async () => {
    const [holder, next] = await two('cannot');
    await next.applySIEM({ endpoint: 'http://siem.example.com' });
    await expectProblem(environment(), next.name, {
      reason: 'SecretInvalid',
      mark: 'Stalled',
      says: ['not an https URL'],
    });
    await environment().remove(holder.name);
    expect(holder.portalWebhook()).toMatchObject(nothing);
    expect(holder.destinations()).toEqual([]);
    await next.applySIEM();
    await environment().waitForReady(next.name);
    expect(holder.portalWebhook()).toMatchObject(attachedTo(next));
  });

  test('both are deleted at once: nothing is left', async () => {
    const [holder, next] = await two('both');
    await environment().kubectl(['delete', 'alf', holder.name, next.name, '--timeout=90s']);
    expect(holder.portalWebhook()).toMatchObject(nothing);
    expect([...holder.destinations(), ...next.destinations()]).toEqual([]);
  });

  test('the owner changes to another portal: the same', async () => {
    const [holder, next] = await two('moved-away');
    const [another = ''] = environment().blue.portals.us;
    environment().clearCalls();
    await holder.applyForwarding({ portals: [{ id: another }] });
    await Promise.all([holder, next].map(({ name }) => environment().waitForReady(name)));
    expect(holder.portalWebhook()).toMatchObject(attachedTo(next));
    expect(writesOf(holder, next).filter((write) => write.includes('delete'))).toEqual([]);
    await environment().remove(holder.name);
  });

  test('the owner is deleted with Retain, and the next one has the same SIEM: it adopts the webhook, and leaves the destination', async () => {
    const [holder, next] = await two('retained-same', { deletionPolicy: 'Retain' });
    await next.applySIEM();
    const [left] = holder.destinations();
    environment().clearCalls();
    await environment().remove(holder.name);
    await environment().waitForReady(next.name);
    expect(holder.destinations()).toEqual([left]);
    expect(holder.portalWebhook()).toMatchObject(attachedTo(next));
    expect(writesOf(holder, next)).toEqual([
      `${next.name} create-audit-log-destination`,
      `${next.name} update-portal-audit-log-webhook`,
    ]);
    await expectEvent(environment(), next.name, {
      type: 'Normal',
      reason: 'WebhookAdopted',
      note: new RegExp(`instead of destination ${left?.id ?? '?'}, which the operator left unchanged`),
    });
  });

  test('the owner is deleted with Retain, and the next one has another SIEM: the webhook stays unchanged, unless adoptionPolicy is Always', async () => {
    const [holder, next] = await two('retained-other', { deletionPolicy: 'Retain' });
    const [left] = holder.destinations();
    await environment().remove(holder.name);
    await expectProblem(environment(), next.name, {
      reason: 'WebhookInUse',
      mark: 'Stalled',
      part: 'WebhooksReady',
      says: [`destination ${left?.id ?? '?'}`, 'spec.adoptionPolicy: Always', 'the operator changed nothing'],
    });
    expect(next.writes()).toEqual([]);
    await environment().patch(next.name, { spec: { adoptionPolicy: 'Always' } });
    await environment().waitForReady(next.name);
    expect(holder.portalWebhook()).toMatchObject(attachedTo(next));
    expect(holder.destinations()).toEqual([left]);
  });

  test('the owner is suspended: it keeps its webhooks', async () => {
    const [holder, next] = await two('suspended');
    await environment().patch(holder.name, { spec: { suspend: true } });
    await environment().waitFor(holder.name, (one) => conditionOf(one, 'Ready')?.reason === 'Suspended');
    await requestReconcile(environment(), next.name);
    expect(conditionOf(await environment().forwarding(next.name), 'Stalled')).toMatchObject({ reason: 'Claimed' });
    expect(next.writes()).toEqual([]);
    await environment().patch(holder.name, { spec: { suspend: false } });
    await environment().waitForReady(holder.name);
    expect(holder.portalWebhook()).toMatchObject(attachedTo(holder));
  });

  test('of three, the oldest takes over', async () => {
    const [holder, next] = await two('three');
    // Kubernetes stores the creation time in seconds. Within one second, the name decides.
    const last = await fixture('three-youngest');
    await last.apply({ portals: holder.portals.map((id) => ({ id })) });
    await expectProblem(environment(), last.name, { reason: 'Claimed', mark: 'Stalled', says: [claimed(holder)] });
    await environment().remove(holder.name);
    await environment().waitForReady(next.name);
    await eventually(async () => {
      const object = await environment().forwarding(last.name);
      expect(conditionOf(object, 'Stalled')?.message).toContain(claimed(next));
    });
    expect(last.writes()).toEqual([]);
    await environment().remove(next.name);
    await environment().waitForReady(last.name);
    expect(holder.portalWebhook()).toMatchObject(attachedTo(last));
  });
});

test("two forwardings on the organization's webhook, one with v3 and one with v2: a handover without a gap", async () => {
  const holder = await fixture('organization-holder', { organization: environment().green });
  await holder.apply({ organization: {}, portals: [] });
  await environment().waitForReady(holder.name);
  const next = await fixture('organization-next', { organization: environment().green });
  await next.apply({ konnect: next.konnect({ auditLogsAPI: 'v2' }), organization: {}, portals: [] });
  await expectProblem(environment(), next.name, {
    reason: 'Claimed',
    mark: 'Stalled',
    part: 'WebhooksReady',
    says: ["the organization's webhook", claimed(holder), 'spec.organization'],
  });
  expect(next.writes()).toEqual([]);
  environment().clearCalls();
  await environment().remove(holder.name);
  await environment().waitForReady(next.name);
  expect(next.organizationWebhook()).toMatchObject({ enabled: true, target: { inline: environment().credentials } });
  expect(writesOf(holder, next)).toEqual([
    `${next.name} update-audit-log-webhook`,
    `${holder.name} delete-audit-log-destination`,
  ]);
  await environment().remove(next.name);
  expect(next.organizationWebhook()).toMatchObject({ enabled: false });
});

test('two forwardings with one name of a destination: one owns it, until the other gets another name', async () => {
  const holder = await readyFixture('name-holder');
  const next = await fixture('name-next');
  const destination = { secretRef: { name: next.siemSecret }, name: holder.destinationName };
  await next.apply({ destination });
  await expectProblem(environment(), next.name, {
    reason: 'Claimed',
    mark: 'Stalled',
    part: 'DestinationReady',
    says: ['the name of this destination', claimed(holder), 'spec.destination.name'],
  });
  expect(next.writes()).toEqual([]);
  await next.applyForwarding({ destination: { secretRef: { name: next.siemSecret }, name: 'a name of its own' } });
  await environment().waitForReady(next.name);
  expect(holder.destinations()).toHaveLength(1);
  expect(next.portalWebhook()).toMatchObject({
    enabled: true,
    target: { id: next.destinations('a name of its own')[0]?.id },
  });
});

test('two namespaces, two Secrets, one portal: the same, in both directions', async () => {
  const other = await cluster().createNamespace('sharing-other');
  const elsewhere = (args: readonly string[], items: readonly object[] = []) =>
    cluster().kubectl(['-n', other, ...args], {
      input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
    });
  await environment().restartOperator({ flags: [`--watch-namespaces=${environment().namespace},${other}`] });
  try {
    const holder = await readyFixture('namespaces');
    const token = holder.newToken();
    await elsewhere(
      ['apply', '-f', '-'],
      [
        secret('konnect', { token }),
        secret('sumologic', { ...environment().newCredentials() }),
        forwarding('audit', { portals: holder.portals.map((id) => ({ id })) }),
      ],
    );
    const read = async (): Promise<ForwardingObject> =>
      JSON.parse((await elsewhere(['get', 'alf', 'audit', '-o', 'json'])).stdout);
    await eventually(async () => {
      expect(conditionOf(await read(), 'Stalled')).toMatchObject({
        reason: 'Claimed',
        message: expect.stringContaining(claimed(holder)),
      });
    });
    const { control } = environment().services.konnect;
    const writes = () => control.calls().filter((call) => token.endsWith(call.token) && call.method !== 'GET');
    expect(writes()).toEqual([]);

    environment().clearCalls();
    await environment().remove(holder.name);
    await eventually(async () => expect(isReady(await read())).toBe(true));
    const [made] = holder.destinations(`${other}/audit`);
    expect(holder.portalWebhook()).toMatchObject({ enabled: true, target: { id: made?.id } });
    expect(control.calls().map(({ operation }) => operation)).not.toContain('delete-portal-audit-log-webhook');

    // In the other direction, the forwarding in the other namespace reports the owner.
    await holder.applyForwarding();
    await expectProblem(environment(), holder.name, {
      reason: 'Claimed',
      mark: 'Stalled',
      says: [`belongs to AuditLogForwarding ${other}/audit`],
    });
    await elsewhere(['delete', 'alf', 'audit', '--timeout=90s']);
    await environment().waitForReady(holder.name);
    expect(holder.portalWebhook()).toMatchObject(attachedTo(holder));
  } finally {
    await cluster().kubectl(['delete', 'namespace', other, '--timeout=90s']);
    await environment().restartOperator();
  }
});

describe('a conflict with another client', () => {
  test('the operator gives up after three corrections, names the object, writes nothing more, and continues on request', async () => {
    const pointed = await readyFixture('war-webhook', undefined, { portals: 2 });
    const changed = await readyFixture('war-destination');
    const terraform = await createDestination(environment(), otherDestination('of Terraform'));
    const [id] = changed.destinations();
    const strike = async () => {
      await attachPortal(environment(), pointed.portals[0] ?? '', terraform);
      await environment().asOtherClient('PATCH', `/global/v3/audit-log-destinations/${id?.id ?? ''}`, {
        body: { ...otherDestination(changed.destinationName) },
      });
    };
    const counts = () => [pointed, changed].map((one) => one.writes().length);
    for (const correction of [1, 2, 3]) {
      await strike();
      // A restart reconciles without the annotation, which would end the conflict.
      await environment().restartOperator();
      await eventually(() => {
        expect(pointed.portalWebhook()).toMatchObject(attachedTo(pointed));
        expect(changed.destinations()).toMatchObject([environment().credentials]);
      });
      await eventually(async () => {
        const { status } = await environment().forwarding(pointed.name);
        expect(status.corrections).toMatchObject([{ object: `portal/${pointed.portals[0] ?? ''}` }]);
        expect(status.corrections?.[0]?.at).toHaveLength(correction);
      });
    }
    await strike();
    const before = counts();
    await environment().restartOperator();
    const object = await expectProblem(environment(), pointed.name, {
      reason: 'Contested',
      mark: 'Stalled',
      part: 'WebhooksReady',
      says: [
        `portal ${pointed.portals[0] ?? ''}`,
        `destination ${terraform}`,
        'three times within 24 hours',
        'konnect-audit-log.io/reconcile-requested-at',
      ],
    });
    expect(object.status.portalsReady).toBe('1/2');
    await expectProblem(environment(), changed.name, {
      reason: 'Contested',
      mark: 'Stalled',
      part: 'DestinationReady',
      says: [`destination ${id?.id ?? ''}`, 'three times within 24 hours'],
    });
    await environment().restartOperator();
    await requestReconcile(environment(), (await readyFixture('war-witness')).name);
    expect(counts()).toEqual(before);
    expect(pointed.portalWebhook()).toMatchObject({ target: { id: terraform } });

    // One conflict ends because the object matches again, the other by the annotation.
    await attachPortal(environment(), pointed.portals[0] ?? '', pointed.destinations()[0]?.id ?? '');
    await environment().restartOperator();
    expect((await environment().waitForReady(pointed.name)).status.corrections).toBeUndefined();
    expect(counts()).toEqual(before);
    await requestReconcile(environment(), changed.name);
    expect(isReady(await environment().forwarding(changed.name))).toBe(true);
    expect(changed.destinations()).toMatchObject([environment().credentials]);
  });
});
