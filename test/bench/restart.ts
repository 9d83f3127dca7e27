/**
 * How long 1,000 forwardings of 5 organizations take to be looked at after a restart, with the limits that are the default, against a local
 * Konnect that allows 3,000 requests a minute. Kubernetes is in memory. `--times N`: how often, 3 unless given.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { parseConfig } from '../../src/config/config.ts';
import { eventually } from '../support/eventually.ts';
import { Crowd } from '../unit/forwarding/support/fleet.ts';

const organizations = Array.from({ length: 5 }, () => ({ forwardings: 200, tokens: 2 }));

const { values } = parseArgs({ options: { times: { type: 'string', default: '3' } } });
const parsed = parseConfig([], {});
if (parsed.kind !== 'config') throw new TypeError('the defaults are no configuration');
const { konnectQPS: qps, konnectBurst: burst, maxConcurrentReconciles: mostInWork } = parsed.config;

process.stdout.write(
  `restart: 5 organizations with 200 forwardings and 2 tokens each; ${String(qps)} requests a second, ${String(burst)} at once, ` +
    `${String(mostInWork)} forwardings at a time, each per organization and region\n` +
    `Node ${process.version}, ${String(cpus().length)} × ${cpus()[0]?.model ?? 'unknown'}\n`,
);

await using crowd = await Crowd.open(organizations);
const limit = crowd.konnect.control.fail({ kind: 'rate-limit', requests: 3_000, windowMs: 60_000 });
for (let time = 1; time <= Number(values.times); time += 1) {
  const startedMs = performance.now();
  const operator = await crowd.start({ budget: { qps, burst }, mostInWork });
  await eventually(
    () => {
      if (!operator.isIdle) throw new Error('still at work');
    },
    { timeoutMs: 300_000 },
  );
  const seconds = (performance.now() - startedMs) / 1_000;
  const calls = Object.entries(crowd.count(({ operation }) => operation)).map(
    ([name, count]) => `${name} ${String(count)}`,
  );
  const writes =
    crowd.cluster.writes + (crowd.count(({ method }) => (method === 'GET' ? undefined : 'all'))['all'] ?? 0);
  process.stdout.write(
    `${String(time)}: ${seconds.toFixed(1)} s; ${calls.join(', ')}; writes ${String(writes)}; answers 429: ${String(limit.hits())}\n`,
  );
}
