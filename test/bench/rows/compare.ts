/** `auditlog compare` with two large ledgers. */
import { operatorFile } from '../../../sandbox/operator-process.ts';
import { type Measurement, ours } from '../row.ts';
import { auditLine, listEntry, writeLines } from '../support/audit-files.ts';
import { runMeasured } from '../support/run-measured.ts';

const entries = 1_000_000;

export const compare: Measurement = {
  rows: [
    {
      name: 'compare',
      title: `auditlog compare with two ledgers of ${entries.toLocaleString('en')} entries`,
      isSlow: true,
      forwardings: 0,
      figures: [
        { name: 'time', unit: 's', targets: [{ limit: 20 }] },
        { name: 'processor time', unit: 's' },
        { name: 'peak', unit: 'MiB', targets: [{ limit: 300 }] },
      ],
    },
  ],
  async contenders({ folder }) {
    const left = await writeLines(folder, 'konnect.json', entries, listEntry);
    const right = await writeLines(folder, 'siem.log', entries, auditLine);
    return [
      {
        name: ours,
        async measure() {
          const command = ['auditlog', 'compare', '--left', left, '--right', right] as const;
          const { seconds, usage } = await runMeasured([process.execPath, operatorFile, ...command]);
          return {
            compare: { time: seconds, 'processor time': usage.processorSeconds, peak: usage.peakMiB },
          };
        },
      },
    ];
  },
};
