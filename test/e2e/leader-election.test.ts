/** Leader election: which replica takes over and when, and that no other replica writes. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { serviceAccount } from '../../sandbox/sandbox.ts';
import { cluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { createEnvironment, type Environment } from './support/environment.ts';
import { createFixture, type Fixture } from './support/fixture.ts';
import { createReplicas, type Replica, type Replicas, stoppingAt } from './support/replicas.ts';

let environment: Environment;
let replicas: Replicas;

const acquired = 'lease acquired, this process is the leader';
const lost = 'lease lost, this process exits';
const leaseDurationMs = 8_000;
/** With these times, another replica takes over sooner after a crash. */
const short = [
  `--leader-elect-lease-duration=${String(leaseDurationMs)}ms`,
  '--leader-elect-renew-deadline=6s',
  '--leader-elect-retry-period=500ms',
];
const shortTakeOverMs = leaseDurationMs + 500;

beforeAll(async () => {
  environment = await createEnvironment({ prefix: 'leader' });
  await environment.stopOperator();
  replicas = createReplicas(environment, [
    '--stale-list-window=2s',
    '--konnect-timeout=60s',
    '--max-concurrent-reconciles=32',
  ]);
});

afterEach(async () => {
  await replicas.stop();
  environment.services.konnect.control.clearFaults();
  // No test waits for the Lease of the previous one.
  await cluster().kubectl(['delete', 'lease', '-n', serviceAccount.namespace, '--all']);
});

afterAll(() => environment?.stop());

const measured: string[] = [];
afterAll(() => void process.stderr.write(measured.map((line) => `==> ${line}\n`).join('')));

function report(what: string, ms: readonly number[]): void {
  measured.push(`${what}: ${ms.map((one) => `${String(Math.round(one))} ms`).join(', ')}`);
}

function expectInPlace(one: Fixture): void {
  const [destination, ...more] = one.destinations();
  expect({ destination, more }).toMatchObject({ destination: environment.credentials, more: [] });
  for (const index of one.portals.keys()) {
    expect(one.portalWebhook(index)).toMatchObject({ enabled: true, target: { id: destination?.id } });
  }
}

/** Applies a forwarding. Resolves when it is ready. */
async function applied(name: string): Promise<Fixture> {
  const one = await createFixture(environment, name);
  await one.apply();
  await environment.waitForReady(name);
  expectInPlace(one);
  return one;
}

/** Returns when the holder of the Lease last renewed it, in milliseconds since 1970. */
async function renewTimeMs(): Promise<number> {
  const lease = ['lease/konnect-audit-log-operator', '-n', serviceAccount.namespace];
  const { stdout } = await cluster().kubectl(['get', ...lease, '-o', 'jsonpath={.spec.renewTime}']);
  return Date.parse(stdout);
}

async function isReady({ operator }: Replica): Promise<boolean> {
  return (await fetch(`${operator.healthURL}/readyz`)).ok;
}

async function expectStandingBy(replica: Replica): Promise<void> {
  await replica.logged('standing by: another process holds the lease');
  expect(await isReady(replica)).toBe(true);
  expect(await replica.isLeader()).toBe(false);
  expect(replica.konnect.sent()).toEqual([]);
  expect(await replica.kubernetesWrites()).toEqual([]);
}

