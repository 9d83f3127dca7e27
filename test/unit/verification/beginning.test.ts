/** When a verification begins, and what keeps it from that. */
import { describe, expect, test } from '@jest/globals';
import { reconcileAnnotation } from '../../../src/api/v1alpha1.ts';
import { SumoLogicError } from '../../../src/sumologic/errors.ts';
import { Bench } from './bench.ts';

describe('a verification does not begin', () => {
  test('without the Secrets, and names them', async () => {
    await using bench = await Bench.open();
    await bench.settle();
    bench.cluster.secrets.delete('sumologic-access');
    await expect(bench.verify()).resolves.toEqual({ kind: 'retry' });
    expect(bench.verified).toBe('Unknown NotSearchedYet');
    expect(bench.message).toContain('Secret sumologic-access, named by spec.verification.sumoLogic.secretRef,');
  });

  test('with a token that Konnect rejects', async () => {
    await using bench = await Bench.open();
    await bench.settle();
    bench.konnect.control.fail({ kind: 'status', status: 401, match: { path: '/v3/audit-logs' } });
    await expect(bench.verify()).resolves.toMatchObject({ kind: 'retry' });
    expect(bench.message).toContain('the operator has not searched yet: Konnect rejects the token (HTTP 401)');
  });

  test('in an outage of Konnect, which changes no earlier answer', async () => {
    await using bench = await Bench.open();
    await bench.settle();
    await bench.verify();
    bench.pass(15);
    bench.konnect.control.fail({ kind: 'status', status: 503 });
    await expect(bench.verify()).resolves.toMatchObject({ kind: 'retry' });
    expect(bench.verified).toBe('True AllFound');
  });

  test('while the webhook is off, the forwarding is suspended, or nothing wants it', async () => {
    await using bench = await Bench.open();
    bench.cluster.setStatus({ ...bench.status, delivery: [{ key: 'organization', state: 'Off' }] });
    await expect(bench.verify()).resolves.toEqual({ kind: 'requeue', afterMs: 60_000 });
    expect(bench.message).toContain("the organization's webhook is not on");
    expect(bench.status.verification).not.toHaveProperty('since');
    bench.cluster.edit((spec) => ({ ...spec, suspend: true }));
    await expect(bench.verify()).resolves.toEqual({ kind: 'done' });
    bench.cluster.edit(({ verification: _verification, ...spec }) => spec);
    await expect(bench.verify()).resolves.toEqual({ kind: 'done' });
    expect(bench.konnect.control.calls()).toEqual([]);
  });

  test('before a reconciliation has said what is in place', async () => {
    await using bench = await Bench.open();
    bench.cluster.wipeStatus();
    await expect(bench.verify()).resolves.toEqual({ kind: 'requeue', afterMs: 5_000 });
    expect(bench.verified).toBe('absent');
  });

  test('before the interval has passed, except once after a request for a reconciliation', async () => {
    await using bench = await Bench.open();
    await bench.settle();
    await bench.verify();
    bench.pass(1);
    bench.cluster.annotate(reconcileAnnotation, 'now');
    await bench.verify();
    expect(bench.status.verification).toMatchObject({
      lastHandledReconcileAt: 'now',
      lastVerifiedTime: expect.stringMatching(/^2026-01-02T03:16/),
    });
    const { lastVerifiedTime } = bench.status.verification ?? {};
    bench.pass(1);
    bench.restart();
    await bench.verify();
    expect(bench.status.verification?.lastVerifiedTime).toBe(lastVerifiedTime);
  });

  test('before the interval has passed, except after a change of spec', async () => {
    await using bench = await Bench.open();
    await bench.settle();
    await bench.verify();
    const first = bench.status.verification?.lastVerifiedTime;
    bench.pass(5);
    bench.restart();
    await expect(bench.verify()).resolves.toMatchObject({ kind: 'requeue' });
    expect(bench.status.verification?.lastVerifiedTime).toBe(first);
    bench.cluster.edit((spec) => ({ ...spec, interval: '11m' }));
    await bench.verify();
    expect(bench.status.verification?.lastVerifiedTime).not.toBe(first);
  });
});

