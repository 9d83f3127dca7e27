import { goOperator, type Measurement } from '../row.ts';
import { operatorsOf } from '../support/operators.ts';
import { Session } from '../support/session.ts';

const starts = 5;

/** The start of a process, with one forwarding that is Ready. */
export const start: Measurement = {
  rows: [
    {
      name: 'start',
      title: 'from the start of the process to its first call to Konnect',
      forwardings: 1,
      figures: [{ name: 'time', unit: 'ms', targets: [{ limit: 300 }, { ratioTo: goOperator, limit: 1 }] }],
    },
  ],
  async contenders(bench) {
    const kinds = await operatorsOf(bench);
    return kinds.map((kind) => ({
      name: kind.name,
      async measure() {
        await using session = await Session.open(bench, kind, { capacity: 1 });
        await session.startWith(1);
        const time: number[] = [];
        for (let count = 0; count < starts; count += 1) {
          await session.stop();
          session.calls.reset();
          const { startedAt } = await session.start();
          await session.untilQuiet(1);
          time.push(session.calls.firstCallAt - startedAt);
        }
        return { start: { time } };
      },
    }));
  },
};
