/**
 * Measures how long a restarted operator takes to reconcile 1,000 forwardings of 5 organizations, with the default limits. The local Konnect
 * allows 3,000 requests per minute. Kubernetes is in memory. `--times N` sets the number of runs. Default: 3.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { parseConfig } from '../../src/config/config.ts';
import { Fleet } from '../simulation/fleet.ts';
import { eventually } from '../support/eventually.ts';

const organizations = Array.from({ length: 5 }, () => ({ forwardings: 200, tokens: 2 }));

const { values } = parseArgs({ options: { times: { type: 'string', default: '3' } } });
const parsed = parseConfig([], {});
if (parsed.kind !== 'config') throw new TypeError('the default configuration is not valid');
const { konnectQPS: qps, konnectBurst: burst, maxConcurrentReconciles: maxInWork } = parsed.config;

process.stdout.write(
  `restart: 5 organizations with 200 forwardings and 2 tokens each; ${String(qps)} requests per second, bursts of ${String(burst)}, ` +
    `${String(maxInWork)} concurrent reconciliations, each per organization and region\n` +
    `Node ${process.version}, ${String(cpus().length)} × ${cpus()[0]?.model ?? 'unknown'}\n`,
);

await using fleet = await Fleet.open(organizations);
const limit = fleet.konnect.control.fail({ kind: 'rate-limit', requests: 3_000, windowMs: 60_000 });
for (let run = 1; run <= Number(values.times); run += 1) {
  const startedMs = performance.now();
  const operator = await fleet.start({ budget: { qps, burst }, maxInWork });
  await eventually(
    () => {
      if (!operator.isIdle) throw new Error('still reconciling');
    },
    { timeoutMs: 300_000 },
  );
  const seconds = (performance.now() - startedMs) / 1_000;
  const calls = Object.entries(fleet.count(({ operation }) => operation)).map(
    ([name, count]) => `${name} ${String(count)}`,
  );
  const writes =
    fleet.cluster.writes + (fleet.count(({ method }) => (method === 'GET' ? undefined : 'all'))['all'] ?? 0);
  process.stdout.write(
    `${String(run)}: ${seconds.toFixed(1)} s; ${calls.join(', ')}; writes ${String(writes)}; answers 429: ${String(limit.hits())}\n`,
  );
}
