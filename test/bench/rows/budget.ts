/**
 * The restart of 1,000 forwardings of 5 organizations with the default limits. The local Konnect allows each organization 3,000 requests a minute.
 * Kubernetes is in memory.
 */
import { parseConfig } from '../../../src/config/config.ts';
import { Fleet } from '../../simulation/fleet.ts';
import { eventually } from '../../support/eventually.ts';
import { type Measurement, ours } from '../row.ts';

const organizations = Array.from({ length: 5 }, () => ({ forwardings: 200, tokens: 2 }));

export const budget: Measurement = {
  rows: [
    {
      name: 'budget',
      title: 'restart of 5 organizations within the default request budget, Kubernetes in memory',
      forwardings: 1_000,
      figures: [
        { name: 'until idle', unit: 's' },
        { name: 'calls', unit: 'calls', isCount: true },
        { name: 'writes', unit: 'writes', isCount: true, targets: [{ limit: 0 }] },
        { name: 'answers 429', unit: 'answers', isCount: true, targets: [{ limit: 0 }] },
      ],
    },
  ],
  async contenders({ onEnd }) {
    const parsed = parseConfig([], {});
    if (parsed.kind !== 'config') throw new TypeError('the default configuration is not valid');
    const { konnectQPS: qps, konnectBurst: burst, maxConcurrentReconciles: maxInWork } = parsed.config;
    const fleet = await Fleet.open(organizations);
    onEnd(async () => fleet[Symbol.asyncDispose]());
    const limit = fleet.konnect.control.fail({ kind: 'rate-limit', requests: 3_000, windowMs: 60_000 });
    return [
      {
        name: ours,
        async measure() {
          const hits = limit.hits();
          const startedMs = performance.now();
          const operator = await fleet.start({ budget: { qps, burst }, maxInWork });
          await eventually(
            () => {
              if (!operator.isIdle) throw new Error('still reconciling');
            },
            { timeoutMs: 300_000 },
          );
          const seconds = (performance.now() - startedMs) / 1_000;
          const calls = fleet.konnect.control.calls();
          return {
            budget: {
              'until idle': seconds,
              calls: calls.length,
              writes: fleet.cluster.writes + calls.filter(({ method }) => method !== 'GET').length,
              'answers 429': limit.hits() - hits,
            },
          };
        },
      },
    ];
  },
};
