/** What becomes of the search jobs: refused, crashed, or no longer wanted. */
import { describe, expect, test } from '@jest/globals';
import { key } from '../../support/forwarding-spec.ts';
import { accessKey, Bench } from './bench.ts';

const hourMs = 3_600_000;

describe('a search that is refused', () => {
  test.each([
    ['the key', { key: 'another' }, 'SumoLogic rejects the access key (HTTP 401)'],
    ['the role', { maySearch: false }, 'SumoLogic does not let the access key search (HTTP 403)'],
    [
      'the deployment',
      { deployment: 'us2' },
      'the access key belongs to the deployment us2 of SumoLogic (HTTP 301): set spec.verification.sumoLogic.deployment to us2',
    ],
  ])('names %s, and is tried again', async (_name, change, message) => {
    await using bench = await Bench.open();
    await bench.settle();
    bench.sumologic.control.setAccessKey({ ...accessKey, ...change });
    await expect(bench.verify()).resolves.toEqual({ kind: 'retry' });
    expect(bench.verified).toBe('Unknown SearchRefused');
    expect(bench.message).toContain(message);
    expect(bench.events).toEqual(['Warning SearchRefused']);
    bench.sumologic.control.setAccessKey(accessKey);
    await bench.verify();
    expect(bench.verified).toBe('True AllFound');
  });

  test('names the query', async () => {
    await using bench = await Bench.open();
    await bench.settle();
    bench.cluster.edit((spec) => {
      if (spec.verification !== undefined) spec.verification.sumoLogic.query = 'a OR b';
      return spec;
    });
    await bench.verify();
    expect(bench.verified).toBe('Unknown SearchRefused');
    expect(bench.message).toContain('spec.verification.sumoLogic.query');
  });

  test('because it finds too many lines says so, and waits for the interval', async () => {
    await using bench = await Bench.open();
    bench.sumologic.control.behave({ maxMessages: 2 });
    await bench.settle(3);
    await expect(bench.verify()).resolves.toEqual({ kind: 'requeue', afterMs: 900_000 });
    expect(bench.verified).toBe('Unknown SearchRefused');
    expect(bench.message).toBe(
      'SumoLogic has received more lines since 2026-01-02T02:00:02Z than 64 search jobs return, and the operator has compared none: narrow spec.verification.sumoLogic.query to the lines of this forwarding, or shorten spec.verification.interval and spec.verification.window',
    );
    expect(bench.sumologic.control.searchJobs()).toEqual([]);
  });

  test('by an outage is SumoLogicUnavailable', async () => {
    await using bench = await Bench.open();
    await bench.settle();
    bench.sumologic.control.respondToSearch(503, 1);
    await expect(bench.verify()).resolves.toEqual({ kind: 'retry' });
    expect(bench.verified).toBe('Unknown SumoLogicUnavailable');
    expect(bench.message).toContain('HTTP 503');
  });
});

describe('search jobs', () => {
  test('stand in status while they exist', async () => {
    await using bench = await Bench.open();
    await bench.settle();
    const [recorded, existing]: [unknown[], unknown[]] = [[], []];
    bench.around = async (name, call) => {
      if (name !== 'sumologic POST') {
        recorded.push(bench.status.verification?.jobs);
        existing.push(bench.sumologic.control.searchJobs());
      }
      return call();
    };
    await bench.verify();
    expect(recorded.length).toBeGreaterThan(2);
    expect(recorded).toEqual(existing);
    expect(bench.status.verification).not.toHaveProperty('jobs');
  });

  test('that a deletion failed for are deleted by the next verification', async () => {
    await using bench = await Bench.open();
    bench.sumologic.control.behave({ needsCookies: false });
    await bench.settle();
    bench.around = async (name, call) => {
      if (name === 'sumologic DELETE') bench.sumologic.control.respondToSearch(503, 1);
      return call();
    };
    await bench.verify();
    expect(bench.status.verification?.jobs).toHaveLength(1);
    bench.around = (_name, call) => call();
    await bench.verify();
    expect(bench.status.verification).not.toHaveProperty('jobs');
  });

  test('beyond the sixteen that status can hold are forgotten, the oldest first', async () => {
    await using bench = await Bench.open();
    await bench.settle();
    const former = Array.from({ length: 16 }, (_, index) => `FORMER${String(index)}`);
    bench.cluster.setStatus({ ...bench.status, verification: { ...bench.status.verification, jobs: former } });
    bench.around = async (name, call) => {
      if (name === 'sumologic DELETE') bench.sumologic.control.respondToSearch(503, 1);
      return call();
    };
    await bench.verify();
    expect(bench.verified).toBe('True AllFound');
    expect(bench.status.verification?.jobs).toEqual([...former.slice(1), ...bench.sumologic.control.searchJobs()]);
  });

  test('are never left behind, whatever call a crash follows', async () => {
    await using counted = await Bench.open();
    await counted.settle();
    let calls = 0;
    const count = <T>(_name: string, call: () => Promise<T>) => {
      calls += 1;
      return call();
    };
    counted.around = count;
    counted.cluster.around = count;
    await counted.verify();
    expect(calls).toBeGreaterThan(7);

    for (let last = 1; last <= calls; last += 1) {
      for (const isAnswered of [true, false]) {
        await using bench = await Bench.open();
        bench.sumologic.control.behave({ needsCookies: last % 2 === 0 });
        await bench.settle();
        let made = 0;
        const crash = new AbortController();
        const end = Promise.withResolvers<never>();
        const dead = () => end.promise;
        const crashing = async <T>(_name: string, call: () => Promise<T>): Promise<T> => {
          made += 1;
          if (made > last) return dead();
          if (made < last) return call();
          if (isAnswered) await call();
          crash.abort(new Error('crash'));
          return dead();
        };
        bench.around = crashing;
        bench.cluster.around = crashing;
        const crashed = new Promise((resolve) => crash.signal.addEventListener('abort', resolve, { once: true }));
        await Promise.race([bench.verify(), crashed]);

        bench.around = (_name, call) => call();
        bench.cluster.around = (_name, call) => call();
        bench.restart();
        // SumoLogic cancels a job that nobody asks about.
        bench.pass(1);
        await bench.verify();
        await bench.receive(bench.lines());
        bench.clock.ms += hourMs / 4;
        await bench.verify();
        const story = `crash after call ${String(last)}, ${isAnswered ? 'answered' : 'lost'}`;
        expect([story, bench.sumologic.control.searchJobs(), bench.status.verification?.jobs]).toEqual([
          story,
          [],
          undefined,
        ]);
        expect([story, bench.verified]).toEqual([story, 'True AllFound']);
        // The timeout of a call that never ends would keep this process for seconds.
        end.reject(new Error('the crashed process is gone'));
      }
    }
  });

  test('are deleted when the forwarding wants no verification any more, or is gone', async () => {
    await using bench = await Bench.open();
    await bench.settle();
    bench.around = async (name, call) => {
      const answer = await call();
      if (name === 'sumologic POST') bench.cluster.delete(new Date(bench.clock.ms));
      return answer;
    };
    await expect(bench.verify()).resolves.toEqual({ kind: 'requeue', afterMs: 0 });
    expect(bench.cluster.objects.get(key)).toBeUndefined();
    expect(bench.sumologic.control.searchJobs()).toEqual([]);
    await expect(bench.verify()).resolves.toEqual({ kind: 'done' });
  });
});