describe('with two replicas', () => {
  test('one is the leader; the other is ready, watches, and sends nothing to Konnect or Kubernetes', async () => {
    const first = await replicas.start();
    await first.logged(acquired);
    const second = await replicas.start();
    await applied('one-works');
    expect(await first.isLeader()).toBe(true);
    expect(first.konnect.writes().length).toBeGreaterThan(0);
    await expectStandingBy(second);
    await eventually(async () => {
      const metrics = await (await fetch(second.operator.metricsURL)).text();
      expect(metrics).toMatch(
        /konnect_audit_log_condition\{.*name="one-works",type="Ready",status="True",reason="InSync"\} 1/,
      );
      expect(metrics).toMatch(/^workqueue_depth\{.*\} 0$/m);
    });
  });

  test('the other takes over as soon as the first has ended after SIGTERM; repeated handovers lose nothing and do nothing twice', async () => {
    const rounds = 4;
    let leading = await replicas.start();
    await leading.logged(acquired);
    const handedOverMs: number[] = [];
    const inPlaceMs: number[] = [];
    const all = [leading];
    for (let round = 0; round < rounds; round += 1) {
      const next = await replicas.start();
      await expectStandingBy(next);
      all.push(next);
      const before = await createFixture(environment, `roll-${String(round)}`, { portals: 2 });
      const held = before.fail({ kind: 'latency', ms: 300, match: { operation: 'update-portal-audit-log-webhook' } });
      await before.apply();
      await eventually(() => expect(held.hits()).toBeGreaterThan(0));
      const after = await createFixture(environment, `rolled-${String(round)}`);
      const askedAtMs = Date.now();
      const ended = leading.operator.stop();
      await after.apply();
      expect(await ended).toBe('exited with code 0');
      const releasedAtMs = await leading.logged('lease released');
      handedOverMs.push((await next.logged(acquired)) - releasedAtMs);
      await environment.waitForReady(after.name);
      inPlaceMs.push(Date.now() - askedAtMs);
      await environment.waitForReady(before.name);
      for (const one of [before, after]) {
        expectInPlace(one);
        expect(one.calls('create-audit-log-destination')).toHaveLength(1);
      }
      leading = next;
    }
    report('handover after the release of the Lease, with the default times', handedOverMs);
    report('a forwarding applied at the SIGTERM was ready after', inPlaceMs);
    // The promise is 2 s. The rest is for a busy machine.
    expect(Math.max(...handedOverMs)).toBeLessThan(4_000);
    for (const { konnect } of all) expect(konnect.writes().length).toBeGreaterThan(0);
  });

  test('the other takes over after a crash, when the Lease has expired and not before', async () => {
    const first = await replicas.start(short);
    await first.logged(acquired);
    const second = await replicas.start(short);
    await expectStandingBy(second);
    const killedAtMs = Date.now();
    await first.operator.kill();
    const renewedAtMs = await renewTimeMs();
    const acquiredAtMs = await second.logged(acquired);
    const tookMs = acquiredAtMs - killedAtMs;
    report('takeover after SIGKILL, with a Lease of 8 s renewed every 500 ms', [tookMs]);
    expect(acquiredAtMs - renewedAtMs).toBeGreaterThanOrEqual(leaseDurationMs);
    expect(tookMs).toBeLessThan(shortTakeOverMs + 3_000);
    await applied('after-a-crash');
    expect(first.konnect.writes()).toEqual([]);
  });
});

test('the leader exits with code 1 and one error line if the Lease names another holder', async () => {
  const first = await replicas.start(short);
  await first.logged(acquired);
  const thief = JSON.stringify({ spec: { holderIdentity: 'somebody else' } });
  const lease = ['lease/konnect-audit-log-operator', '-n', serviceAccount.namespace];
  await cluster().kubectl(['patch', ...lease, '--type=merge', '-p', thief]);
  expect(await first.operator.exited()).toBe('exited with code 1');
  const errors = (await first.operator.output()).split('\n').filter((line) => line.includes('"level":"error"'));
  expect(errors).toEqual([expect.stringContaining(lost)]);
  expect(errors[0]).toContain('is held by somebody else');
});