describe('after an outage', () => {
  test.each([
    ['Konnect', 5],
    ['SumoLogic', 5],
    ['the operator', 0],
  ])('of %s, a verification compares every entry', async (system, attempts) => {
    await using bench = await Bench.open();
    await bench.settle();
    await bench.verify();
    const before = bench.status.verification?.window?.to;
    const [lost] = await bench.audit();
    if (system === 'Konnect') bench.konnect.control.fail({ kind: 'status', status: 503 });
    else bench.around = () => Promise.reject(new SumoLogicError('Unavailable'));
    const results: string[] = [];
    for (let hours = 0; hours < 5; hours += 1) {
      bench.pass(60);
      if (hours < attempts) results.push((await bench.verify()).kind);
    }
    expect(results).toEqual(Array.from({ length: attempts }, () => 'retry'));
    bench.restart();
    bench.konnect.control.clearFaults();
    bench.around = (_name, call) => call();
    // The calls of the operator are audited as well.
    await bench.receive(bench.lines().filter((line) => line !== lost));
    bench.pass(1);
    await expect(bench.verify()).resolves.toMatchObject({ kind: 'requeue', afterMs: 900_000 });
    expect(bench.verified).toBe('False LinesMissing');
    expect(bench.status.verification).toMatchObject({ missing: 1, window: { from: before } });
    expect(bench.message).toMatch(/; the operator compares the entries since 2026-01-02T04:20:0\dZ next$/);
    expect(bench.status.delivery).toMatchObject([{ gap: bench.status.verification?.window }]);
    const windows = [bench.status.verification?.window];
    await bench.receive(bench.lines().slice(-4));
    bench.pass(15);
    for (let steps = 0; steps < 4; steps += 1) {
      await expect(bench.verify()).resolves.toMatchObject({ kind: 'requeue', afterMs: steps < 3 ? 0 : 900_000 });
      windows.push(bench.status.verification?.window);
    }
    expect(bench.verified).toBe('True AllFound');
    expect(windows.slice(1, 4).map((window) => window?.from)).toEqual(windows.slice(0, 3).map((window) => window?.to));
    expect(Date.parse(windows.at(-1)?.to ?? '')).toBeGreaterThan(bench.clock.ms - 11 * 60_000);
  });
});

test('after an outage of eight days, a verification says what nothing can compare anymore', async () => {
  await using bench = await Bench.open();
  bench.pass(8 * 24 * 60);
  await bench.verify();
  expect(bench.verified).toBe('True AllFound');
  expect(bench.message).toBe(
    'Konnect audited nothing between 2026-01-03T04:00:00Z and 2026-01-03T05:15:00Z; nothing has compared the entries between 2026-01-02T02:45:00Z and 2026-01-03T04:00:00Z, and Konnect keeps them for seven days only; the operator compares the entries since 2026-01-03T05:15:00Z next',
  );
});

test('Konnect refuses its list for hours, and what it audited meanwhile is compared afterwards', async () => {
  await using bench = await Bench.open();
  await bench.settle();
  await bench.verify();
  const window = bench.status.verification?.window;
  bench.konnect.control.behave({ auditLogsList: 'forbidden' });
  await bench.audit(2);
  await bench.receive(bench.lines().slice(-1));
  bench.pass(60);
  await bench.verify();
  expect(bench.verified).toBe('True NewestFound');
  expect(bench.status.verification).toMatchObject({ window });
  bench.konnect.control.behave({ auditLogsList: 'on' });
  bench.pass(60);
  await bench.verify();
  expect(bench.verified).toBe('False LinesMissing');
  expect(bench.status.verification?.window?.from).toBe(window?.to);
});

describe('a change of spec during a verification', () => {
  const widened = (bench: Bench) =>
    bench.cluster.edit((spec) => {
      if (spec.verification !== undefined) spec.verification.window = '2h';
      return spec;
    });

  test.each(['POST', 'DELETE'])(
    'after the %s to SumoLogic drops what was found, and verifies again at once',
    async (method) => {
      await using bench = await Bench.open();
      const lines = await bench.audit(2);
      await bench.receive(lines.slice(1));
      bench.pass(15);
      const calls: string[] = [];
      bench.around = async (name, call) => {
        calls.push(name);
        const answer = await call();
        if (name === `sumologic ${method}`) widened(bench);
        return answer;
      };
      await expect(bench.verify()).resolves.toEqual({ kind: 'requeue', afterMs: 0 });
      // A search of the old spec ends before its first poll.
      expect(calls.includes('sumologic GET')).toBe(method === 'DELETE');
      expect(bench.sumologic.control.searchJobs()).toEqual([]);
      expect([bench.verified, bench.events, bench.gaps]).toEqual(['absent', [], []]);
      bench.around = (_name, call) => call();
      await bench.verify();
      expect(bench.verified).toBe('False LinesMissing');
      expect(bench.status.verification?.window?.from).toMatch(/^2026-01-02T01:0/);
      expect(bench.status.verification).not.toHaveProperty('jobs');
    },
  );
});
