import { setTimeout as delay } from 'node:timers/promises';
import { goOperator, type Measurement } from '../row.ts';
import { operatorsOf } from '../support/operators.ts';
import { Session } from '../support/session.ts';

const forwardings = 100;
const seconds = 60;

/** Resyncs without a change. 100 forwardings with an interval of a minute are as many resyncs as 1,000 with the default of ten. */
export const rest: Measurement = {
  rows: [
    {
      name: 'rest',
      title: 'at rest with an interval of 1m, for a minute: as many resyncs as of 1,000 forwardings with 10m',
      isSlow: true,
      forwardings,
      figures: [
        { name: 'processor time', unit: '% of a core', targets: [{ ratioTo: goOperator, limit: 1.5 }, { limit: 1 }] },
        { name: 'calls', unit: 'calls', isCount: true },
        { name: 'writes', unit: 'writes', isCount: true, targets: [{ limit: 0 }] },
      ],
    },
  ],
  async contenders(bench) {
    const kinds = await operatorsOf(bench);
    return kinds.map((kind) => ({
      name: kind.name,
      async measure() {
        await using session = await Session.open(bench, kind, { capacity: forwardings, interval: '1m' });
        await session.startWith(forwardings);
        // By then, the resyncs of all are spread over the interval.
        await delay(seconds * 1_000);
        const [mark, before] = [await session.lab.mark(), await session.operator.usage()];
        session.calls.reset();
        await delay(seconds * 1_000);
        const after = await session.operator.usage();
        const written = await session.lab.writesSince(mark);
        const { all, writes } = session.calls.counts;
        return {
          rest: {
            'processor time': (100 * (after.processorSeconds - before.processorSeconds)) / seconds,
            calls: all,
            writes: writes + written.status + written.finalizer + written.events + written.other,
          },
        };
      },
    }));
  },
};
