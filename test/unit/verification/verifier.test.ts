import { describe, expect, test } from '@jest/globals';
import { key } from '../../support/forwarding-spec.ts';
import { shop, tokens } from '../../support/konnect-fixtures.ts';
import { accessKey, Bench } from './bench.ts';

describe('a verification', () => {
  test('finds every line, records what it counted, and comes again after the interval', async () => {
    await using bench = await Bench.open();
    await bench.settle(3);
    await expect(bench.verify()).resolves.toEqual({ kind: 'requeue', afterMs: 900_000 });
    expect(bench.verified).toBe('True AllFound');
    expect(bench.status.verification).toEqual({
      since: '2026-01-01T00:00:00Z',
      lastVerifiedTime: expect.stringMatching(/^2026-01-02T03:1/),
      window: { from: '2026-01-02T02:05:02.000Z', to: '2026-01-02T03:05:02.000Z' },
      entries: 3,
      found: 3,
      missing: 0,
      foreign: 0,
      unsigned: 0,
      invalidSignatures: 0,
      latencyP50: '2.0s',
      latencyP99: '2.0s',
    });
    expect(bench.events).toEqual(['Normal AllFound']);
    expect(bench.status.observedGeneration).toBe(1);
    expect(bench.sumologic.control.searchJobs()).toEqual([]);
    await expect(bench.verify()).resolves.toEqual({ kind: 'requeue', afterMs: expect.any(Number) });
    expect(bench.events).toHaveLength(1);
  });

  test('names what SumoLogic lacks, with the ingest budget as the cause if deliveries succeed', async () => {
    await using bench = await Bench.open();
    const lines = await bench.audit(3);
    await bench.receive(lines.slice(1));
    bench.pass(15);
    await bench.verify();
    expect(bench.verified).toBe('False LinesMissing');
    expect(bench.message).toMatch(
      /^1 of 3 entries of Konnect's list of audit logs between 2026-01-02T02:05:02Z and 2026-01-02T03:05:02Z are missing in SumoLogic, the oldest from 2026-01-02T03:00:00Z \(trace \d+\): SumoLogic accepts the deliveries and drops lines\. Check the ingest budget/,
    );
    expect(bench.status.verification).toMatchObject({ entries: 3, found: 2, missing: 1 });
    expect(bench.status.verification?.oldestMissing?.time).toBe('2026-01-02T03:00:00.000Z');
    expect(bench.events).toEqual(['Warning LinesMissing']);
  });

  test('says that deliveries fail if they do', async () => {
    await using bench = await Bench.open();
    await bench.audit(1);
    bench.pass(15);
    bench.cluster.setStatus({ ...bench.status, delivery: [{ key: 'organization', state: 'Failing' }] });
    await bench.verify();
    expect(bench.message).toContain('deliveries fail or have not begun, see the condition Delivering');
  });

  test('is no longer unsatisfied once a replay has brought the lines', async () => {
    await using bench = await Bench.open();
    await bench.audit(2);
    bench.pass(15);
    await bench.verify();
    expect(bench.verified).toBe('False LinesMissing');
    // The requests of the operator are audited, too.
    await bench.receive(bench.lines());
    bench.pass(15);
    await bench.verify();
    expect(bench.verified).toBe('True AllFound');
    expect(bench.events).toEqual(['Warning LinesMissing', 'Normal AllFound']);
  });

  test('makes a gap of its window once, which a reconciliation has replayed', async () => {
    await using bench = await Bench.open();
    await bench.audit(2);
    bench.pass(15);
    await bench.verify();
    const gap = { from: '2026-01-02T02:05:00.000Z', to: '2026-01-02T03:05:00.000Z' };
    expect(bench.status.delivery).toEqual([{ key: 'organization', state: 'Delivered', gap }]);
    expect(bench.gaps).toEqual([key]);
    // It was replayed, and the lines stay missing. The calls of the operator arrive.
    bench.cluster.setStatus({ ...bench.status, delivery: [{ key: 'organization', state: 'Delivered' }] });
    await bench.receive(bench.lines().slice(2));
    bench.pass(15);
    await bench.verify();
    expect(bench.status.verification).toMatchObject({ missing: 2, gapUntil: gap.to });
    expect(bench.status.delivery).toEqual([{ key: 'organization', state: 'Delivered' }]);
    expect(bench.gaps).toHaveLength(1);
  });

  test('makes no gap of what is replayed when the search ends', async () => {
    await using bench = await Bench.open();
    await bench.audit(2);
    bench.pass(15);
    // The webhook had a gap of its own, whose replay begins during the search.
    const window = { from: '2026-01-02T03:00:00Z', to: '2026-01-02T03:10:00Z' };
    const replay = { ...window, state: 'Accepted' as const, requestedTime: '2026-01-02T03:15:00Z' };
    const delivery = [{ key: 'organization', state: 'Delivered' as const, gap: window, replay }];
    bench.around = async (name, call) => {
      if (name === 'sumologic DELETE') bench.cluster.setStatus({ ...bench.status, delivery });
      return call();
    };
    await bench.verify();
    expect(bench.verified).toBe('False LinesMissing');
    expect(bench.status.delivery).toEqual(delivery);
    expect(bench.status.verification?.gapUntil).toBe('2026-01-02T03:05:00.000Z');
    expect(bench.gaps).toEqual([]);
  });

  test('makes no gap if spec wants none recorded', async () => {
    await using bench = await Bench.open();
    bench.cluster.edit((spec) => ({ ...spec, gapRecovery: { mode: 'None' } }));
    await bench.audit(2);
    bench.pass(15);
    await bench.verify();
    expect(bench.verified).toBe('False LinesMissing');
    expect(bench.gaps).toEqual([]);
  });

  test('finds a changed line by its signature', async () => {
    await using bench = await Bench.open();
    const lines = await bench.audit(2);
    await bench.receive(lines.map((line) => line.replace('granted=true', 'granted=false')));
    bench.pass(15);
    await bench.verify();
    expect(bench.verified).toBe('False SignatureInvalid');
    expect(bench.message).toMatch(/^there are 2 lines in SumoLogic with an invalid signature: .* auditlog verify$/);
    expect(bench.status.verification).toMatchObject({ found: 2, invalidSignatures: 2 });
  });

  test('counts unsigned lines and accepts them', async () => {
    await using bench = await Bench.open();
    const lines = await bench.audit(2);
    await bench.receive(lines.map((line) => line.replace(/ sig=.*/, '')));
    bench.pass(15);
    await bench.verify();
    expect(bench.verified).toBe('True AllFound');
    expect(bench.message).toContain('no signature is invalid; there are 2 lines without a signature');
    expect(bench.status.verification).toMatchObject({ unsigned: 2 });
  });

  test('finds a line that Konnect does not know, and ignores those of other organizations and of portals', async () => {
    await using bench = await Bench.open();
    const [line = ''] = await bench.settle(1);
    bench.clock.ms -= 14 * 60_000;
    await bench.receive([
      line.replace(/trace_id=\d+/, 'trace_id=1'),
      line.replace(/trace_id=\d+/, 'trace_id=2').replace(/org_id=\S+/, 'org_id=777db3e4-5cb7-4dd5-b51c-9878096a6999'),
      bench.login(),
      'no audit line',
    ]);
    bench.pass(15);
    await bench.verify();
    expect(bench.status.verification).toMatchObject({ entries: 1, found: 1, missing: 0, foreign: 1 });
    // The signature of the forged line is that of another one.
    expect(bench.verified).toBe('False SignatureInvalid');
    expect(bench.message).toContain('; there is 1 line between');
  });

  test('sees the whole window although SumoLogic returns few messages of a search', async () => {
    await using bench = await Bench.open();
    bench.sumologic.control.behave({ maxMessages: 3 });
    for (let batch = 0; batch < 4; batch += 1) await bench.receive(await bench.audit(2));
    bench.pass(15);
    await bench.verify();
    expect(bench.verified).toBe('True AllFound');
    expect(bench.status.verification).toMatchObject({ entries: 8, found: 8 });
    expect(bench.sumologic.control.searchJobs()).toEqual([]);
  });

  test('expects no line from before the webhook was seen on', async () => {
    await using bench = await Bench.open();
    await bench.audit(2);
    bench.pass(1);
    bench.cluster.setStatus({ ...bench.status, verification: {} });
    await expect(bench.verify()).resolves.toEqual({ kind: 'requeue', afterMs: 900_000 });
    expect(bench.verified).toBe('Unknown NotSearchedYet');
    expect(bench.events).toEqual([]);
    await bench.settle(1);
    await bench.verify();
    expect(bench.status.verification).toMatchObject({ entries: 1, found: 1, missing: 0 });
  });
});

