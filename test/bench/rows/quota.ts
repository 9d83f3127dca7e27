import { goOperator, type Measurement } from '../row.ts';
import { operatorsOf } from '../support/operators.ts';
import { Session } from '../support/session.ts';

const callsPerSecond = 50;

/** The creation of all forwardings with a Konnect that answers 429 after 3,000 requests in a minute. */
export const quota: Measurement = {
  rows: [
    {
      name: 'quota',
      title: 'from the first apply until all are Ready, with 3,000 requests a minute',
      isSlow: true,
      figures: [
        { name: 'time', unit: 's', targets: [{ ratioTo: goOperator, limit: 1 }] },
        { name: 'time by what its calls cost at 3,000 a minute', unit: '', targets: [{ limit: 1.1 }] },
        { name: 'calls', unit: 'calls', isCount: true },
        { name: 'answers 429', unit: 'answers', isCount: true, targets: [{ limit: 0 }] },
      ],
    },
  ],
  async contenders(bench) {
    const kinds = await operatorsOf(bench);
    const { forwardings } = bench;
    return kinds.map((kind) => ({
      name: kind.name,
      async measure() {
        await using session = await Session.open(bench, kind, { capacity: forwardings, hasQuota: true });
        await session.start();
        session.calls.reset();
        const startedMs = performance.now();
        await session.create(0, forwardings);
        const readyMs = await session.watch.until(() => session.watch.ready === forwardings);
        const time = (readyMs - startedMs) / 1_000;
        const { all, rejected } = session.calls.counts;
        return {
          quota: {
            time,
            'time by what its calls cost at 3,000 a minute': time / (all / callsPerSecond),
            calls: all,
            'answers 429': rejected,
          },
        };
      },
    }));
  },
};