describe('a process that is stopped for longer than its Lease, during calls,', () => {
  /** So long that the process is stopped before any of the held calls is answered, on a busy machine too. */
  const heldMs = 20_000;
  /** The call of the process when it is stopped. */
  const moments = [
    { title: 'a read before the first write', operation: 'get-portal-audit-log-webhook' },
    { title: 'a creation', operation: 'create-audit-log-destination' },
    { title: 'the first of two attachments', operation: 'update-portal-audit-log-webhook' },
    { title: 'a change of the destination', operation: 'update-audit-log-destination', stands: true },
    { title: 'the first of two detachments', operation: 'delete-portal-audit-log-webhook', stands: true, ends: true },
    { title: 'the deletion of the destination', operation: 'delete-audit-log-destination', stands: true, ends: true },
  ];

  async function begin(moment: (typeof moments)[number], index: number) {
    const one = await createFixture(environment, `stopped-${String(index)}`, { portals: 2 });
    if (moment.stands === true) {
      await one.apply();
      await environment.waitForReady(one.name);
    }
    const held = one.fail({ kind: 'latency', ms: heldMs, match: { operation: moment.operation }, times: 1 });
    if (moment.stands !== true) await one.apply();
    else if (moment.ends === true) await environment.kubectl(['delete', 'alf', one.name, '--wait=false']);
    else await one.applySIEM({ authorization: environment.newCredentials().authorization });
    return { one, held, ends: moment.ends ?? false };
  }

  test('writes nothing after it continues, and exits', async () => {
    const first = await replicas.start(short);
    await first.logged(acquired);
    const begun = await Promise.all(moments.map(begin));
    await eventually(() => expect(begun.map(({ held }) => held.hits())).toEqual(moments.map(() => 1)));
    first.operator.signal('SIGSTOP');
    const stoppedAtMs = Date.now();

    const second = await replicas.start(short);
    const tookMs = (await second.logged(acquired)) - stoppedAtMs;
    report('takeover after SIGSTOP, by a replica started later, with a Lease of 8 s', [tookMs]);
    for (const { one, ends } of begun) {
      if (ends) await environment.kubectl(['wait', '--for=delete', `alf/${one.name}`, '--timeout=90s']);
      else await environment.waitForReady(one.name);
    }
    // By now, all answers to the stopped process have arrived.
    await eventually(() => expect(Date.now() - stoppedAtMs).toBeGreaterThan(heldMs + 1_000));
    // Counted now, since what the process sent just before it was stopped may have arrived later.
    const before = { konnect: first.konnect.writes().length, kubernetes: (await first.kubernetesWrites()).length };

    first.operator.signal('SIGCONT');
    expect(await first.operator.exited()).toBe('exited with code 1');
    expect(await first.operator.output()).toContain(lost);
    const sinceThen = {
      konnect: first.konnect.writes().slice(before.konnect),
      kubernetes: (await first.kubernetesWrites()).slice(before.kubernetes),
    };
    measured.push(
      `writes after SIGCONT of a process with ${String(begun.length)} reconciliations in a call: ${String(sinceThen.konnect.length)} to Konnect, ${String(sinceThen.kubernetes.length)} to Kubernetes`,
    );
    expect(sinceThen).toEqual({ konnect: [], kubernetes: [] });
    for (const { one, ends } of begun) {
      expect(one.destinations()).toHaveLength(ends ? 0 : 1);
      expect(one.calls('create-audit-log-destination')).toHaveLength(1);
    }
  });

  test.each([
    [
      'it has read Konnect’s answer to the creation, before its write to Kubernetes,',
      /"log_format":.*stopped-self|stopped-self.*"log_format":/,
      2,
    ],
    [
      'it has read Kubernetes’ answer to the pending attachment, before its write to Konnect,',
      // Only the attachment of a portal that spec has now has a write of its own.
      /^\{"apiVersion".*"kind":"AuditLogForwarding".*"generation":2,.*stopped-self.*"state":"pending"/,
      1,
    ],
  ])('when %s writes nothing either', async (_what, answer, portalsAtFirst) => {
    const first = await replicas.start(short, stoppingAt(answer));
    await first.logged(acquired);
    const second = await replicas.start(short);
    await expectStandingBy(second);
    const one = await createFixture(environment, `stopped-self-${String(answer.source.length)}`, { portals: 2 });
    await one.apply({ portals: one.portals.slice(0, portalsAtFirst).map((id) => ({ id })) });
    if (portalsAtFirst < one.portals.length) {
      await environment.waitForReady(one.name);
      await one.applyForwarding();
    }
    await second.logged(acquired);
    await environment.waitForReady(one.name);
    const before = { konnect: first.konnect.writes(), kubernetes: await first.kubernetesWrites() };
    // It may also have corrected forwardings of other tests.
    expect(before.konnect.map(({ method }) => method)).toContain('POST');
    const written = one.writes();

    first.operator.signal('SIGCONT');
    expect(await first.operator.exited()).toBe('exited with code 1');
    expect(await first.operator.output()).toContain(lost);
    expect({ konnect: first.konnect.writes(), kubernetes: await first.kubernetesWrites() }).toEqual(before);
    expect(one.writes()).toEqual(written);
    expectInPlace(one);
    expect(one.calls('create-audit-log-destination')).toHaveLength(1);
  });
});