describe('without the list of Konnect', () => {
  test.each(['forbidden', 'not-found'] as const)('(%s) the newest line is found', async (auditLogsList) => {
    await using bench = await Bench.open();
    bench.konnect.control.behave({ auditLogsList });
    await bench.settle(2);
    await bench.verify();
    expect(bench.verified).toBe('True NewestFound');
    expect(bench.message).toBe(
      'the newest line in SumoLogic is from 2026-01-02T03:00:00Z, and every signature is valid; Konnect does not show its list of audit logs, so that nothing shows whether a line is missing',
    );
    expect(bench.status.verification).not.toHaveProperty('entries');
    expect(bench.status.verification).not.toHaveProperty('missing');
  });

  test('one call is made if nothing is there, and its line is looked for, also by another process', async () => {
    await using bench = await Bench.open();
    bench.konnect.control.behave({ auditLogsList: 'not-found' });
    bench.pass(15);
    bench.konnect.control.clearCalls();
    await expect(bench.verify()).resolves.toEqual({ kind: 'requeue', afterMs: 660_000 });
    const probes = () => bench.konnect.control.calls().filter(({ path }) => path.startsWith('/v2/control-planes'));
    expect(probes()).toHaveLength(1);
    expect(bench.verified).toBe('Unknown NotSearchedYet');
    bench.restart();
    await bench.verify();
    expect(probes()).toHaveLength(1);
    bench.pass(11);
    await bench.verify();
    expect(bench.verified).toBe('False LinesMissing');
    expect(bench.message).toMatch(/^the operator listed the control planes at .* and SumoLogic has no line: /);
    expect(bench.status.verification).not.toHaveProperty('probeTime');
  });
});

