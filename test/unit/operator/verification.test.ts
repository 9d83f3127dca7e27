import { expect, test } from '@jest/globals';
import { parseConfig } from '../../../src/config/config.ts';
import { createVerification } from '../../../src/operator/verification.ts';
import type { Log } from '../../../src/runtime/log.ts';
import { eventually } from '../../support/eventually.ts';
import { key } from '../../support/forwarding-spec.ts';
import { Bench } from '../verification/bench.ts';

test('a stop aborts a search at once, and its job is deleted', async () => {
  await using bench = await Bench.open();
  const parsed = parseConfig([`--sumologic-url=${bench.sumologic.plainURL}`, '--grace-period=10m'], {});
  if (parsed.kind !== 'config') throw new TypeError('not a configuration');
  const logged: string[] = [];
  const write = (_fields: object, message: string) => void logged.push(message);
  const log: Log = { debug: write, info: write, warn: write, error: write };
  const verification = createVerification({
    ...bench.surroundings,
    config: parsed.config,
    userAgent: 'test',
    fence: undefined,
    log,
    attempt: (_key, verify) => verify(),
  });
  const stop = new AbortController();
  const running = verification.run(stop.signal);
  verification.queue.add(key);
  await eventually(() => expect(bench.status.verification?.jobs).toHaveLength(1));
  stop.abort(new Error('stop'));
  await running;
  expect(bench.sumologic.control.searchJobs()).toEqual([]);
  expect(logged).toEqual(['reconcile aborted']);
});