describe('the portals', () => {
  const onlyPortal = { portals: [{ id: shop, enabled: true }] };

  test('are verified by their newest line', async () => {
    await using bench = await Bench.open(onlyPortal);
    await bench.receive([bench.login()]);
    bench.pass(15);
    await bench.verify();
    expect(bench.verified).toBe('True NewestFound');
    expect(bench.message).toContain('Konnect has no list of the logins to Dev Portals');
    // Nobody logs in for two hours.
    bench.pass(120);
    await bench.verify();
    expect(bench.verified).toBe('True NewestFound');
  });

  test('are not verified before somebody has logged in', async () => {
    await using bench = await Bench.open(onlyPortal);
    bench.pass(15);
    await bench.verify();
    expect(bench.verified).toBe('Unknown NotSearchedYet');
    expect(bench.message).toContain('somebody has to log in first');
  });
});

test('nothing that status, events or errors show contains a secret', async () => {
  await using bench = await Bench.open();
  await bench.settle();
  bench.sumologic.control.setAccessKey({ ...accessKey, deployment: 'us2' });
  await bench.verify();
  bench.sumologic.control.setAccessKey(accessKey);
  await bench.verify();
  const shown = JSON.stringify([bench.status, bench.cluster.announcements]);
  for (const secret of [accessKey.id, accessKey.key, tokens.blue]) expect(shown).not.toContain(secret);
});
